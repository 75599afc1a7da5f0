"""The container image, as far as it can be had without a container.

``script/image`` builds and starts it; here its commands run in plain environments.
"""

import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

from tests.support.dockerfile import (
    all_of,
    context,
    labels,
    read_stages,
    run_line,
    the,
    variables,
)
from tests.support.locks import (
    BUILD,
    SERVICE,
    closure,
    read_lock,
    wanted_by_build,
    wanted_by_service,
)
from tests.support.processes import Process, free_ports
from tests.support.repository import ROOT
from tests.support.serving import Peer, write_installation

_, BUILDING, FINAL = read_stages()
LOCKS: Final = {
    "service": (SERVICE, wanted_by_service()),
    "build": (BUILD, wanted_by_build()),
}


class TestLock:
    """What the image is made of is known before it is built."""

    @pytest.mark.parametrize(("path", "wanted"), LOCKS.values(), ids=LOCKS.keys())
    def test_lock_is_in_step_with_the_project(
        self, path: Path, wanted: list[Requirement]
    ) -> None:
        """Everything needed is there, within its bounds, and nothing that is not.

        ``script/lock`` writes it anew after a change of ``pyproject.toml``.
        """
        pins = read_lock(path)

        needed = closure(wanted)

        assert pins.keys() == needed.keys()
        outside = [
            f"{name} {pins[name].version} is not {requirement.specifier}"
            for name, requirements in needed.items()
            for requirement in requirements
            if not requirement.specifier.contains(pins[name].version)
        ]
        assert not outside

    @pytest.mark.parametrize("path", [SERVICE, BUILD], ids=["service", "build"])
    def test_lock_names_no_place(self, path: Path) -> None:
        """Where packages come from is for the machine that builds to say."""
        text = path.read_text("utf-8")

        assert not re.search(r"://|^--(?!hash)|@ ", text, re.MULTILINE)


class TestDockerfile:
    """What the file says, instruction by instruction."""

    def test_programs_are_started_without_a_shell(self) -> None:
        """Each is a list, so that signals reach the service itself."""
        commands = [
            the(FINAL, keyword).words
            for keyword in ("ENTRYPOINT", "CMD", "HEALTHCHECK")
        ]

        assert all(commands)
        assert the(FINAL, "STOPSIGNAL").text == "SIGTERM"
        assert commands[2][0] == commands[0][0] == "forwardauth"

    def test_service_is_nobody_in_particular(self) -> None:
        """A user without a name, by number, and one folder that is its own."""
        (made,) = all_of(FINAL, "RUN")
        user, _, group = the(FINAL, "USER").text.partition(":")

        assert int(user) == int(group) >= 10_000
        assert f"chown {user}:{group} /data" in made.text
        assert the(FINAL, "VOLUME").text == the(FINAL, "WORKDIR").text == "/data"

    def test_nothing_that_builds_is_left(self) -> None:
        """The last stage takes over one folder, in which pip has never been."""
        copied = [each.text for each in all_of(FINAL, "COPY")]

        assert copied == ["--from=build /opt/forwardauth /opt/forwardauth"]
        assert "--without-pip /opt/forwardauth" in all_of(BUILDING, "RUN")[0].text
        assert not any("pip" in each.text for each in all_of(FINAL, "RUN"))

    def test_packages_are_those_of_the_lock(self) -> None:
        """Whatever pip gets from elsewhere has a hash; the rest needs no network."""
        installs = [
            part
            for each in all_of(BUILDING, "RUN")
            for part in each.text.split("&&")
            if re.search(r"-m pip .*\binstall\b", part)
        ]

        assert len(installs) == 3
        assert all("--require-hashes" in i or "--no-index" in i for i in installs)
        assert all("--no-deps" in install for install in installs)

    def test_build_sees_what_it_copies_and_no_more(self) -> None:
        """No users, keys or history get near the image."""
        copied = {
            name for each in all_of(BUILDING, "COPY") for name in each.text.split()[:-1]
        }

        assert copied == context()
        assert all((ROOT / name).exists() for name in copied)

    def test_labels_say_what_the_project_says(self) -> None:
        """Title, licence and version are those of ``pyproject.toml``."""
        read = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        arguments = dict(each.text.split("=") for each in all_of(FINAL, "ARG"))

        told = labels(FINAL)

        assert told["title"] == read["name"]
        assert told["description"] == read["description"]
        assert told["licenses"] == read["license"]
        assert arguments["VERSION"] == read["version"]
        assert told["version"] == "${VERSION}"
        assert told["revision"] == "${REVISION}"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's ``/opt``, made by the commands of the build stage.

    What the lock names is not fetched again: the environment of the tests has it.
    """
    opt = tmp_path_factory.mktemp("opt")
    source = tmp_path_factory.mktemp("src")
    places = {"/opt": opt, "/dist": tmp_path_factory.mktemp("dist")}
    for copied in all_of(BUILDING, "COPY"):
        for name in copied.text.split()[:-1]:
            _copy(ROOT / name, source / name)
    for command in all_of(BUILDING, "RUN"):
        if "--require-hashes" not in command.text:
            run_line(command, places=places, folder=source)
            continue
        for packages in opt.glob("*/lib/python3*/site-packages"):
            link = packages / "locked.pth"
            link.write_text(f"{sysconfig.get_path('purelib')}\n")
    return opt


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy(source, target)


def place(words: list[str], image: Path, config: Path) -> list[str]:
    """Return a command of the image with this machine's places in it."""
    found = [word.replace("/config/config.yaml", str(config)) for word in words]
    if found[0] == "forwardauth":
        found[0] = str(image / "forwardauth/bin/forwardauth")
    return found


class TestCommands:
    """The commands of the file, run for real."""

    def test_image_has_no_pip_and_its_byte_code(self, image: Path) -> None:
        """Nothing more can be installed, and nothing has to be written at a start."""
        packages = next((image / "forwardauth/lib").glob("python3*/site-packages"))
        own = packages / "forwardauth"

        assert not (packages / "pip").exists()
        assert not (packages / "setuptools").exists()
        assert list(own.glob("__pycache__/app.*.pyc"))
        assert (own / "web/templates/base.html").is_file()

    def test_service_starts_is_well_and_ends_on_its_signal(
        self, image: Path, tmp_path: Path
    ) -> None:
        """Entry point, command, health check and stop signal fit together."""
        port, management = free_ports(2)
        server = f"  listen: 127.0.0.1:{port}\n  management: 127.0.0.1:{management}\n"
        config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
        command = [*the(FINAL, "ENTRYPOINT").words, *the(FINAL, "CMD").words]
        environment: Mapping[str, str] = {
            **{k: v for k, v in variables(FINAL).items() if k != "PATH"},
            "PYTHONPATH": "",
        }
        process = Process(
            "the image's command",
            place(command, image, config),
            log=tmp_path / "log",
            ports=[port, management],
            environment=environment,
        )
        check = place(the(FINAL, "HEALTHCHECK").words, image, config)

        with process:
            well = _status(check, environment)
            verified = Peer(address=port).verify(Peer(address=port).sign_in())
            ended = process.stop(_signal())
        gone = _status(check, environment)

        assert (well, verified.status, ended, gone) == (0, 200, 0, 1)
        assert str(ROOT) not in process.tail()


def _signal() -> signal.Signals:
    return signal.Signals[the(FINAL, "STOPSIGNAL").text]


def _status(command: list[str], environment: Mapping[str, str]) -> int:
    return subprocess.run(  # noqa: S603 - the commands of the repository
        command,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=30,
    ).returncode
