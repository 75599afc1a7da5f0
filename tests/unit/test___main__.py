"""``python -m forwardauth``, and the installed command: real processes."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.support.configuration import COMPLETE, write_config


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
