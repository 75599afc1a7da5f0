"""What each controller makes of ``deploy/kubernetes``: a real proxy, set up from it.

Law: what an object says is carried over as it stands, name by name; a value is replaced
only where a name of the cluster's becomes an address of this machine. What surrounds it
(listeners, certificates) is that of the proxy's own folder of ``deploy``.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.binaries import miss, require_binary
from tests.support.certificates import Certificates
from tests.support.ingress_nginx import MODULES, Nginx, render
from tests.support.installation import Installation
from tests.support.manifests import Manifest, get_manifest, of_kind
from tests.support.processes import Process, free_ports
from tests.support.proxies import (
    SITES,
    Backends,
    Gateway,
    prepare_envoy,
    prepare_traefik,
    substitute,
)
from tests.support.service import prepare_service, write_users

_SERVICE: Final = "forwardauth.forwardauth.svc.cluster.local:9091"

Ports = tuple[int, int]


def prepare_ingress_nginx(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: Ports,
    *,
    without: frozenset[str] = frozenset(),
) -> Process:
    """Return nginx as ingress-nginx sets it up; *without* are settings left out."""
    binary = require_binary("nginx")
    if not all(module.exists() for module in MODULES):
        miss("libnginx-mod-http-set-misc")
    settings = get_manifest(
        "ingress-nginx.yaml", "ConfigMap", "ingress-nginx-controller"
    )["data"]
    settings = {k: v for k, v in settings.items() if k not in without}
    (folder / "certificates").mkdir()
    for file in (certificates.certificate, certificates.key):
        shutil.copy(file, folder / "certificates")
    addresses = _addresses(backends)
    text = render(
        of_kind("ingress-nginx.yaml", "Ingress"),
        Nginx(
            folder=folder,
            ports=ports,
            backends=addresses,
            settings=settings,
            headers=_headers_of(settings.get("proxy-set-headers")),
            user="user root;" if os.geteuid() == 0 else "",
        ),
    )
    assert text.count(_SERVICE) == 2 * len(SITES)
    text = text.replace(_SERVICE, addresses["forwardauth"]).replace(
        "https://auth.example.com/", f"https://auth.example.com:{ports[0]}/"
    )
    (folder / "nginx.conf").write_text(text)
    more = ("-p", folder, "-e", "stderr", "-g", "daemon off;")
    return Process(
        "nginx",
        [binary, "-c", folder / "nginx.conf", *more],
        log=folder / "nginx.log",
        ports=ports,
    )


def _headers_of(named: str | None) -> dict[str, str]:
    """Return what the ConfigMap *named*, with its namespace, holds."""
    if named is None:
        return {}
    namespace, _, name = named.partition("/")
    found = get_manifest("ingress-nginx.yaml", "ConfigMap", name)
    assert found["metadata"]["namespace"] == namespace
    headers: dict[str, str] = found["data"]
    return headers


def prepare_traefik_crds(
    folder: Path, certificates: Certificates, backends: Backends, ports: Ports
) -> Process:
    """Return Traefik with the middleware and routes of the custom resources."""
    process = prepare_traefik(folder, certificates, backends, ports)
    static = folder / "traefik.yaml"
    static.write_text(
        substitute(static.read_text(), {r"\bclean@file\b": "traefik-clean@file"})
    )
    addresses = _addresses(backends)
    middlewares: dict[str, Any] = {}
    for each in of_kind("traefik.yaml", "Middleware"):
        spec = each["spec"]
        if asking := spec.get("forwardAuth"):
            address = asking["address"]
            assert _SERVICE in address
            asking["address"] = address.replace(_SERVICE, addresses["forwardauth"])
        middlewares[_qualified(each, each["metadata"]["name"])] = spec
    routers = {
        f"{_qualified(route, route['metadata']['name'])}-{number}": {
            "rule": rule["match"],
            "entryPoints": route["spec"]["entryPoints"],
            "middlewares": [
                _qualified(route, used["name"]) for used in rule.get("middlewares", [])
            ],
            "service": rule["services"][0]["name"],
        }
        for route in of_kind("traefik.yaml", "IngressRoute")
        for number, rule in enumerate(route["spec"]["routes"])
    }
    services = {
        name: {"loadBalancer": {"servers": [{"url": f"http://{address}"}]}}
        for name, address in addresses.items()
    }
    http = {"middlewares": middlewares, "routers": routers, "services": services}
    _dump(folder / "dynamic/routes.yaml", {"http": http})
    tls = folder / "dynamic/tls.yaml"
    content = yaml.safe_load(tls.read_text())
    (option,) = of_kind("traefik.yaml", "TLSOption")
    content["tls"]["options"] = {option["metadata"]["name"]: option["spec"]}
    _dump(tls, content)
    return process


def prepare_envoy_gateway(
    folder: Path, certificates: Certificates, backends: Backends, ports: Ports
) -> Process:
    """Return Envoy with the question that a SecurityPolicy of Envoy Gateway asks."""
    policy = get_manifest("envoy-gateway.yaml", "SecurityPolicy", "forwardauth")["spec"]
    traffic = get_manifest("envoy-gateway.yaml", "ClientTrafficPolicy", "web")["spec"]
    asking = policy["extAuth"]
    return _prepare_envoy(
        folder,
        certificates,
        backends,
        ports,
        filters={each["name"]: asking for each in policy["targetRefs"]},
        question=_question(
            path=asking["http"]["path"],
            sent=asking["headersToExtAuth"],
            copied=asking["http"]["headersToBackend"],
            is_open=asking["failOpen"],
        ),
        early=traffic["headers"]["earlyRequestHeaders"]["remove"],
        underscores=traffic["headers"]["withUnderscoresAction"],
        slashes=traffic["path"]["escapedSlashesAction"],
    )


def prepare_external_auth(
    folder: Path, certificates: Certificates, backends: Backends, ports: Ports
) -> Process:
    """Return Envoy with the question that the filter ExternalAuth asks.

    Of the three routes the filters are the same; ``test_kubernetes.py`` says so.
    """
    routes = of_kind("gateway-external-auth.yaml", "HTTPRoute")
    filters = {
        each["metadata"]["name"]: {
            kind["type"]: kind for kind in each["spec"]["rules"][0]["filters"]
        }
        for each in routes
    }
    asking = filters["app1"]["ExternalAuth"]["externalAuth"]["http"]
    changed = filters["app1"]["RequestHeaderModifier"]["requestHeaderModifier"]
    return _prepare_envoy(
        folder,
        certificates,
        backends,
        ports,
        filters=filters,
        question=_question(
            path=asking["path"],
            sent=asking["allowedHeaders"],
            copied=asking["allowedResponseHeaders"],
            is_open=False,
        ),
        late=changed["remove"],
    )


def _question(
    *, path: str, sent: list[str], copied: list[str], is_open: bool
) -> dict[str, Any]:
    """Return what both ways say to Envoy's filter; the rest is Envoy's default."""

    def exactly(names: list[str]) -> dict[str, Any]:
        return {"patterns": [{"exact": name} for name in names]}

    return {
        "transport_api_version": "V3",
        "failure_mode_allow": is_open,
        "allowed_headers": exactly(sent),
        "http_service": {
            "server_uri": {
                "uri": "http://forwardauth:9091",
                "cluster": "forwardauth",
                "timeout": "10s",
            },
            "path_prefix": path,
            "authorization_response": {"allowed_upstream_headers": exactly(copied)},
        },
    }


def _prepare_envoy(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: Ports,
    *,
    filters: Mapping[str, Any],
    question: dict[str, Any],
    early: list[str] | None = None,
    late: list[str] | None = None,
    underscores: str = "Allow",
    slashes: str = "KeepUnchanged",
) -> Process:
    """Write what the objects say over what ``deploy/envoy`` says of the same things.

    Args:
        folder: Where ``deploy/envoy`` is written to, and the rest of its arguments.
        certificates: As above.
        backends: As above.
        ports: As above.
        filters: By the name of the route that is asked about; no other one is.
        question: Of ``ext_authz``.
        early: Header names to remove before the question.
        late: Header names to remove after it.
        underscores: What happens to a name with an underscore.
        slashes: What happens to an encoded slash.
    """
    process = prepare_envoy(folder, certificates, backends, ports)
    path = folder / "envoy.yaml"
    content = yaml.safe_load(path.read_text())
    manager = content["static_resources"]["listeners"][1]["filter_chains"][0][
        "filters"
    ][0]["typed_config"]
    manager["early_header_mutation_extensions"][0]["typed_config"]["mutations"] = [
        {"remove": name} for name in early or ["x-unused"]
    ]
    manager["common_http_protocol_options"]["headers_with_underscores_action"] = {
        "Allow": "ALLOW",
        "DropHeader": "DROP_HEADER",
    }[underscores]
    manager["path_with_escaped_slashes_action"] = {
        "KeepUnchanged": "KEEP_UNCHANGED",
    }[slashes]
    for host in manager["route_config"]["virtual_hosts"]:
        if host["name"] in filters:
            host["request_headers_to_remove"] = late or []
        else:
            assert host["name"] in {"portal", "nobody"}
    ext_authz = manager["http_filters"][0]["typed_config"]
    kind = ext_authz["@type"]
    ext_authz.clear()
    ext_authz.update({"@type": kind, **question})
    _dump(path, content)
    return process


Prepare = Callable[[Path, Certificates, Backends, Ports], Process]

CONTROLLERS: Final[Mapping[str, Prepare]] = {
    "traefik": prepare_traefik_crds,
    "envoy-gateway": prepare_envoy_gateway,
    "external-auth": prepare_external_auth,
}
"""Each kind of custom resource that protects applications."""


@contextmanager
def cluster(
    name: str, prepare: Prepare, folder: Path, certificates: Certificates
) -> Iterator[Installation]:
    """Run proxy, service and applications as the cluster would have them.

    The service reads the configuration of the ConfigMap. The gateway is called *name*,
    by which the shared scenarios know how a proxy refuses.
    """
    port, plain_port, service_port, *site_ports = free_ports(3 + len(SITES))
    sites = dict(zip(SITES, site_ports, strict=True))
    backends = Backends(services=(service_port,), sites=sites)
    (folder / name).mkdir()
    gateway = Gateway(
        name=name,
        process=prepare(folder / name, certificates, backends, (port, plain_port)),
        port=port,
        plain_port=plain_port,
    )
    config = folder / "config.yaml"
    config.write_text(config_of_map())
    service = prepare_service(
        folder / "service",
        port=service_port,
        portal=gateway.url("auth", ""),
        users=write_users(folder),
        config=config,
    )
    applications = Process(
        "sample applications",
        [
            sys.executable,
            "-m",
            "tests.support.sample_app",
            *(f"{site}={number}" for site, number in sites.items()),
        ],
        log=folder / "applications.log",
        ports=site_ports,
    )
    with ExitStack() as stack:
        for process in (applications, service):
            stack.enter_context(process)
        stack.callback(gateway.process.close)
        gateway.start(certificates.authority)
        yield Installation(
            gateway=gateway, services=(service,), certificates=certificates
        )


def config_of_map() -> str:
    """Return the configuration that the ConfigMap holds."""
    found = get_manifest("forwardauth.yaml", "ConfigMap", "forwardauth")
    text: str = found["data"]["config.yaml"]
    return text


def _addresses(backends: Backends) -> dict[str, str]:
    """Return what each Service of the manifests is on this machine."""
    sites = {name: f"127.0.0.1:{port}" for name, port in backends.sites.items()}
    return {"forwardauth": f"127.0.0.1:{backends.services[0]}", **sites}


def _qualified(manifest: Manifest, name: str) -> str:
    return f"{manifest['metadata']['namespace']}-{name}"


def _dump(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
