"""The lock files that the container image is built from."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.repository import ROOT

SERVICE: Final = ROOT / "requirements.lock"
BUILD: Final = ROOT / "requirements-build.lock"
_PIN: Final = re.compile(
    r"(?P<name>[a-z0-9.-]+)==(?P<version>[^ ]+)"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
_IMAGE: Final = {"python_version": "3.11", "sys_platform": "linux"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package of a lock file."""

    name: str
    version: Version
    hashes: frozenset[str]


def read_lock(path: Path) -> dict[str, Pin]:
    """Return the packages of the lock at *path*; any other line fails the test."""
    text = re.sub(r" \\\n\s*", " ", path.read_text("utf-8"))
    found: dict[str, Pin] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _PIN.fullmatch(line)
        assert match is not None, f"{path.name} has a line that pins nothing: {line}"
        name = canonicalize_name(match["name"])
        found[name] = Pin(
            name=name,
            version=Version(match["version"]),
            hashes=frozenset(match["hashes"].split()),
        )
    return found


def wanted_by_service() -> list[Requirement]:
    """Return what ``pyproject.toml`` asks for, the faster event loop included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    speed = project["optional-dependencies"]["speed"]
    return [Requirement(each) for each in (*project["dependencies"], *speed)]


def wanted_by_build() -> list[Requirement]:
    """Return what ``pyproject.toml`` asks for to build the package."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [Requirement(each) for each in read["build-system"]["requires"]]


def closure(wanted: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """Return everything that *wanted* needs, by name, as the installed packages say."""
    found: dict[str, list[Requirement]] = {}
    waiting = list(wanted)
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        waiting += _needs_of(requirement)
    return found


def _needs_of(requirement: Requirement) -> list[Requirement]:
    declared = importlib.metadata.requires(requirement.name) or []
    extras = {"", *requirement.extras}
    return [
        each
        for each in map(Requirement, declared)
        if each.marker is None
        or any(each.marker.evaluate({**_IMAGE, "extra": extra}) for extra in extras)
    ]
