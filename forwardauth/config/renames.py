"""Keys that had another name: the old one is read for a release, with a warning.

Law: an old name means exactly what the new one does, in the file and in the
environment. Both at once are a mistake, since nobody can tell which of them is meant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from forwardauth.config.keys import variable_of
from forwardauth.config.problems import Findings, Place
from forwardauth.config.tree import Node, Scalar, Table

_FILE: Final = "_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """One key with another name.

    Attributes:
        old: Dotted, outside of lists, as in ``session.lifetime``.
        new: What it is called now.
        until: The release that knows the old name no more.
    """

    old: str
    new: str
    until: str


RENAMES: Final[Sequence[Rename]] = ()
"""Every rename whose old name is still read; there is none so far."""


def rename_keys(
    root: Table, findings: Findings, renames: Sequence[Rename] = RENAMES
) -> Table:
    """Return the file *root* with every old name replaced, and told of."""
    for rename in renames:
        old, new = rename.old.split("."), rename.new.split(".")
        node = _find(root, old)
        if node is None:
            continue
        place = replace(node.place, key=rename.old)
        if _find(root, new) is not None:
            _refuse(findings, place, rename.new)
            continue
        _warn(findings, place, rename, rename.new)
        renamed = replace(node, place=replace(node.place, key=rename.new))
        root = _put(_take(root, old), new, renamed)
    return root


def rename_variables(
    environ: Mapping[str, str],
    findings: Findings,
    renames: Sequence[Rename] = RENAMES,
) -> dict[str, str]:
    """Return *environ* with every old name replaced, and told of."""
    renamed = dict(environ)
    for rename, old, new in _variables(renames):
        if old not in renamed:
            continue
        place = Place(key=rename.old, source=old)
        value = renamed.pop(old)
        stem = new.removesuffix(_FILE)
        if {stem, stem + _FILE} & renamed.keys():
            _refuse(findings, place, stem)
            continue
        _warn(findings, place, rename, new)
        renamed[new] = value
    return renamed


def _variables(renames: Sequence[Rename]) -> Iterator[tuple[Rename, str, str]]:
    for rename in renames:
        for suffix in ("", _FILE):
            old, new = variable_of(rename.old), variable_of(rename.new)
            yield rename, old + suffix, new + suffix


def _warn(findings: Findings, place: Place, rename: Rename, new: str) -> None:
    reason = f"has another name now, and is read until {rename.until}"
    findings.warn(place, reason, f"write {new} instead")


def _refuse(findings: Findings, place: Place, new: str) -> None:
    findings.refuse(place, f"is the old name of {new}, which is set too", "take it out")


def _find(table: Table, path: list[str]) -> Node | None:
    node: Node | None = table
    for name in path:
        node = node.entries.get(name) if isinstance(node, Table) else None
    return node


def _take(table: Table, path: list[str]) -> Table:
    """Return *table* without what is at *path*, and without sections that empties."""
    name, rest = path[0], path[1:]
    entries = dict(table.entries)
    below = entries.pop(name)
    if rest and isinstance(below, Table):
        left = _take(below, rest)
        if left.entries:
            entries[name] = left
    return replace(table, entries=entries)


def _put(table: Table, path: list[str], node: Node) -> Table:
    """Return *table* with *node* at *path*; what stands in its way stays."""
    name, rest = path[0], path[1:]
    below = table.entries.get(name)
    if below is None or (isinstance(below, Scalar) and below.is_null):
        below = Table(place=table.place.below(name))
    if rest and not isinstance(below, Table):
        return table  # Misshapen, and told so when it is read.
    changed = _put(below, rest, node) if rest and isinstance(below, Table) else node
    return replace(table, entries={**table.entries, name: changed})
