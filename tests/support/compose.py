"""Compose files as ``docker compose`` reads them, and what they name, found here."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.binaries import require_binary
from tests.support.proxies import DEPLOY

REDIS: Final = DEPLOY / "redis/docker-compose.redis.yaml"
SECRETS: Final = "/run/secrets/"


def read_compose(path: Path) -> dict[str, Any]:
    """Return the content of the compose file at *path*."""
    content = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def merge(base: Any, other: Any) -> Any:
    """Return *base* with *other* laid over it: mappings and lists grow, values change.

    Lists that say a command are replaced; the files here have them in one place only.
    """
    if isinstance(base, dict) and isinstance(other, dict):
        return {
            key: merge(base[key], other[key])
            if key in base and key in other
            else base.get(key, other.get(key))
            for key in {**base, **other}
        }
    if isinstance(base, list) and isinstance(other, list):
        return [*base, *(each for each in other if each not in base)]
    return other


def schema_problems(*paths: Path) -> str:
    """Return what the schema of the Compose Specification finds wrong with *paths*."""
    done = subprocess.run(  # noqa: S603 - fixed programs of the tests
        [
            require_binary("check-jsonschema"),
            *("--builtin-schema", "vendor.compose-spec"),
            *paths,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else ""


def mounted(service: Mapping[str, Any], inside: str, *, project: Path) -> Path:
    """Return the file of *project* that *service* has at the path *inside*."""
    (found,) = (
        str(source)
        for source, target in (mount.split(":")[:2] for mount in service["volumes"])
        if target == inside
    )
    return project / found


def substitute(text: str, places: Mapping[str, str]) -> str:
    """Return *text* with what stands for something of a container at *places* here."""
    names = "|".join(map(re.escape, places))
    return re.sub(names, lambda found: places[found[0]], text)
