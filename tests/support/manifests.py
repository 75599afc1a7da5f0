"""The objects of ``deploy/kubernetes``, as a cluster would be given them."""

from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.proxies import DEPLOY

FOLDER: Final = DEPLOY / "kubernetes"
FILES: Final = sorted(FOLDER.glob("*.yaml"))

Manifest = dict[str, Any]


def read_manifests(path: Path) -> list[Manifest]:
    """Return every object of the file *path*, in order."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def all_manifests() -> dict[str, Manifest]:
    """Return every object that is shipped, by file, kind and name."""
    return {
        f"{path.stem}/{each['kind']}/{each['metadata']['name']}": each
        for path in FILES
        for each in read_manifests(path)
    }


def of_kind(file: str, kind: str) -> list[Manifest]:
    """Return the objects of *kind* in *file*, at least one."""
    found = [each for each in read_manifests(FOLDER / file) if each["kind"] == kind]
    assert found, f"{file} has no {kind}"
    return found


def get_manifest(file: str, kind: str, name: str) -> Manifest:
    """Return the one object of *kind* called *name* in *file*."""
    (found,) = [
        each for each in of_kind(file, kind) if each["metadata"]["name"] == name
    ]
    return found
