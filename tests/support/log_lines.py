"""Reads the lines of our log as a program does."""

import json
import re

_FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[A-Za-z0-9_.:/@+-]+)(?: |$)')


def parse(line: str) -> dict[str, str]:
    """Return the fields of *line*, as a log shipper reads them."""
    fields: dict[str, str] = {}
    position = 0
    while position < len(line):
        match = _FIELD.match(line, position)
        assert match is not None, line[position:]
        name, value = match.groups()
        assert name not in fields
        fields[name] = json.loads(value) if value.startswith('"') else value
        position = match.end()
    return fields
