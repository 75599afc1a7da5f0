"""The compose files by their schema, and Redis as the option that lies over them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.binaries import require_binary
from tests.support.compose import (
    REDIS,
    SECRETS,
    merge,
    mounted,
    read_compose,
    schema_problems,
    substitute,
)
from tests.support.dockerfile import read_stages, the
from tests.support.processes import Process, free_ports
from tests.support.proxies import DEPLOY
from tests.support.service import PASSWORD, write_users
from tests.support.serving import Peer

COMPOSE: Final = {
    f"{path.parent.name}/{path.name}": path
    for path in sorted(DEPLOY.glob("*/docker-compose*.yaml"))
    if path != REDIS
}
IMAGE: Final = read_stages()[-1]
APPLICATION: Final = "app1.example.com"


@pytest.fixture(params=sorted(COMPOSE))
def merged(request: pytest.FixtureRequest) -> Any:
    """Return each compose file with Redis laid over it."""
    return merge(read_compose(COMPOSE[request.param]), read_compose(REDIS))


class TestSchema:
    """What ``docker compose`` would refuse."""

    def test_every_file_is_valid(self, tmp_path: Path) -> None:
        """By the schema of the Compose Specification, alone and with Redis over it."""
        together = []
        for name, path in COMPOSE.items():
            both = tmp_path / name.replace("/", "-")
            both.write_text(
                yaml.safe_dump(merge(read_compose(path), read_compose(REDIS)))
            )
            together.append(both)

        assert schema_problems(*COMPOSE.values(), REDIS, *together) == ""

    def test_misspelt_key_is_noticed(self, tmp_path: Path) -> None:
        """The check above can fail."""
        path = tmp_path / "compose.yaml"
        path.write_text(REDIS.read_text().replace("cap_drop", "cap_drops"))

        assert "cap_drops" in schema_problems(path)


class TestMerged:
    """What becomes of each compose file with Redis."""

    def test_redis_is_out_of_reach(self, merged: Any) -> None:
        """No port, no network but that of the service, and nothing it may not do."""
        services = merged["services"]
        redis = services["redis"]
        beside = {name for name, s in services.items() if "store" in s["networks"]}

        assert beside == {"redis", "forwardauth"}
        assert redis["networks"] == ["store"]
        assert merged["networks"]["store"]["internal"] is True
        assert "ports" not in redis
        assert redis["cap_drop"] == ["ALL"]
        assert redis["read_only"] is True
        assert redis["user"].split(":")[0] != "0"

    def test_service_is_still_asked_by_the_proxy(self, merged: Any) -> None:
        """It keeps its network and its folders; what is added are two secrets."""
        service = merged["services"]["forwardauth"]

        assert service["networks"] == ["proxy", "store"]
        assert "data:/data" in service["volumes"]
        assert sorted(service["environment"].values()) == sorted(
            f"{SECRETS}{name}" for name in service["secrets"]
        )
        assert {*service["secrets"], "redis_users"} == merged["secrets"].keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The services of a merged file, as processes."""

    peer: Peer
    redis: Process
    environment: dict[str, str]
    healthy: list[str]


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Run the commands of the service and of Redis, on this machine."""
    project = DEPLOY / "nginx"
    merged = merge(read_compose(project / "docker-compose.yaml"), read_compose(REDIS))
    port, store = free_ports(2)
    for name in ("redis", "data", "config"):
        (folder / name).mkdir()
    subprocess.run([DEPLOY / "redis/make-secrets"], cwd=folder, check=True)  # noqa: S603
    places = {
        SECRETS: f"{folder}/secrets/",
        "/etc/redis/": f"{folder}/config/",
        "/config/": f"{folder}/config/",
        "/data": f"{folder}/redis",
        "port 6379": f"port {store}",
        "@redis:6379/": f"@127.0.0.1:{store}/",
    }
    secret = folder / "secrets/session_store"
    secret.write_text(substitute(secret.read_text(), places))
    redis = merged["services"]["redis"]
    settings = mounted(redis, "/etc/redis/redis.conf", project=project)
    (folder / "config/redis.conf").write_text(substitute(settings.read_text(), places))
    service = merged["services"]["forwardauth"]
    shutil.copy(
        mounted(service, "/config", project=project) / "config.yaml", folder / "config"
    )
    users = write_users(folder)
    environment = {
        **{n: substitute(v, places) for n, v in service["environment"].items()},
        "FORWARDAUTH_SESSION__JOURNAL": str(folder / "data/revocations.journal"),
        "FORWARDAUTH_SERVER__LISTEN": f"127.0.0.1:{port}",
        "FORWARDAUTH_SERVER__MANAGEMENT": "null",
        "FORWARDAUTH_SERVER__TRUSTED_PROXIES": "127.0.0.1/32",
        "FORWARDAUTH_USERS__FILE": str(users),
    }
    command = [*the(IMAGE, "ENTRYPOINT").words, *the(IMAGE, "CMD").words]
    program, *arguments = [substitute(word, places) for word in command]
    with (
        Process(
            "redis of the compose file",
            [
                require_binary(redis["command"][0]),
                *(substitute(word, places) for word in redis["command"][1:]),
            ],
            log=folder / "redis.log",
            ports=[store],
        ) as server,
        Process(
            "service of the compose file",
            [require_binary(program), *arguments],
            log=folder / "service.log",
            ports=[port],
            environment=environment,
        ),
    ):
        yield Running(
            peer=Peer(address=port),
            redis=server,
            environment=environment,
            healthy=[require_binary("redis-cli"), "-p", str(store)],
        )


def answer(*command: str) -> str:
    """Return what a program prints, whatever its status."""
    done = subprocess.run(  # noqa: S603 - the commands of the compose file
        command, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def test_services_run_as_the_file_says(tmp_path: Path) -> None:
    """Sign-in, verify and logout on a Redis that lets nobody else do anything."""
    health = read_compose(REDIS)["services"]["redis"]["healthcheck"]["test"]
    with running(tmp_path) as it:
        config = tmp_path / "config/config.yaml"
        token = it.peer.sign_in(password=PASSWORD)
        signed_in = it.peer.verify(token, host=APPLICATION)
        pong = answer(*it.healthy, *health[2:])
        stranger = answer(*it.healthy, "GET", "x")
        intruder = answer(*it.healthy, *health[2:-1], "KEYS", "*")
        checked = subprocess.run(  # noqa: S603 - our own command
            [require_binary("forwardauth"), "config", "check", config],
            env={**os.environ, **it.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        it.redis.kill()
        it.redis.start()
        kept = it.peer.verify(token, host=APPLICATION)
        out = it.peer.sign_out(token)
        gone = it.peer.verify(token, host=APPLICATION)

    assert health[:2] == ["CMD", "redis-cli"]
    assert (signed_in.status, kept.status, out.status, gone.status) == (
        *(200, 200),
        *(200, 401),
    )
    assert pong == "PONG"
    assert stranger.startswith("NOAUTH")
    assert intruder.startswith("NOPERM")
    assert checked.returncode == 0, checked.stderr
    assert "appendfsync" not in checked.stderr
    assert "noeviction" not in checked.stderr


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """Made anew they would end every login, so a second run changes nothing."""
    command = DEPLOY / "redis/make-secrets"
    subprocess.run([command], cwd=tmp_path, check=True)  # noqa: S603 - ours
    folder = tmp_path / "secrets"
    before = {path.name: path.read_text() for path in folder.iterdir()}

    again = subprocess.run([command], cwd=tmp_path, check=False)  # noqa: S603 - ours

    assert again.returncode == 1
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert len(before["session_secret"]) == 64
    assert "PASSWORD" not in before["redis_users"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
