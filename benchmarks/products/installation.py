"""Installing by name, with the tool of the language, into one folder for each version.

Law: nothing but the system's packages is installed outside of ``PROGRAMS``, and what
has been installed is used again. A folder that was not finished is begun anew.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.repository import ROOT

PROGRAMS: Final = Path.home() / ".cache" / "forwardauth-bench"
"""Where what has been installed stays for the next run."""

_SECONDS: Final = 1800
"""Go builds a large program for some minutes, on two busy cores for more."""

_PACKAGES: Final = '. script/setup && install_packages "$@"'


class NotInstalledError(Exception):
    """The companion cannot be had on this machine, and why: a sentence for people."""


def installed(name: str, install: Callable[[Path], None]) -> Path:
    """Return the folder *name* of ``PROGRAMS``, which *install* has once filled.

    Raises:
        NotInstalledError: From *install*.
    """
    folder = PROGRAMS / name
    stamp = folder / ".installed"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"--- installing {name} into {folder}", file=sys.stderr)
        install(folder)
        stamp.touch()
    return folder


def tool(name: str) -> str:
    """Return the path of the program *name*, which installs others.

    Raises:
        NotInstalledError: This machine does not have it.
    """
    found = shutil.which(name)
    if found is None:
        raise NotInstalledError(f"it takes {name}, which is not installed")
    return found


def run(
    folder: Path,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run one step of an installation into *folder*; what it prints is kept there.

    Raises:
        NotInstalledError: It failed.
    """
    log = folder / "install.log"
    with log.open("ab") as output:
        try:
            done = subprocess.run(  # noqa: S603 - fixed names
                command,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as exc:
            raise NotInstalledError(f"not within {_SECONDS} s; see {log}") from exc
    if done.returncode != 0:
        step = Path(command[0]).name
        raise NotInstalledError(f"{step} failed with {done.returncode}; see {log}")


def need_packages(why: str, files: Mapping[str, str]) -> None:
    """Install the system's packages whose file is missing, as ``script/setup`` does.

    Args:
        why: For whoever is asked to install them by hand.
        files: Names of packages, by a file that each brings.

    Raises:
        NotInstalledError: This machine cannot.
    """
    for file, package in files.items():
        if Path(file).exists():
            continue
        # One at a time: a package that brings a service is kept from starting it, which
        # systemctl only does where it knows all the names.
        done = subprocess.run(  # noqa: S603 - fixed names
            [tool("bash"), "-c", _PACKAGES, "bash", why, package],
            cwd=ROOT,
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode != 0:
            raise NotInstalledError(f"it takes the system's package {package}")
