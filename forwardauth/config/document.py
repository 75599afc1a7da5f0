"""YAML text to nodes, and the only place that reads YAML of the configuration.

The text is composed, never constructed: no tag makes an object, a key given twice is a
mistake, and what anchors repeat is counted, so that a few lines cannot unfold to
gigabytes.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import yaml

from forwardauth.config.problems import Findings, Place, Problem, RefusedValueError
from forwardauth.config.tree import Listing, Node, Scalar, Table
from forwardauth.errors import ConfigError
from forwardauth.masking import mask_quoted

_MAX_FILE_BYTES: Final = 1_048_576
_MAX_NODES: Final = 100_000
"""Values, with what anchors repeat: ten thousand rules of a few criteria each."""
_MAX_DEPTH: Final = 20
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in (
        *("bool", "float", "int", "null", "str", "timestamp", "value"),
        *("map", "merge", "seq"),
    )
)
"""What PyYAML concludes by itself; any other tag was written."""

_HALF: Final = re.compile("[\ud800-\udfff]")
_TAB_REMEDY: Final = "indent with spaces, not tabs"
_SYNTAX_REMEDY: Final = "correct the line, or put the value in quotes"
_REMEDY: Final = "compare it with the config.yaml that is shipped"


def load_document(path: Path, *, findings: Findings) -> Table:
    """Return the mapping that the file *path* holds.

    Raises:
        ConfigError: One problem: the file cannot be read, is no UTF-8, no YAML, empty
            or no mapping. Lesser mistakes are noted in *findings*.
    """
    place = Place(source=str(path))
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as exc:
        reason = f"cannot be read: {exc.strerror}"
        raise _failure(place, reason, "name a file that can be read") from exc
    if len(content) > _MAX_FILE_BYTES:
        raise _failure(place, f"is longer than {_MAX_FILE_BYTES} bytes", _REMEDY)
    start = Place(source=place.source, line=1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        where = _at(start, line)
        raise _failure(where, "is not UTF-8", "save the file as UTF-8") from exc
    node = _compose(text, start, findings)
    if not isinstance(node, Table):
        is_empty = isinstance(node, Scalar) and node.is_null
        reason = "holds nothing" if is_empty else "does not hold keys"
        raise _failure(start, reason, _REMEDY)
    return node


def _open_at_once(path: str, flags: int) -> int:
    """Open *path*, be it a pipe that nobody writes to, which then is empty.

    Whoever supervises workers reads it again, and may wait for nobody.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def parse_yaml(text: str, place: Place, *, findings: Findings) -> Node:
    """Return *text*, the value of an environment variable, as nodes.

    Raises:
        RefusedValueError: It is not YAML. Lesser mistakes are noted in *findings*.
    """
    try:
        return _compose(text, place, findings)
    except ConfigError as exc:
        reason = "; ".join(p.reason for p in exc.problems if isinstance(p, Problem))
        remedy = "write a list in brackets, such as [a, b] or [{key: value}]"
        raise RefusedValueError(reason, remedy) from exc


def _compose(text: str, place: Place, findings: Findings) -> Node:
    try:
        node = _parse(text)
    except yaml.reader.ReaderError as exc:
        where = _at(place, text.count("\n", 0, exc.position) + 1)
        reason = f"holds the character U+{ord(text[exc.position]):04X}"
        raise _failure(where, reason, "remove the character") from exc
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        is_tab = text.split("\n")[line - 1].lstrip(" ").startswith("\t")
        remedy = _TAB_REMEDY if is_tab else _SYNTAX_REMEDY
        reason = f"is not YAML: {mask_quoted(exc.problem or str(exc.context))}"
        raise _failure(_at(place, line), reason, remedy) from exc
    except RecursionError as exc:
        raise _failure(place, "is nested too deeply", _REMEDY) from exc
    if node is None:
        return Scalar(place=place, text="")
    return _Converter(findings).convert(node, place, depth=0)


def _parse(text: str) -> yaml.Node | None:
    """Return the nodes of *text*.

    The parser in C takes a tenth of the time, where PyYAML was built with it. What it
    refuses is parsed again by the other, whose messages say more.
    """
    if hasattr(yaml, "CSafeLoader"):
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


class _Converter:
    """Turns nodes of PyYAML into ours, counting each repetition of an anchor."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._count = 0

    def convert(self, node: yaml.Node, place: Place, *, depth: int) -> Node:
        """Return *node*, which stands at *place*, and all below it."""
        self._count += 1
        if depth > _MAX_DEPTH:
            raise _failure(place, "is nested too deeply", _REMEDY)
        if self._count > _MAX_NODES:
            reason = f"unfolds to more than {_MAX_NODES} values"
            remedy = "write fewer; what an anchor repeats counts each time"
            raise _failure(place, reason, remedy)
        if node.tag not in _TAGS:
            # A password that begins with ! is a tag as well, so it is not repeated.
            reason = "begins with !, and so has a tag"
            remedy = "write it without the tag; put a text that begins with ! in quotes"
            self._findings.refuse(place, reason, remedy)
        if isinstance(node, yaml.ScalarNode):
            if half := _HALF.search(node.value):
                # An escape can say so, and the system takes no such name of a file.
                reason = f"holds U+{ord(half[0]):04X}, half of a character"
                raise _failure(place, reason, "write the whole character")
            return Scalar(place=place, text=node.value, is_plain=not node.style)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(
                self.convert(item, _below(place, str(index), item), depth=depth + 1)
                for index, item in enumerate(node.value)
            )
            return Listing(place=place, items=items)
        return Table(place=place, entries=self._entries(node, place, depth + 1))

    def _entries(self, node: yaml.Node, place: Place, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE_TAG:
                where = _at(place, key.start_mark.line + 1)
                remedy = "write each key out; merge keys (<<) are not read"
                self._findings.refuse(where, "holds a key that is no name", remedy)
                continue
            name = key.value if key.value.isprintable() else ascii(key.value)
            below = _below(place, name, key)
            if name in entries:
                reason = f"is given twice, first on line {entries[name].place.line}"
                self._findings.refuse(below, reason, "keep one of the two")
                continue
            entries[name] = self.convert(value, below, depth=depth)
        return entries


def _below(place: Place, name: str, node: yaml.Node) -> Place:
    return _at(place.below(name), node.start_mark.line + 1)


def _at(place: Place, line: int) -> Place:
    """Return *place* with *line*, unless it is a variable, which has no lines."""
    if place.line is None:
        return place
    return Place(key=place.key, source=place.source, line=line)


def _failure(place: Place, reason: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(place=place, reason=reason, remedy=remedy)])
