"""Wheel and source package: what is in them, and that they run by themselves."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.packages import (
    Environment,
    build,
    contents,
    install,
    metadata,
    shipped,
    unpack,
)
from tests.support.processes import Process, free_ports
from tests.support.repository import ROOT
from tests.support.serving import Peer, write_installation


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source package, unpacked."""
    built = build(ROOT, tmp_path_factory.mktemp("sdist"), kind="sdist")
    return unpack(built, tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, sdist: Path) -> Path:
    """The wheel, built from the source package, as installers do."""
    return build(sdist, tmp_path_factory.mktemp("wheel"), kind="wheel")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    """The wheel in an environment of its own, away from the repository."""
    return install(wheel, tmp_path_factory.mktemp("installed") / "venv")


def project() -> Any:
    """Return what ``pyproject.toml`` says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


class TestWheel:
    """What an installer is given."""

    def test_wheel_is_the_package_and_nothing_else(self, wheel: Path) -> None:
        """Templates, static files, languages and the mark for types; no tests."""
        names = {name for name in contents(wheel) if ".dist-info/" not in name}

        assert names == shipped()
        assert "forwardauth/py.typed" in names
        kinds = {Path(name).suffix for name in names}
        assert {".html", ".css", ".js", ".svg", ".po"} <= kinds

    def test_source_package_makes_the_same_wheel(
        self, wheel: Path, tmp_path: Path
    ) -> None:
        """Nothing is lost on the way through the source package."""
        direct = build(ROOT, tmp_path, kind="wheel")

        assert direct.name == wheel.name
        assert contents(direct) == contents(wheel)

    def test_metadata_says_what_the_project_does(self, wheel: Path) -> None:
        """Licence, Python, readme, and each dependency with its bound."""
        told, declared = metadata(wheel), project()

        needed = {
            re.sub(r"[ ()]", "", each)
            for each in told.get_all("Requires-Dist", [])
            if "extra ==" not in each
        }

        assert told["Name"] == "forwardauth"
        assert told["License-Expression"] == declared["license"]
        assert told["License-File"] == "LICENSE"
        assert told["Requires-Python"] == declared["requires-python"]
        assert told["Description-Content-Type"] == "text/markdown"
        assert told.get_all("Classifier") == declared["classifiers"]
        assert told.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
        assert {each.lower() for each in needed} == {
            each.lower() for each in declared["dependencies"]
        }


class TestSourcePackage:
    """What distributions build from, and run the tests of."""

    def test_nothing_that_was_made_here_is_in_it(self, sdist: Path) -> None:
        """No caches, no byte code, no environment, nothing that npm has got."""
        stray = [
            path.relative_to(sdist).as_posix()
            for path in sdist.rglob("*")
            if re.search(
                r"__pycache__|node_modules|\.pyc$|/\.venv|_cache|\.egg-info|\.db\b",
                path.relative_to(sdist).as_posix(),
            )
        ]

        assert not stray

    def test_everything_that_its_tests_need_is_in_it(self, sdist: Path) -> None:
        """Whatever the repository has at its top, but for what was made there."""
        dotted = {".ci", ".dockerignore", ".github"}
        made = re.compile(r"build|dist|.*\.(db|journal|key)\b.*")
        top = {
            path.name
            for path in ROOT.iterdir()
            if path.name in dotted or not path.name.startswith(".")
            if not made.fullmatch(path.name)
        }

        assert top - {path.name for path in sdist.iterdir()} == set()


class TestInstalled:
    """The wheel, away from the repository."""

    def test_version_is_that_of_the_project(
        self, installed: Environment, tmp_path: Path
    ) -> None:
        """The command is there, and the package that it runs is the installed one."""
        version = project()["version"]

        told = installed.run("--version", folder=tmp_path)

        assert told == f"0: forwardauth, version {version}\n"
        assert list(installed.folder.rglob("forwardauth/cli/main.py"))

    def test_configuration_is_checked(
        self, installed: Environment, tmp_path: Path
    ) -> None:
        """The complete one passes; the list of public suffixes is at hand."""
        config = Path(shutil.copy(ROOT / "config.yaml", tmp_path))
        shutil.copy(ROOT / "users.yaml", tmp_path)

        good = installed.run("config", "check", folder=tmp_path)
        config.write_text(config.read_text().replace("example.com", "co.uk"))
        bad = installed.run("config", "check", folder=tmp_path)

        assert good.startswith("0: ")
        assert bad.startswith("2: ")
        assert "public suffix" in bad

    def test_service_runs(self, installed: Environment, tmp_path: Path) -> None:
        """Verify, the login page in another language and its files are answered."""
        port, management = free_ports(2)
        server = f"  listen: 127.0.0.1:{port}\n  management: 127.0.0.1:{management}\n"
        write_installation(tmp_path, server=server, store="sqlite:sessions.db")
        process = Process(
            "forwardauth, installed",
            [installed.command, "serve", "--config", tmp_path / "config.yaml"],
            log=tmp_path / "log",
            ports=[port, management],
            environment={"PYTHONPATH": ""},
        )

        with process:
            peer = Peer(address=port)
            https = ("X-Forwarded-Proto", "https")
            refused = peer.verify(None)
            passed = peer.verify(peer.sign_in())
            page = peer.send(
                "GET", "/login", headers=[https, ("Accept-Language", "de")]
            )
            style = re.search(rb'href="([^"]+\.css[^"]*)"', page.body)
            assert style is not None
            file = peer.send("GET", style[1].decode(), headers=[https])

        assert (refused.status, passed.status) == (401, 200)
        assert page.status == 200
        assert b"Anmelden" in page.body
        assert (file.status, bool(file.body)) == (200, True)
        assert str(ROOT) not in process.tail()
