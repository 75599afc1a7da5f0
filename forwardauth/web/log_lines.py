"""The form of a line in the log that programs read: ``event=… name=value …``.

Law: nothing that a client sent can break out of its field.
"""

import json
import re
from typing import Final

_MAX_VALUE_CHARACTERS: Final = 200
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+", re.ASCII)


def format_fields(event: str, **fields: object) -> str:
    """Return *event* and *fields* as one line of ``name=value``.

    Values that are not plain are quoted as JSON strings, ASCII only, cut at 200
    characters: no line break or terminal sequence gets into a log.
    """
    parts = [f"event={event}"]
    for name, value in fields.items():
        if value is None:
            continue
        text = str(value)
        if len(text) > _MAX_VALUE_CHARACTERS:
            text = text[:_MAX_VALUE_CHARACTERS] + "…"
        parts.append(f"{name}={text if _PLAIN.fullmatch(text) else json.dumps(text)}")
    return " ".join(parts)
