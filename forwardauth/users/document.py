"""A YAML text as nodes that know where they stand: the package's home of PyYAML.

The reader needs lines, for its messages; the editor needs offsets, to change one value
and leave every other byte alone. A scalar stays text: ``no`` is a user's name where a
name is wanted.
"""

from dataclasses import dataclass, field
from typing import Final

import yaml

from forwardauth.errors import ConfigError
from forwardauth.masking import mask_quoted
from forwardauth.users.problems import Problem

# The parser in C is five times as fast where PyYAML was built with it.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_SYNTAX_REMEDY: Final = "correct the line; indent with spaces, quote special characters"


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A scalar (*text*), a list (*items*) or a mapping (*pairs*); the others are None.

    Attributes:
        line: From 1.
        column: From 0, in characters.
        start: Offset of the first character.
        end: Offset behind the last one; for lists and mappings in block style that of
            what follows them, so use ``content_end``.
        is_plain: Whether a scalar stands without quotes.
        is_flow: Whether a list or mapping stands in brackets.
    """

    line: int
    column: int
    start: int
    end: int
    text: str | None = field(default=None, repr=False)
    items: "list[Node] | None" = None
    pairs: "list[tuple[Node, Node]] | None" = None
    is_plain: bool = False
    is_flow: bool = False

    @property
    def is_null(self) -> bool:
        """Whether nothing, or YAML's null, was written."""
        return self.is_plain and self.text in _NULLS

    def lookup(self, key: str) -> "tuple[Node, Node] | None":
        """Return the first pair of a mapping with *key*."""
        found = (pair for pair in self.pairs or () if pair[0].text == key)
        return next(found, None)


def parse_document(text: str, *, place: str) -> Node | None:
    """Return the one document in *text*, ``None`` when it holds nothing.

    Raises:
        ConfigError: Not YAML, or several documents; names *place* and the line.
    """
    try:
        root = yaml.compose(text, _Loader)
        return None if root is None else _convert(root, {})
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = place if mark is None else f"{place}:{mark.line + 1}"
        reason = mask_quoted(exc.problem or str(exc.context))
        raise _syntax_error(where, reason) from exc
    except yaml.reader.ReaderError as exc:
        # Its position counts characters in one parser and bytes in the other.
        strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, strange.start() if strange else 0) + 1
        raise _syntax_error(
            f"{place}:{line}", "a character YAML does not know"
        ) from exc
    except RecursionError as exc:
        raise _syntax_error(place, "nested too deeply") from exc


def _syntax_error(place: str, reason: str) -> ConfigError:
    reason = f"this is not YAML: {reason}"
    return ConfigError([Problem(place=place, reason=reason, remedy=_SYNTAX_REMEDY)])


def _convert(raw: yaml.Node, known: dict[int, Node]) -> Node:
    """Return *raw* as a ``Node``; what an alias names twice becomes one node."""
    if id(raw) in known:
        return known[id(raw)]
    begin = raw.start_mark
    node = known[id(raw)] = Node(
        line=begin.line + 1,
        column=begin.column,
        start=begin.index,
        end=raw.end_mark.index,
    )
    # By far the most are scalars, so they come first.
    if isinstance(raw, yaml.ScalarNode):
        node.text, node.is_plain = raw.value, not raw.style
    elif isinstance(raw, yaml.SequenceNode):
        node.is_flow = bool(raw.flow_style)
        node.items = [_convert(item, known) for item in raw.value]
    elif isinstance(raw, yaml.MappingNode):
        node.is_flow = bool(raw.flow_style)
        node.pairs = [
            (_convert(key, known), _convert(value, known)) for key, value in raw.value
        ]
    return node


def content_end(node: Node, text: str) -> int:
    """Return the offset behind the last character of *node*, comments left out."""
    end, todo, seen = node.start, [node], set[int]()
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if part.text is not None or part.is_flow:
            end = max(end, part.start + len(text[part.start : part.end].rstrip()))
        todo += part.items or ()
        todo += (child for pair in part.pairs or () for child in pair)
    return end
