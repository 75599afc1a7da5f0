"""The configuration as it counts, written as YAML with the origin beside each value.

Law: what is written can be read again and means the same, but for what is masked.
"""

import re
from collections.abc import Iterator
from typing import Final

from forwardauth.config.effective import Group, Item, List, Value
from forwardauth.config.problems import Place
from forwardauth.config.tree import Scalar

_PLAIN: Final = re.compile(
    r"[A-Za-z0-9_/][A-Za-z0-9_./@+-]*(?:[:*][A-Za-z0-9_./@+-]+)*"
)
_COMMENT_COLUMN: Final = 52
_INDENT: Final = "  "
_TWO_BYTES: Final = 0xFFFF

Line = tuple[str, str]
"""A line, and the comment at its end."""


def dump_yaml(group: Group) -> str:
    """Return *group* as YAML, a comment for each value."""
    return "\n".join(
        f"{text.ljust(_COMMENT_COLUMN)}  # {comment}" if comment else text
        for text, comment in _lines_of(group, "")
    )


def _lines_of(group: Group, indent: str) -> Iterator[Line]:
    for name, item in group.entries.items():
        match item:
            case Group(entries=entries):
                yield f"{indent}{name}:{'' if entries else ' {}'}", ""
                yield from _lines_of(item, indent + _INDENT)
            case List():
                yield from _list_lines(name, item, indent)
            case Value():
                yield f"{indent}{name}: {_scalar(item.text)}", _comment(item)


def _list_lines(name: str, item: List, indent: str) -> Iterator[Line]:
    origins = {_comment(below) for below in item.items}
    if len(origins) <= 1 and not any(isinstance(each, Group) for each in item.items):
        yield f"{indent}{name}: {_flow(item)}", _comment(item)
        return
    yield f"{indent}{name}:", ""
    for below in item.items:
        yield from _entry_lines(below, indent + _INDENT)


def _entry_lines(item: Item, indent: str) -> Iterator[Line]:
    """Return the lines of one entry of a list, the first of them after a dash."""
    match item:
        case Value():
            yield f"{indent}- {_scalar(item.text)}", _comment(item)
        case List():
            yield f"{indent}- {_flow(item)}", _comment(item)
        case Group():
            mark = "- "
            for text, comment in _lines_of(item, ""):
                yield f"{indent}{mark}{text}", comment
                mark = _INDENT


def _flow(item: Item) -> str:
    """Return *item* on one line."""
    match item:
        case Value(text=text):
            return _scalar(text)
        case List(items=items):
            return f"[{', '.join(map(_flow, items))}]"
        case Group(entries=entries):
            pairs = (f"{name}: {_flow(each)}" for name, each in entries.items())
            return f"{{{', '.join(pairs)}}}"


def _comment(item: Item) -> str:
    if isinstance(item, Group):
        return ""
    told = str(item.origin)
    return told if told.isprintable() else ascii(told)


def _scalar(text: str | None) -> str:
    if text is None:
        return "null"
    is_null = Scalar(place=Place(), text=text).is_null
    if _PLAIN.fullmatch(text) and not is_null:
        return text
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    """Return *character* for double quotes; YAML knows no pairs of surrogates.

    Source: YAML 1.2, 5.7.
    """
    number = ord(character)
    if character in '"\\':
        return f"\\{character}"
    if character.isascii() and character.isprintable():
        return character
    return f"\\u{number:04X}" if number <= _TWO_BYTES else f"\\U{number:08X}"
