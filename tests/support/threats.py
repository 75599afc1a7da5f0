"""The table of threats in ``SECURITY.md``, as a test holds it to the code.

    | T-7 | what somebody could do | what stands against it | where | tests |

*Where* names files of the repository and keys of the configuration. *Tests* are
``tests/….py::name``, or ``none`` where the defence begins by saying that there is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from forwardauth.config.keys import KEYS
from tests.support.repository import ROOT

DOCUMENT: Final = ROOT / "SECURITY.md"
NOT_DEFENDED: Final = "**Not defended"
"""How the defence begins where there is no test because there is no defence."""

_ROW: Final = re.compile(r"^\| (?P<id>T-\d+) \|(?P<cells>.*)\|$")
_CELLS: Final = ("threat", "defence", "where", "tests")
_NAME: Final = re.compile(r"`([^`]+)`")
_TEST: Final = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One row.

    Attributes:
        id: ``T-7``.
        threat: What somebody could do.
        defence: What stands against it, and what does not.
        where: Files and keys.
        tests: Places of tests, none where there is no defence.
        rest: What of the last two cells is no name.
    """

    id: str
    threat: str
    defence: str
    where: tuple[str, ...]
    tests: tuple[str, ...]
    rest: str


def threats(text: str) -> Iterator[Threat]:
    """Yield the rows of *text* in their order.

    Raises:
        ValueError: A row has more cells, or fewer, than its table.
    """
    for line in text.splitlines():
        row = _ROW.match(line)
        if row is None:
            continue
        cells = [cell.strip() for cell in row["cells"].split("|")]
        named = dict(zip(_CELLS, cells, strict=True))
        where, tests = named["where"], named["tests"]
        yield Threat(
            id=row["id"],
            threat=named["threat"],
            defence=named["defence"],
            where=tuple(_NAME.findall(where)),
            tests=tuple(_NAME.findall(tests)),
            rest=_NAME.sub("", where + tests).replace("<br>", "").replace(",", ""),
        )


def faults(threat: Threat) -> Iterator[str]:
    """Yield what *threat* says and the repository does not bear out."""
    if not (threat.threat and threat.defence and threat.where):
        yield "has an empty cell"
    yield from (
        f"{name} is no file and no key" for name in threat.where if not _is_known(name)
    )
    yield from (f"{name} is no test" for name in threat.tests if not _is_test(name))
    if len(set(threat.tests)) < len(threat.tests):
        yield "names a test twice"
    is_open = threat.defence.startswith(NOT_DEFENDED)
    if not threat.tests and not is_open:
        yield "has a defence that no test proves"
    if threat.rest.strip() != ("" if threat.tests else "none"):
        yield f"says {threat.rest.strip()!r} where names belong"


def _is_known(name: str) -> bool:
    return name in KEYS or (ROOT / name).exists()


def _is_test(place: str) -> bool:
    """Whether *place* is a test function, as ``tests/unit/test_app.py::test_name``."""
    file, _, name = place.partition("::")
    return file.startswith("tests/") and name in _tests_of(file)


@cache
def _tests_of(file: str) -> frozenset[str]:
    path = ROOT / file
    text = path.read_text("utf-8") if path.is_file() else ""
    return frozenset(_TEST.findall(text))
