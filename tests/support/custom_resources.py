"""Which fields the custom resources of ``deploy/kubernetes`` may have.

An API server drops or refuses a field that the resource's definition does not know; a
misspelt ``authResponseHeaders`` would be gone without a word. No package has those
definitions, so ``tests/data/kubernetes-fields.yaml`` has the fields that the projects'
references name, as far as we use a resource: what is not there has to be looked up.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from tests.support.manifests import FOLDER, Manifest

_FIELDS: Final = FOLDER.parents[1] / "tests/data/kubernetes-fields.yaml"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number or name": (int, str),
}


def known_resources() -> dict[str, Any]:
    """Return the fields of ``spec``, by ``apiVersion/kind``."""
    table: dict[str, Any] = yaml.safe_load(_FIELDS.read_text("utf-8"))
    return table


def unknown_fields(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the fields of *manifest*, place by place.

    Raises:
        KeyError: A kind that nobody has looked up.
    """
    fields = known_resources()[f"{manifest['apiVersion']}/{manifest['kind']}"]
    yield from manifest.keys() - {"apiVersion", "kind", "metadata", "spec"}
    yield from _compare("spec", manifest["spec"], fields)


def _compare(place: str, value: object, expected: Any) -> Iterator[str]:
    match expected, value:
        case dict(), dict():
            for name, each in value.items():
                if name in expected:
                    yield from _compare(f"{place}.{name}", each, expected[name])
                else:
                    yield f"{place}.{name} is not known"
        case [item], list():
            for index, each in enumerate(value):
                yield from _compare(f"{place}.{index}", each, item)
        case [_, _, *_], _ if value in expected:
            pass
        case str(), _ if type(value) in _TYPES[expected]:
            pass
        case _:
            yield f"{place} is not what it should be: {expected}"
