"""The packages of this repository: built, installed elsewhere, and run there."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from tests.support.repository import ROOT

_RUN_SECONDS: Final = 60


def build(source: Path, folder: Path, *, kind: str) -> Path:
    """Build the package of *source* into *folder*, as pip would.

    Args:
        source: Where ``pyproject.toml`` is.
        folder: For the package.
        kind: ``wheel`` or ``sdist``.
    """
    subprocess.run(  # noqa: S603 - fixed programs of the tests
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=_RUN_SECONDS,
    )
    (built,) = folder.iterdir()
    return built


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack *sdist* into *folder*; return the one folder in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def contents(wheel: Path) -> dict[str, bytes]:
    """Return every file of *wheel*, by its name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> Message:
    """Return what *wheel* says about itself."""
    (told,) = (
        data for name, data in contents(wheel).items() if name.endswith("/METADATA")
    )
    return BytesParser().parsebytes(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment that knows nothing of the repository.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def command(self) -> Path:
        """The command ``forwardauth`` in it."""
        return self.folder / "bin/forwardauth"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of this process without what leads to the repository."""
        return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def run(self, *arguments: str | Path, folder: Path) -> str:
        """Run the command in *folder*; return what it prints, which may be errors."""
        done = subprocess.run(  # noqa: S603 - what the test has installed
            [self.command, *arguments],
            cwd=folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_RUN_SECONDS,
        )
        return f"{done.returncode}: {done.stdout}{done.stderr}"


def install(wheel: Path, folder: Path) -> Environment:
    """Install *wheel* into a fresh environment in *folder*.

    What it depends on is that of the environment of the tests, which ``pyproject.toml``
    has filled; our package is not found there, since its own link is not followed.
    """
    venv.create(folder, symlinks=True)
    environment = Environment(folder=folder)
    python = folder / "bin/python"
    subprocess.run(  # noqa: S603 - fixed programs of the tests
        [
            *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
            *("--no-deps", "--no-index", "--no-compile", wheel),
        ],
        cwd=folder,
        env=environment.variables,
        check=True,
        timeout=_RUN_SECONDS,
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    link = folder / "lib" / version / "site-packages/dependencies.pth"
    link.write_text(f"{sysconfig.get_path('purelib')}\n")
    return environment


def shipped() -> set[str]:
    """Return every file of the package in the repository, as a wheel names it."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "forwardauth").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
