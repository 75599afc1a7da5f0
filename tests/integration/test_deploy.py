"""The compose files of ``deploy/``, as far as they can be read without an engine.

That each proxy runs on the files beside them is for ``test_proxies.py``.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from forwardauth.users.reader import load_users
from tests.support.proxies import DEPLOY, PROXIES

ROOT = DEPLOY.parent
COMPOSE = [
    path
    for path in sorted(DEPLOY.glob("*/docker-compose*.yaml"))
    # For what these have in common; test_compose_redis.py lays it over them.
    if path.parent.name != "redis"
]
MIDDLEWARE = "traefik.http.middlewares.forwardauth.forwardauth."
CLEAN = "traefik.http.middlewares.clean.headers.customrequestheaders."


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text())


def host_paths(compose: Any) -> list[str]:
    """Return what the services mount from the repository."""
    mounts = (m for s in compose["services"].values() for m in s.get("volumes", []))
    return [mount.split(":")[0] for mount in mounts if mount.startswith(".")]


@pytest.fixture(params=COMPOSE, ids=lambda path: f"{path.parent.name}/{path.name}")
def path(request: pytest.FixtureRequest) -> Path:
    """Return each compose file in turn."""
    found: Path = request.param
    return found


@pytest.fixture
def compose(path: Path) -> Any:
    """Return its content."""
    return read(path)


def test_every_proxy_ships_a_compose_file() -> None:
    """The parametrisation below has found something to check."""
    assert {path.parent.name for path in COMPOSE} == set(PROXIES)


def test_foreign_images_are_pinned_to_a_version(compose: Any) -> None:
    """What ran yesterday runs today: no image without a number in its tag."""
    images = {s["image"] for s in compose["services"].values() if "build" not in s}

    assert all(any(c.isdigit() for c in image.partition(":")[2]) for image in images)


def test_service_is_confined(compose: Any) -> None:
    """No rights, nothing writable but its volume, and no way in but the proxy."""
    service = compose["services"]["forwardauth"]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's own
    assert "../forwardauth:/config:ro" in service["volumes"]
    assert "data:/data" in service["volumes"]
    assert "data" in compose["volumes"]
    assert "ports" not in service
    assert "user" not in service, "the image's own user is nobody in particular"


def test_service_has_time_to_end_what_it_has_begun(compose: Any) -> None:
    """Engines grant 10 s by themselves, which is what the service takes at most."""
    service = compose["services"]["forwardauth"]

    assert int(service["stop_grace_period"].removesuffix("s")) >= 15


def test_service_is_built_from_the_repository(path: Path, compose: Any) -> None:
    """The build context has the Dockerfile, wherever compose is started from."""
    context = path.parent / compose["services"]["forwardauth"]["build"]

    assert context.resolve() == ROOT
    assert (context / "Dockerfile").is_file()


def test_network_is_the_one_that_is_trusted(compose: Any) -> None:
    """``trusted_proxies`` names the fixed subnet, or every request would be 403."""
    (network,) = compose["networks"].values()
    subnets = [entry["subnet"] for entry in network["ipam"]["config"]]

    config = read(DEPLOY / "forwardauth/config.yaml")

    assert config["server"]["trusted_proxies"] == subnets


def test_mounted_files_are_there(path: Path, compose: Any) -> None:
    """Docker makes a folder of what is missing; only certificates are brought along."""
    missing = [
        name
        for name in host_paths(compose)
        if name != "./certificates" and not (path.parent / name).exists()
    ]

    assert not missing


def test_shipped_users_file_lets_nobody_in() -> None:
    """No example account waits for somebody who knows the example."""
    assert not load_users(DEPLOY / "forwardauth/users.yaml").users


def test_labels_say_what_the_files_say() -> None:
    """The variant with labels has the same middleware and routers."""
    services = read(DEPLOY / "traefik/docker-compose.labels.yaml")["services"]
    labels = {
        key.lower(): value
        for service in services.values()
        for key, value in service.get("labels", {}).items()
    }
    routes = read(DEPLOY / "traefik/dynamic/routes.yaml")["http"]

    removed = routes["middlewares"]["clean"]["headers"]["customRequestHeaders"]
    assert {
        key.removeprefix(CLEAN): value
        for key, value in labels.items()
        if key.startswith(CLEAN)
    } == {key.lower(): value for key, value in removed.items()}
    middleware = routes["middlewares"]["forwardauth"]["forwardAuth"]
    assert {
        key.removeprefix(MIDDLEWARE): value
        for key, value in labels.items()
        if key.startswith(MIDDLEWARE)
    } == {key.lower(): _as_label(value) for key, value in middleware.items()}
    for name, router in routes["routers"].items():
        prefix = f"traefik.http.routers.{name}."
        assert labels[prefix + "rule"] == router["rule"]
        protected = f"{prefix}middlewares" in labels
        assert protected == ("middlewares" in router), name


def test_arguments_say_what_the_static_file_says() -> None:
    """The variant with labels has the entry points of ``traefik.yaml``."""
    services = read(DEPLOY / "traefik/docker-compose.labels.yaml")["services"]
    static = read(DEPLOY / "traefik/traefik.yaml")

    arguments = {argument.lower() for argument in services["traefik"]["command"]}

    for name, point in static["entryPoints"].items():
        prefix = f"--entrypoints.{name}."
        assert f"{prefix}address={point['address']}" in arguments
        strategy = point["http"]["aliasHeadersStrategy"]
        assert f"{prefix}http.aliasheadersstrategy={strategy}" in arguments
        for middleware in point["http"].get("middlewares", []):
            label = middleware.replace("@file", "@docker")
            assert f"{prefix}http.middlewares={label}" in arguments
    assert not any("forwardedheaders" in argument for argument in arguments)
    assert not any("forwardedHeaders" in p for p in static["entryPoints"].values())


def test_same_words_of_the_browser_are_passed_on() -> None:
    """Where a proxy picks what the service gets to read, it is the same everywhere."""
    script = (DEPLOY / "haproxy/forwardauth.lua").read_text()
    (asked,) = re.findall(r"local ASKED = \{(.*?)\}", script, re.DOTALL)
    envoy = (DEPLOY / "envoy/envoy.yaml").read_text()
    (allowed,) = re.findall(r" allowed_headers:(.*?)http_service:", envoy, re.DOTALL)

    names = re.findall(r'"([a-z-]+)"', asked)

    own = {"x-forwarded-for", "x-forwarded-proto"}
    assert "cookie" in names
    assert {*names, *own} == set(re.findall(r"exact: ([a-z-]+)", allowed))


def _as_label(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
