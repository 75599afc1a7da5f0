"""Environment variables laid over the file: ``FORWARDAUTH_SESSION__STORE``.

Two underscores stand where the key has a dot, the index of an entry included
(``FORWARDAUTH_COOKIES__0__DOMAIN``). ``X_FILE`` names a file that holds the value of
``X``, which keeps secrets out of the environment. The environment wins.

Law: a variable that starts with ``FORWARDAUTH_`` means something or stops the start.
A setting that was misspelt must not be silently absent.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from forwardauth.config.keys import KEYS, PREFIX, Kind, pattern_of, variable_of
from forwardauth.config.problems import Findings, Place, RefusedValueError, show_path
from forwardauth.config.tree import Listing, Node, Scalar, Table

ParseYaml: TypeAlias = Callable[[str, Place], Node]

_FILE: Final = "_FILE"
_MAX_FILE_BYTES: Final = 65_536
_NAME: Final = re.compile(r"[A-Z0-9_]+", re.ASCII)
_INDEX: Final = re.compile(r"(?<=__)[0-9]+(?=__)", re.ASCII)

_SERVICE_LINK: Final = re.compile(
    r"FORWARDAUTH(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?"
    r"|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)",
    re.ASCII,
)
_SERVICE_PORT: Final = re.compile(r"(?:tcp|udp|sctp)://", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable that sets a key.

    Attributes:
        name: As in the environment.
        key: Dotted, with indexes.
        text: The value, read from the file where ``_FILE`` names one.
        is_verbatim: Whether the text came from a file, and so cannot mean null.
    """

    name: str
    key: str
    text: str
    is_verbatim: bool

    @property
    def order(self) -> tuple[int, tuple[tuple[int, str], ...]]:
        """Whole lists before their entries, entries by index as a number."""
        parts = self.key.split(".")
        ranks = tuple((int(p) if p.isdigit() else 0, p) for p in parts)
        return len(parts), ranks


def overlay(
    root: Table,
    environ: Mapping[str, str],
    *,
    findings: Findings,
    parse_yaml: ParseYaml,
) -> Table:
    """Return *root* with every variable of ours laid over it.

    Args:
        root: The file, or an empty table.
        environ: All variables; those of others are left alone.
        findings: Takes note of unknown names, of ``X`` beside ``X_FILE`` and of files
            that cannot be read.
        parse_yaml: Reads lists in brackets and lists of mappings.
    """
    variables: list[Variable] = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not _is_service_link(name, environ[name]):
            variable = _recognise(name, environ, findings)
            if variable is not None:
                variables.append(variable)
    node: Node = root
    for variable in sorted(variables, key=lambda v: v.order):
        place = Place(key=variable.key, source=variable.name)
        try:
            value = _value_of(variable, place, parse_yaml)
            node = _insert(node, variable.key.split("."), value)
        except RefusedValueError as exc:
            findings.refuse(place, exc.reason, exc.remedy)
    return node if isinstance(node, Table) else root


def _is_service_link(name: str, value: str) -> bool:
    """Whether an orchestrator set *name* because a service is called forwardauth.

    Source: Kubernetes, "Accessing the Service: environment variables"; the same names
    as the legacy container links that they were made after.
    """
    if _SERVICE_LINK.fullmatch(name):
        return True
    return name.endswith("_PORT") and _SERVICE_PORT.match(value) is not None


def _recognise(
    name: str, environ: Mapping[str, str], findings: Findings
) -> Variable | None:
    key = _key_of(name)
    if key is not None:
        return Variable(name=name, key=key, text=environ[name], is_verbatim=False)
    stem = name.removesuffix(_FILE)
    key = _key_of(stem) if stem != name else None
    if key is None:
        remedy = f"did you mean {_nearest(name)}?"
        shown = name if name.isprintable() else ascii(name)
        findings.refuse(Place(source=shown), "sets no key", remedy)
        return None
    place = Place(key=key, source=name)
    if stem in environ:
        findings.refuse(place, f"{stem} is set as well", "unset one of the two")
        return None
    try:
        text = _read_file(environ[name])
    except RefusedValueError as exc:
        findings.refuse(place, exc.reason, exc.remedy)
        return None
    return Variable(name=name, key=key, text=text, is_verbatim=True)


def _key_of(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return None
    key = name.removeprefix(PREFIX).lower().replace("__", ".")
    return key if pattern_of(key) in KEYS and variable_of(key) == name else None


def _nearest(name: str) -> str:
    """Return the variable most like *name*, with the index that *name* has."""
    found = _INDEX.search(name)
    index = found.group() if found else "0"
    known = [variable_of(key.replace("*", index)) for key in KEYS]
    candidates = [*known, *(variable + _FILE for variable in known)]
    return difflib.get_close_matches(name.upper(), candidates, n=1, cutoff=0)[0]


def _read_file(name: str) -> str:
    if not name:
        raise RefusedValueError("names no file", "name one, or unset the variable")
    path = Path(name)
    shown = show_path(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as exc:
        reason = f"cannot read {shown}: {exc.strerror}"
        raise RefusedValueError(reason, "name a file that can be read") from exc
    except UnicodeDecodeError as exc:
        raise RefusedValueError(f"{shown} is not UTF-8", "write it as UTF-8") from exc
    if len(content) > _MAX_FILE_BYTES:
        reason = f"{shown} is longer than {_MAX_FILE_BYTES} bytes"
        raise RefusedValueError(reason, "name the file that holds the value alone")
    return text.rstrip("\r\n")


def _value_of(variable: Variable, place: Place, parse_yaml: ParseYaml) -> Node:
    kind = KEYS[pattern_of(variable.key)].kind
    text = variable.text
    if kind is Kind.TEXT:
        return Scalar(place=place, text=text, is_plain=not variable.is_verbatim)
    if kind is Kind.ENTRIES or text.lstrip().startswith("["):
        return parse_yaml(text, place)
    whole = Scalar(place=place, text=text.strip())
    if not whole.text or (whole.is_null and not variable.is_verbatim):
        return whole
    parts = [part.strip() for part in text.split(",")]
    items = (
        Scalar(
            place=place.below(str(index)),
            text=part,
            is_plain=not variable.is_verbatim,
        )
        for index, part in enumerate(parts)
    )
    return Listing(place=place, items=tuple(items))


def _insert(node: Node | None, path: list[str], value: Node) -> Node:
    """Return *node* with *value* at *path*; a node of another shape stays as it is."""
    if not path:
        return value
    name, rest = path[0], path[1:]
    if name.isdigit():
        items = node.items if isinstance(node, Listing) else ()
        index = int(name)
        if index > len(items):
            raise RefusedValueError(
                f"entry {index} follows no entry {index - 1}",
                f"number the entries without a gap, the next one is {len(items)}",
            )
        below = items[index] if index < len(items) else None
        changed = _insert(below, rest, value)
        place = _place_above(node, value, path)
        return Listing(
            place=place, items=(*items[:index], changed, *items[index + 1 :])
        )
    if isinstance(node, Table) or node is None or _is_null(node):
        entries = dict(node.entries) if isinstance(node, Table) else {}
        entries[name] = _insert(entries.get(name), rest, value)
        return Table(place=_place_above(node, value, path), entries=entries)
    return node


def _place_above(node: Node | None, value: Node, below: list[str]) -> Place:
    """Return the place of *node*, or of what holds *value* that many steps below."""
    if node is not None:
        return node.place
    key = ".".join(value.place.key.split(".")[: -len(below)])
    return Place(key=key, source=value.place.source)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
