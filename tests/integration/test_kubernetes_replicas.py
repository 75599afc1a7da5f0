"""Two instances and their Redis, as ``forwardauth-replicas.yaml`` sets them up.

The fields of the objects are for ``test_kubernetes.py``; here their commands run with
their configuration, as three processes.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.binaries import require_binary
from tests.support.compose import substitute
from tests.support.dockerfile import read_stages, the
from tests.support.manifests import get_manifest, of_kind
from tests.support.processes import Process, free_ports
from tests.support.proxies import DEPLOY
from tests.support.service import PASSWORD, write_users
from tests.support.serving import Peer

FILE: Final = "forwardauth-replicas.yaml"
IMAGE: Final = read_stages()[-1]
APPLICATION: Final = "app1.example.com"


def pod_of(name: str) -> Any:
    """Return the template of the pods of the StatefulSet *name*."""
    return get_manifest(FILE, "StatefulSet", name)["spec"]["template"]["spec"]


def container_of(name: str) -> Any:
    """Return the one container of the StatefulSet *name*."""
    (container,) = pod_of(name)["containers"]
    return container


def configuration(name: str, file: str) -> str:
    """Return what *file* of the ConfigMap *name* holds."""
    text = get_manifest(FILE, "ConfigMap", name)["data"][file]
    assert isinstance(text, str)
    return text


class TestObjects:
    """What the objects promise together."""

    def test_one_instance_is_always_there(self) -> None:
        """Two of them, on different nodes where there are some, never gone at once."""
        spec = get_manifest(FILE, "StatefulSet", "forwardauth")["spec"]
        budget = get_manifest(FILE, "PodDisruptionBudget", "forwardauth")["spec"]
        (spread,) = pod_of("forwardauth")["topologySpreadConstraints"]

        assert spec["replicas"] == 2
        assert budget["selector"] == spec["selector"] == spread["labelSelector"]
        assert budget["maxUnavailable"] == 1

    def test_instance_has_time_to_go(self) -> None:
        """The pause, the drain and what comes after it fit into the grace period."""
        pod = pod_of("forwardauth")
        pause = container_of("forwardauth")["lifecycle"]["preStop"]["sleep"]["seconds"]

        assert pod["terminationGracePeriodSeconds"] >= pause + 15

    def test_each_instance_has_a_journal_of_its_own(self) -> None:
        """What one has promised is on its own volume, under its own name."""
        spec = get_manifest(FILE, "StatefulSet", "forwardauth")["spec"]
        session = yaml.safe_load(configuration("forwardauth", "config.yaml"))["session"]
        mounts = {
            mount["name"]: mount["mountPath"]
            for mount in container_of("forwardauth")["volumeMounts"]
        }
        (claim,) = spec["volumeClaimTemplates"]

        assert session.keys() == {"journal"}
        assert Path(session["journal"]).parent == Path(
            mounts[claim["metadata"]["name"]]
        )
        assert of_kind(FILE, "Service")[1]["metadata"]["name"] == spec["serviceName"]

    def test_redis_is_the_one_of_the_compose_file(self) -> None:
        """Its settings, image and health check are those that are tested there."""
        path = DEPLOY / "redis/docker-compose.redis.yaml"
        redis = yaml.safe_load(path.read_text("utf-8"))["services"]["redis"]
        container = container_of("redis")
        ping = container["livenessProbe"]["exec"]["command"]

        shipped = (DEPLOY / "redis/redis.conf").read_text("utf-8")

        assert configuration("redis", "redis.conf") == shipped
        assert container["image"] == redis["image"]
        assert container["command"] == redis["command"]
        assert ping == redis["healthcheck"]["test"][1:]

    def test_only_the_service_reaches_redis(self) -> None:
        """One way in, for its pods, and the same way out of them."""
        redis = get_manifest(FILE, "NetworkPolicy", "redis")["spec"]
        service = get_manifest(FILE, "NetworkPolicy", "forwardauth")["spec"]
        (way_in,) = redis["ingress"]
        way_out, names = service["egress"]

        assert way_in["from"] == [{"podSelector": service["podSelector"]}]
        assert redis["egress"] == []
        assert way_out["to"] == [{"podSelector": redis["podSelector"]}]
        assert {each["port"] for each in names["ports"]} == {53}

    def test_configuration_is_that_of_one_instance_but_for_the_store(self) -> None:
        """Whoever changes from one file to the other changes nothing else."""
        alone = get_manifest("forwardauth.yaml", "ConfigMap", "forwardauth")
        before = yaml.safe_load(alone["data"]["config.yaml"])
        after = yaml.safe_load(configuration("forwardauth", "config.yaml"))

        before["session"].pop("store")

        assert after == before


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[list[Peer]]:
    """Two instances, started by the command of their container, on one Redis."""
    store, *ports = free_ports(3)
    subprocess.run([DEPLOY / "redis/make-secrets"], cwd=tmp_path, check=True)  # noqa: S603
    secret = tmp_path / "secrets/session_store"
    places = {"@redis:6379/": f"@127.0.0.1:{store}/"}
    secret.write_text(substitute(secret.read_text(), places))
    (tmp_path / "users").mkdir()
    write_users(tmp_path / "users")
    with ExitStack() as stack:
        stack.enter_context(prepare_redis(tmp_path, store))
        for number, port in enumerate(ports):
            folder = tmp_path / f"forwardauth-{number}"
            folder.mkdir()
            stack.enter_context(prepare_instance(folder, port))
        yield [Peer(address=port) for port in ports]


def prepare_redis(folder: Path, port: int) -> Process:
    """Return the Redis of the StatefulSet, not yet started."""
    for name in ("redis", "etc"):
        (folder / name).mkdir()
    places = {
        "/run/secrets/": f"{folder}/secrets/",
        "/etc/redis/": f"{folder}/etc/",
        "/data": f"{folder}/redis",
        "port 6379": f"port {port}",
    }
    settings = substitute(configuration("redis", "redis.conf"), places)
    (folder / "etc/redis.conf").write_text(settings)
    program, *arguments = container_of("redis")["command"]
    return Process(
        "redis of the StatefulSet",
        [require_binary(program), *(substitute(each, places) for each in arguments)],
        log=folder / "redis.log",
        ports=[port],
    )


def prepare_instance(folder: Path, port: int) -> Process:
    """Return an instance of the StatefulSet, which has *folder* as its volume."""
    top = folder.parent
    places = {
        "/secrets/": f"{top}/secrets/",
        "/config/": f"{folder}/",
        "/users/": f"{top}/users/",
        "/data/": f"{folder}/",
        "0.0.0.0:9091": f"127.0.0.1:{port}",
        "management: 0.0.0.0:9191": "management: null",
        "10.244.0.0/16": "127.0.0.1/32",
    }
    text = substitute(configuration("forwardauth", "config.yaml"), places)
    (folder / "config.yaml").write_text(text)
    environment = {
        each["name"]: substitute(each["value"], places)
        for each in container_of("forwardauth")["env"]
    }
    command = [*the(IMAGE, "ENTRYPOINT").words, *the(IMAGE, "CMD").words]
    program, *arguments = [substitute(word, places) for word in command]
    return Process(
        folder.name,
        [require_binary(program), *arguments],
        log=folder / "log",
        ports=[port],
        environment=environment,
    )


def test_logout_at_one_instance_holds_at_the_other(instances: list[Peer]) -> None:
    """Signed in at one, known to both; signed out at the other, known to none."""
    one, other = instances
    token = one.sign_in(password=PASSWORD)
    before = [each.verify(token, host=APPLICATION).status for each in instances]

    out = other.sign_out(token)

    after = [each.verify(token, host=APPLICATION).status for each in instances]
    assert before == [200, 200]
    assert out.status == 200
    assert after == [401, 401]
