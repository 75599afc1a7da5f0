"""Reads the users file, in the shape that Authelia gave it.

    users:
      john:
        displayname: John Doe
        password: $argon2id$v=19$m=65536,t=3,p=1$…
        email: john@example.com
        groups: [admins, dev]
        disabled: false

Law: all of the file is read or none of it. One mistake anywhere refuses the file, and
every mistake is reported, with its line.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from forwardauth.errors import ConfigError
from forwardauth.users import fields
from forwardauth.users.document import Node, parse_document
from forwardauth.users.model import User, canonical_name
from forwardauth.users.problems import Problem, RefusedValueError, quote
from forwardauth.users.stamps import stamp_of
from forwardauth.users.table import UsersTable
from forwardauth.users.version import Version, read_version

_EMPTY_REMEDY: Final = "write users: {} when there are none"


def load_users(path: Path) -> UsersTable:
    """Return the users in the file at *path*.

    Raises:
        ConfigError: Carries every mistake with place, reason and remedy; a missing
            file, and one that others can write, are mistakes too.
    """
    version = read_version(path)
    return parse_users(version.text, place=str(path), version=version)


def parse_users(text: str, *, place: str, version: Version | None = None) -> UsersTable:
    """Return the users that *text* describes.

    Args:
        text: The whole file.
        place: The file's name, for messages.
        version: The one that is *text*, where that is a file's.

    Raises:
        ConfigError: Carries every mistake, in the order of the lines.
    """
    notes = _Notes(place=place)
    users = _read_root(parse_document(text, place=place), notes)
    if notes.problems:
        raise ConfigError(notes.in_order())
    return UsersTable(
        users=MappingProxyType(users),
        signature=None if version is None else version.signature,
        read_ns=0 if version is None else version.read_ns,
        ends_whole=text.endswith("\n"),
    )


@dataclass(slots=True, kw_only=True)
class _Notes:
    """The mistakes found so far, each with its line."""

    place: str
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def in_order(self) -> list[Problem]:
        order = sorted(range(len(self.lines)), key=self.lines.__getitem__)
        return [self.problems[index] for index in order]

    def refuse(self, line: int, reason: str, remedy: str) -> None:
        place = f"{self.place}:{line}"
        self.problems.append(Problem(place=place, reason=reason, remedy=remedy))
        self.lines.append(line)

    def noting(self, line: int) -> "_Noting":
        return _Noting(self, line)


class _Noting:
    """Notes the refusal that ends its block, and goes on behind it.

    A class of its own, because a large file enters ten thousand of these blocks: that
    of a generator takes several times as long.
    """

    __slots__ = ("_line", "_notes")

    def __init__(self, notes: _Notes, line: int) -> None:
        self._notes, self._line = notes, line

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _type: object, exc: BaseException | None, _traceback: object
    ) -> bool:
        if not isinstance(exc, RefusedValueError):
            return False
        self._notes.refuse(self._line, exc.reason, exc.remedy)
        return True


def _read_root(root: Node | None, notes: _Notes) -> dict[str, User]:
    if root is None or root.pairs is None:
        line = 1 if root is None else root.line
        notes.refuse(line, "the users file holds no mapping", _EMPTY_REMEDY)
        return {}
    entries = _entries_of(root, notes, known=("users",))
    users = entries.get("users")
    if users is None:
        notes.refuse(root.line, "there is no key users", _EMPTY_REMEDY)
    elif users.pairs is not None:
        return _read_users(users.pairs, notes)
    elif not users.is_null:
        notes.refuse(users.line, "users is no mapping of names", _EMPTY_REMEDY)
    return {}


def _read_users(pairs: list[tuple[Node, Node]], notes: _Notes) -> dict[str, User]:
    users: dict[str, User] = {}
    spellings: dict[str, str] = {}
    for key, value in pairs:
        with notes.noting(key.line):
            name = fields.check_username(_text_of(key, "the user name"))
            first = spellings.setdefault(canonical_name(name), name)
            if first in users:
                raise _double(name, first)
            users[name] = _read_user(name, value, notes)
    return users


def _double(name: str, first: str) -> RefusedValueError:
    shown = quote(name)
    if name == first:
        return RefusedValueError(f"user {shown} stands here twice", "remove one entry")
    return RefusedValueError(
        f"user {shown} is the same name as {quote(first)}",
        "rename one; upper and lower case do not tell users apart",
    )


def _read_user(name: str, node: Node, notes: _Notes) -> User:
    shown = f"user {quote(name)}"
    entries: Mapping[str, Node] = {}
    if node.pairs is not None:
        known, tolerated = fields.KEYS, fields.FOREIGN_KEYS
        entries = _entries_of(node, notes, known=known, tolerated=tolerated)
    elif not node.is_null:
        notes.refuse(
            node.line, f"{shown} is no mapping", "write password: and the rest"
        )
    values = dict.fromkeys(("displayname", "email"), "")
    groups: tuple[str, ...] = ()
    is_disabled, password_hash = False, ""
    for key, value in entries.items():
        what = f"{key} of {shown}"
        with notes.noting(value.line):
            match key:
                case "disabled":
                    is_disabled = fields.parse_flag(_text_of(value, what), what=what)
                case "groups":
                    groups = _read_groups(value, what)
                case "password":
                    text = _text_of(value, what)
                    password_hash = fields.check_password_hash(text, username=name)
                case _:
                    values[key] = fields.check_value(_text_of(value, what), what=what)
    if "password" not in entries and (node.pairs is not None or node.is_null):
        with notes.noting(node.line):
            fields.check_password_hash("", username=name)
    return User(
        username=name,
        display_name=values["displayname"],
        email=values["email"],
        groups=groups,
        password_hash=password_hash,
        disabled=is_disabled,
        stamp=stamp_of(password_hash),
    )


def _read_groups(node: Node, what: str) -> tuple[str, ...]:
    if node.is_null:
        return ()
    if node.items is None:
        raise RefusedValueError(f"{what} is no list", "write groups: [one, two]")
    return fields.check_groups(
        [_text_of(item, f"a group in {what}") for item in node.items]
    )


def _entries_of(
    node: Node,
    notes: _Notes,
    *,
    known: tuple[str, ...],
    tolerated: Collection[str] = (),
) -> dict[str, Node]:
    """Return the *known* keys of a mapping with their values, each key once."""
    entries: dict[str, Node] = {}
    for key, value in node.pairs or ():
        with notes.noting(key.line):
            name = _text_of(key, "a key")
            if name in entries:
                raise RefusedValueError(
                    f"{name} stands here twice", "remove one of them"
                )
            if name in known:
                entries[name] = value
            elif name not in tolerated:
                reason = f"unknown key {quote(name)}"
                raise RefusedValueError(reason, fields.nearest_of(name, known))
    return entries


def _text_of(node: Node, what: str) -> str:
    """Return the text of a scalar, empty for null."""
    if node.text is None:
        raise RefusedValueError(f"{what} is a list or a mapping", "write one value")
    return "" if node.is_null else node.text
