"""Events in the log, and their form as text: ``event=… name=value …``.

An event is logged as a value, so that each format of the log can tell its fields apart.
As text it is the line that people read.

Law: nothing that a client sent can break out of its field.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

MAX_VALUE_CHARACTERS: Final = 200

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+", re.ASCII)


class Event:
    """What happened; the message of a line in the log."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, /, **fields: object) -> None:
        """Keep *fields*, in this order, but for those that are ``None``."""
        self.name = name
        self.fields: Mapping[str, object] = {
            key: value for key, value in fields.items() if value is not None
        }

    def __str__(self) -> str:
        """Return the event as one line of ``name=value``.

        Values that are not plain are quoted as JSON strings, ASCII only, cut at 200
        characters: no line break or terminal sequence gets into a log.
        """
        parts = [f"event={self.name}"]
        for name, value in self.fields.items():
            text = cut(str(value), MAX_VALUE_CHARACTERS)
            shown = text if _PLAIN.fullmatch(text) else json.dumps(text)
            parts.append(f"{name}={shown}")
        return " ".join(parts)


def cut(text: str, most: int) -> str:
    """Return *text*, with a mark in place of all beyond *most* characters."""
    return text if len(text) <= most else text[:most] + "…"
