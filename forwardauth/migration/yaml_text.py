"""YAML with comments, which no library of ours writes.

Law: a value that is read back is the text it was made of. What is not plainly a word
stands in double quotes, escaped as in JSON, with what cannot be seen in YAML's way.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = "str | list[Value] | Mapping | None"

_WORD: Final = re.compile(r"[A-Za-z0-9/_.](?:[A-Za-z0-9/_.@+:-]*[A-Za-z0-9/_.@+-])?")
_NULLS: Final = frozenset({"null", "Null", "NULL"})
_MAX_LINE: Final = 88
_STEP: Final = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key with its value.

    Attributes:
        name: The key.
        value: A text, null, a list, or the entries below it.
        notes: Comments, a line each, that stand above it.
    """

    name: str
    value: Value
    notes: tuple[str, ...] = ()


Mapping: TypeAlias = tuple[Entry, ...]


def write_document(entries: Mapping, *, heading: tuple[str, ...]) -> str:
    """Return *entries* as a document below a comment."""
    lines = [_comment(text) for text in heading]
    for entry in entries:
        lines += ["", *_write_entry(entry, "")]
    return "\n".join((*lines, ""))


def write_scalar(text: str | None) -> str:
    """Return *text* as one line of YAML."""
    if text is None:
        return "null"
    if _WORD.fullmatch(text) and text not in _NULLS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted
    )


def _write_entry(entry: Entry, indent: str) -> list[str]:
    lines = [indent + _comment(text) for text in entry.notes]
    head = f"{indent}{write_scalar(entry.name)}:"
    value = entry.value
    if isinstance(value, tuple):
        lines.append(head)
        for each in value:
            lines += _write_entry(each, indent + _STEP)
    elif isinstance(value, list):
        lines += _write_list(head, value, indent)
    else:
        lines.append(f"{head} {write_scalar(value)}")
    return lines


def _write_list(head: str, items: list[Value], indent: str) -> list[str]:
    flow = _flow(items)
    if flow is not None and len(head) + 1 + len(flow) <= _MAX_LINE:
        return [f"{head} {flow}"]
    lines = [head]
    for item in items:
        lines += _write_item(item, indent + _STEP)
    return lines


def _write_item(item: Value, indent: str) -> list[str]:
    if isinstance(item, tuple):
        notes = [indent + _comment(text) for text in item[0].notes]
        first, *rest = item
        bare = Entry(name=first.name, value=first.value)
        body = _write_entry(bare, indent + _STEP)
        body[0] = f"{indent}- {body[0].lstrip()}"
        for each in rest:
            body += _write_entry(each, indent + _STEP)
        return [*notes, *body]
    return [
        f"{indent}- {_flow(item) if isinstance(item, list) else write_scalar(item)}"
    ]


def _flow(value: Value) -> str | None:
    """Return *value* on one line; ``None`` for a list of mappings that have notes."""
    if isinstance(value, list):
        parts = [_flow(item) for item in value]
        whole = [part for part in parts if part is not None]
        return f"[{', '.join(whole)}]" if len(whole) == len(parts) else None
    if isinstance(value, tuple):
        if any(entry.notes for entry in value):
            return None
        pairs = [f"{entry.name}: {_flow(entry.value)}" for entry in value]
        return f"{{{', '.join(pairs)}}}"
    return write_scalar(value)


def _comment(text: str) -> str:
    """Return *text* as a comment; what would end the line is escaped."""
    shown = text if text.isprintable() else ascii(text)
    return f"# {shown}".rstrip()
