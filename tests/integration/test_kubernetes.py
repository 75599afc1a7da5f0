"""The objects of ``deploy/kubernetes``: fields, rights, and who may reach what.

That the proxies which they set up do their work is for
``test_kubernetes_controllers.py``.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from forwardauth.cli.main import main
from forwardauth.users.reader import load_users
from tests.support.controllers import config_of_map
from tests.support.custom_resources import known_resources, unknown_fields
from tests.support.manifests import (
    Manifest,
    all_manifests,
    get_manifest,
    of_kind,
)
from tests.support.proxies import DEPLOY, substitute

VERSION = "1.37"
SHIPPED = all_manifests()
CUSTOM = {
    name: each
    for name, each in SHIPPED.items()
    if f"{each['apiVersion']}/{each['kind']}" in known_resources()
}
BUILT_IN = {name: each for name, each in SHIPPED.items() if name not in CUSTOM}
PODS = {
    name: each
    for name, each in SHIPPED.items()
    if each["kind"] in {"Deployment", "StatefulSet"}
}
IDENTITY = ["remote-user", "remote-groups", "remote-name", "remote-email"]


def pod_of(deployment: Manifest) -> Any:
    """Return the template of the pods of a Deployment or StatefulSet."""
    return deployment["spec"]["template"]["spec"]


def service_pod() -> Any:
    """Return the template of the service's own pod."""
    return pod_of(get_manifest("forwardauth.yaml", "Deployment", "forwardauth"))


def peers() -> Iterator[tuple[Manifest, Any, Any]]:
    """Yield every policy for the service with each of its peers and its ports."""
    for policy in SHIPPED.values():
        if policy["kind"] == "NetworkPolicy":
            for rule in policy["spec"]["ingress"]:
                for peer in rule["from"]:
                    yield policy, peer, rule["ports"]


class TestSchemas:
    """What an API server would refuse, or drop without a word."""

    @pytest.mark.parametrize("manifest", BUILT_IN.values(), ids=BUILT_IN.keys())
    def test_object_of_kubernetes_is_valid(self, manifest: Manifest) -> None:
        """The schema of Kubernetes itself knows every field and finds its type."""
        assert kubernetes_validate.validate(manifest, VERSION, strict=True) == VERSION

    def test_misspelt_field_of_kubernetes_is_noticed(self) -> None:
        """The check above can fail."""
        manifest = get_manifest("forwardauth.yaml", "Deployment", "forwardauth")
        pod_of(manifest)["securityContext"]["runAsNonroot"] = True

        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(manifest, VERSION, strict=True)

    @pytest.mark.parametrize("manifest", CUSTOM.values(), ids=CUSTOM.keys())
    def test_custom_resource_has_known_fields(self, manifest: Manifest) -> None:
        """No field but those that the project's reference names, each of its type."""
        assert list(unknown_fields(manifest)) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("authResponseHeader", ["Remote-User"]),
            ("authResponseHeaders", "Remote-User"),
            ("trustForwardHeader", "true"),
            ("maxResponseBodySize", True),
        ],
    )
    def test_wrong_field_of_a_custom_resource_is_noticed(
        self, name: str, value: object
    ) -> None:
        """The check above can fail: by the name of a field, and by its type."""
        manifest = get_manifest("traefik.yaml", "Middleware", "forwardauth")
        manifest["spec"]["forwardAuth"][name] = value

        (problem,) = unknown_fields(manifest)

        assert problem.startswith(f"spec.forwardAuth.{name}")

    def test_every_kind_that_was_looked_up_is_shipped(self) -> None:
        """The table of fields has no kind that nobody uses any more."""
        used = {f"{each['apiVersion']}/{each['kind']}" for each in CUSTOM.values()}

        assert used == known_resources().keys()


