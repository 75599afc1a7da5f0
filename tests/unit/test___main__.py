"""``python -m forwardauth``, and the installed command: real processes."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

from tests.support.configuration import COMPLETE, write_config

WATCH: Final = """\
import importlib.metadata, runpy, signal, sys

def watch(event, arguments):
    package = str(arguments[0]).partition(".")[0] if event == "import" else ""
    if package and package not in {"forwardauth", *sys.stdlib_module_names}:
        told = [signal.SIGHUP, signal.SIGUSR1, signal.SIGINT]
        print(package, *[signal.getsignal(x).name for x in told], flush=True)
        os._exit(0)

import os
# Whoever runs the tests may ignore what the command is to find as it is by default.
for each in (signal.SIGHUP, signal.SIGUSR1):
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
way, *sys.argv = sys.argv[1:]
(script,) = importlib.metadata.entry_points(
    group="console_scripts", name="forwardauth"
)
sys.addaudithook(watch)
if way == "module":
    runpy.run_module("forwardauth", run_name="__main__", alter_sys=True)
else:
    script.load()()
"""
"""Says what becomes of three signals when the first package of others is imported."""

ASKED: Final = """\
import atexit, signal, sys
from forwardauth.__main__ import run

signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(lambda: print(signal.getsignal(signal.SIGINT).__name__))
sys.argv = ["forwardauth", "--version"]
run()
"""
"""Says what becomes of Ctrl-C when the command has run."""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* in *folder* with nothing of ours in the environment."""
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env={}, capture_output=True, text=True, check=False
    )


def test_a_mistake_ends_a_real_process_with_status_2(tmp_path: Path) -> None:
    """The problem stands on standard error, and nothing else anywhere."""
    write_config(tmp_path, COMPLETE + "logout: {scope: x}\n")

    finished = run(tmp_path, sys.executable, "-m", "forwardauth", "config", "check")

    assert finished.returncode == 2
    assert finished.stdout == ""
    first, second = finished.stderr.splitlines()
    assert first.startswith("config.yaml:2: users.file: ")
    assert second.startswith("config.yaml:6: logout.scope: 'x' is not a scope;")


def test_the_installed_command_tells_its_version(tmp_path: Path) -> None:
    """``--version`` needs no configuration."""
    installed = Path(sys.executable).with_name("forwardauth")

    finished = run(tmp_path, str(installed), "--version")

    assert finished.returncode == 0
    assert finished.stdout == f"forwardauth, version {version('forwardauth')}\n"


@pytest.mark.parametrize("way", ["module", "script"])
@pytest.mark.parametrize(
    ("command", "disposition"), [("serve", "SIG_IGN"), ("users", "SIG_DFL")]
)
def test_service_outlives_requests_before_it_loads_anything(
    tmp_path: Path, way: str, command: str, disposition: str
) -> None:
    """A reload and a rotation end no service that starts; Ctrl-C ends all silently."""
    finished = run(tmp_path, sys.executable, "-c", WATCH, way, "forwardauth", command)

    assert finished.stdout.split() == ["click", disposition, disposition, "SIG_DFL"]


def test_command_is_interrupted_as_any_other(tmp_path: Path) -> None:
    """From when it runs, Ctrl-C is an exception again, of which a command can tell."""
    finished = run(tmp_path, sys.executable, "-c", ASKED)

    assert finished.stdout.split()[-1] == "default_int_handler"
