"""What has reached the sample applications, by their own record.

Law: an answer that a client gets proves that a request came through; that nothing came
through is proven by the applications alone.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RECORD: Final = b'{"application"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request at an application.

    Attributes:
        application: Its name in ``deploy/``.
        method: As it arrived.
        target: Raw.
        headers: Lines in the order of arrival, names as they were spelt.
    """

    application: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """Return the values of *name*, as an application reads it that folds ``-_.``.

        Names become one in CGI and WSGI, which is what such spellings are sent for.
        """
        return [value for key, value in self.headers if _fold(key) == _fold(name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The output of the sample applications of one installation."""

    path: Path

    @contextmanager
    def watch(self) -> Iterator[list[Arrival]]:
        """Yield a list that holds, once the context has ended, what arrived in it."""
        arrivals: list[Arrival] = []
        start = self.path.stat().st_size
        yield arrivals
        with self.path.open("rb") as file:
            file.seek(start)
            lines = [line for line in file if line.startswith(_RECORD)]
        arrivals.extend(_parse(line) for line in lines)


def _parse(line: bytes) -> Arrival:
    record = json.loads(line)
    return Arrival(
        application=record["application"],
        method=record["method"],
        target=record["target"],
        headers=tuple((name, value) for name, value in record["headers"]),
    )


def _fold(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