class TestPods:
    """What the pods may do, and what they are given."""

    @pytest.mark.parametrize("deployment", PODS.values(), ids=PODS.keys())
    def test_pod_has_no_rights(self, deployment: Manifest) -> None:
        """Everything that the profile ``restricted`` asks for, and more."""
        pod = pod_of(deployment)
        (container,) = pod["containers"]

        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }

    @pytest.mark.parametrize("deployment", PODS.values(), ids=PODS.keys())
    def test_image_has_a_version(self, deployment: Manifest) -> None:
        """What ran yesterday runs today."""
        (container,) = pod_of(deployment)["containers"]
        name, _, tag = container["image"].rpartition(":")

        assert name
        assert any(character.isdigit() for character in tag)

    def test_service_runs_as_the_user_of_its_image(self) -> None:
        """The volume is written by the user that the image was made for."""
        context = service_pod()["securityContext"]
        user = f"{context['runAsUser']}:{context['runAsGroup']}"

        assert f"USER {user}\n" in (DEPLOY.parent / "Dockerfile").read_text()
        assert context["fsGroup"] == context["runAsGroup"]

    def test_ports_are_those_that_the_service_listens_on(self) -> None:
        """Probes and the Service find the listeners of the configuration."""
        (container,) = service_pod()["containers"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        server = yaml.safe_load(config_of_map())["server"]
        probes = [
            container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness")
        ]

        assert server["listen"] == f"0.0.0.0:{ports['http']}"
        assert server["management"] == f"0.0.0.0:{ports['management']}"
        assert probes == 2 * [{"path": "/healthz", "port": "management"}]

    def test_management_is_no_port_of_the_service(self) -> None:
        """What proxies reach by name is the port that they ask at."""
        service = get_manifest("forwardauth.yaml", "Service", "forwardauth")["spec"]

        assert service["type"] == "ClusterIP"
        assert [each["targetPort"] for each in service["ports"]] == ["http"]

    def test_store_and_journal_outlive_the_pod(self) -> None:
        """Both lie where the volume that is claimed is mounted."""
        pod = service_pod()
        session = yaml.safe_load(config_of_map())["session"]
        claimed = [
            mount["mountPath"]
            for volume in pod["volumes"]
            for mount in pod["containers"][0]["volumeMounts"]
            if "persistentVolumeClaim" in volume and mount["name"] == volume["name"]
        ]

        assert claimed == ["/data"]
        assert session["store"].startswith("sqlite:/data/")
        assert session["journal"].startswith("/data/")

    def test_two_pods_never_share_the_volume(self) -> None:
        """SQLite is for one machine: the old pod ends before the new one starts."""
        spec = get_manifest("forwardauth.yaml", "Deployment", "forwardauth")["spec"]

        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


class TestConfiguration:
    """What the ConfigMap and the Secret hold."""

    def test_configuration_of_the_map_passes_the_check(self, tmp_path: Path) -> None:
        """With its files where the pod has them, ``config check`` finds nothing."""
        config = tmp_path / "config.yaml"
        table = {
            r"(sqlite:|: )/data/": rf"\g<1>{tmp_path}/data/",
            r" /users/": f" {tmp_path}/users/",
        }
        for folder in ("data", "users"):
            (tmp_path / folder).mkdir()
        text = substitute(config_of_map(), table)
        config.write_text(text)
        users = mount_secret(tmp_path / "users")

        result = CliRunner().invoke(main, ["config", "check", str(config)])

        assert result.exit_code == 0, result.output
        assert not load_users(users).users, "no example account waits for somebody"

    def test_only_the_network_of_pods_is_believed(self) -> None:
        """The network is a private one, and not all of them."""
        server = yaml.safe_load(config_of_map())["server"]
        (network,) = map(ip_network, server["trusted_proxies"])

        assert network.is_private
        assert network.prefixlen >= 14


def mount_secret(folder: Path) -> Path:
    """Lay the Secret into *folder* as the kubelet does; return the users file.

    Files are links into a folder that is exchanged as a whole, which everybody may
    enter and the group may read.
    """
    secret = get_manifest("forwardauth.yaml", "Secret", "forwardauth-users")
    volumes = {each["name"]: each for each in service_pod()["volumes"]}
    version = folder / "..2026_11_27"
    version.mkdir()
    (folder / "..data").symlink_to(version.name)
    name: str
    text: str
    ((name, text),) = secret["stringData"].items()
    (version / name).write_text(text)
    (version / name).chmod(volumes["users"]["secret"]["defaultMode"])
    (folder / name).symlink_to(f"..data/{name}")
    return folder / name


class TestNetwork:
    """Who may reach the service, whose word about clients is believed."""

    def test_nobody_gets_in_by_default(self) -> None:
        """The policy beside the Deployment selects its pods and opens no way to ask."""
        policy = get_manifest("forwardauth.yaml", "NetworkPolicy", "forwardauth")
        labels = get_manifest("forwardauth.yaml", "Deployment", "forwardauth")["spec"]

        assert policy["spec"]["podSelector"] == labels["selector"]
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [
            [{"protocol": "TCP", "port": "management"}]
        ]
        assert policy["spec"]["egress"] == []

    def test_only_named_pods_of_a_named_namespace_may_ask(self) -> None:
        """The port for questions is opened to a proxy's pods, never to a namespace."""
        asking = [
            (policy, peer)
            for policy, peer, ports in peers()
            if ports == [{"protocol": "TCP", "port": "http"}]
        ]

        assert len(asking) == 3
        for policy, peer in asking:
            assert policy["spec"]["podSelector"]["matchLabels"]
            assert peer.keys() == {"namespaceSelector", "podSelector"}
            assert all(each["matchLabels"] for each in peer.values())

    def test_every_proxy_brings_its_policy(self) -> None:
        """Each file that leads to the service opens the way for its own proxy."""
        for file in ("ingress-nginx.yaml", "traefik.yaml", "gateway.yaml"):
            assert len(of_kind(file, "NetworkPolicy")) == 1


class TestAgreement:
    """What several files say of one thing is the same."""

    def test_gateways_pass_on_what_the_shipped_envoy_does(self) -> None:
        """Both lists of headers are those of ``deploy/envoy``, and of each other."""
        envoy = (DEPLOY / "envoy/envoy.yaml").read_text()
        policy = get_manifest("envoy-gateway.yaml", "SecurityPolicy", "forwardauth")
        asking = policy["spec"]["extAuth"]
        allowed = envoy.partition(" allowed_headers:")[2].partition("http_service:")[0]
        names = [
            line.split()[2].rstrip("}")
            for line in allowed.splitlines()
            if "exact" in line
        ]

        assert asking["headersToExtAuth"] == names
        assert asking["http"]["headersToBackend"] == IDENTITY
        for route in of_kind("gateway-external-auth.yaml", "HTTPRoute"):
            filters = route["spec"]["rules"][0]["filters"]
            assert filters[1]["externalAuth"]["http"] == {
                "path": asking["http"]["path"],
                "allowedHeaders": names,
                "allowedResponseHeaders": IDENTITY,
            }
            assert len(filters[0]["requestHeaderModifier"]["remove"]) <= 16

    def test_traefik_is_told_what_the_shipped_one_is(self) -> None:
        """The Middlewares are those of ``deploy/traefik``, but for the address."""
        routes = yaml.safe_load((DEPLOY / "traefik/dynamic/routes.yaml").read_text())
        middlewares = routes["http"]["middlewares"]
        shipped = middlewares["forwardauth"]["forwardAuth"]
        middleware = get_manifest("traefik.yaml", "Middleware", "forwardauth")
        ours = middleware["spec"]["forwardAuth"]
        clean = get_manifest("traefik.yaml", "Middleware", "clean")

        assert ours.pop("address").endswith(":9091/verify/traefik")
        assert shipped.pop("address").endswith(":9091/verify/traefik")
        assert ours == shipped
        assert clean["spec"] == middlewares["clean"]

    def test_traefik_cleans_what_comes_in(self) -> None:
        """The values of the Helm chart name the Middleware of the shipped file."""
        clean = get_manifest("traefik.yaml", "Middleware", "clean")["metadata"]
        page = (DEPLOY.parent / "docs/proxies/kubernetes.md").read_text("utf-8")

        name = f"{clean['namespace']}-{clean['name']}@kubernetescrd"

        assert f"- --entryPoints.websecure.http.middlewares={name}\n" in page

    def test_answers_are_never_kept(self) -> None:
        """No annotation turns on the cache that hides a logout for minutes."""
        annotations = {
            name
            for ingress in of_kind("ingress-nginx.yaml", "Ingress")
            for name in ingress["metadata"].get("annotations", {})
        }

        assert not any("auth-cache" in name for name in annotations)

    def test_every_asked_host_has_its_logout(self) -> None:
        """ingress-nginx hands ``/logout`` of each protected host to the service."""
        logout = get_manifest("ingress-nginx.yaml", "Ingress", "logout")["spec"]
        asked = get_manifest("ingress-nginx.yaml", "Ingress", "applications")["spec"]

        assert {
            (rule["host"], path["path"], path["pathType"])
            for rule in logout["rules"]
            for path in rule["http"]["paths"]
        } == {(rule["host"], "/logout", "Exact") for rule in asked["rules"]}
