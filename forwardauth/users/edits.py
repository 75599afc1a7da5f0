"""Edits of the users file as text: one value changes, every other byte stays.

People keep comments in this file, and keep it in version control. A program that loads
and dumps YAML would reformat all of it at each login that replaces an old hash, so
values are replaced at the offsets where the parser found them.

Law: nothing here decides whether an edit is right. ``editor`` reads the result again
and keeps it only when exactly what was meant has changed.
"""

import json
import re
from typing import Final

from forwardauth.users.document import Node, content_end, parse_document
from forwardauth.users.model import User
from forwardauth.users.problems import quote

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._@-]*")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML 1.1 takes for a truth value or null; our reader does not, others do."""

_INDENT: Final = 2


class EditError(Exception):
    """The users file was not changed, and why: a sentence for people."""


def with_user(text: str, user: User) -> str:
    """Return *text* with *user* behind the last one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    root = parse_document(text, place="")
    pair = root.lookup("users") if root else None
    if pair is None:
        return (
            _ended(text, newline)
            + newline.join(["users:", *_lines_of(user, 2, 4)])
            + newline
        )
    key, users = pair
    if users.pairs:
        if users.is_flow:
            raise EditError("the users stand in braces; add this one by hand")
        first, fields = users.pairs[0]
        inner = first.column + _INDENT
        if fields.pairs and not fields.is_flow:
            inner = fields.pairs[0][0].column
        lines = _lines_of(user, first.column, inner)
        at = _line_end(text, content_end(users, text))
    else:
        # ``users: {}`` or ``users:``; braces cannot stay where a block follows.
        text = text[: users.start].rstrip(" ") + text[users.end :]
        lines = _lines_of(user, key.column + _INDENT, key.column + 2 * _INDENT)
        at = _line_end(text, key.end)
    head = _ended(text[:at], newline)
    return head + newline.join(lines) + newline + text[at:]


def _lines_of(user: User, outer: int, inner: int) -> list[str]:
    """Return the entry of *user*, its name at column *outer*, its keys at *inner*."""
    pad = " " * inner
    lines = [f"{' ' * outer}{_scalar(user.username)}:"]
    if user.disabled:
        lines.append(f"{pad}disabled: true")
    lines.append(f"{pad}displayname: {_scalar(user.display_name)}")
    lines.append(f"{pad}password: {_scalar(user.password_hash)}")
    lines.append(f"{pad}email: {_scalar(user.email)}")
    if not user.groups:
        return [*lines, f"{pad}groups: []"]
    lines.append(f"{pad}groups:")
    return [*lines, *(f"{pad}  - {_scalar(group)}" for group in user.groups)]


def with_password_hash(text: str, username: str, password_hash: str) -> str:
    """Return *text* with another password hash for *username*, who is in it."""
    fields = _entry_of(text, username)[1]
    pair = fields.lookup("password")
    if pair is None:
        raise EditError("the user has no password; edit the file by hand")
    return _replaced(text, pair[1], _scalar(password_hash))


def with_disabled(text: str, username: str, *, is_disabled: bool) -> str:
    """Return *text* with the flag of *username*, who is in it, set or cleared."""
    fields = _entry_of(text, username)[1]
    word = str(is_disabled).lower()
    pair = fields.lookup("disabled")
    if pair is not None:
        return _replaced(text, pair[1], word)
    first = (fields.pairs or [])[0][0]
    between = ", "
    if not fields.is_flow:
        newline = "\r\n" if "\r\n" in text else "\n"
        between = newline + " " * first.column
    return f"{text[: first.start]}disabled: {word}{between}{text[first.start :]}"


def without_user(text: str, username: str) -> str:
    """Return *text* without the lines of *username*, who is in it.

    Comments between those lines go with them, comments above stay.
    """
    key, fields = _entry_of(text, username)
    start = text.rfind("\n", 0, key.start) + 1
    if text[start : key.start].strip(" "):
        raise EditError("the user shares a line with others; edit it by hand")
    end = _line_end(text, max(key.end, content_end(fields, text)))
    return text[:start] + text[end:]


def _entry_of(text: str, username: str) -> tuple[Node, Node]:
    root = parse_document(text, place="")
    users = root.lookup("users") if root else None
    entry = users[1].lookup(username) if users else None
    if entry is None:
        raise EditError(f"there is no user {quote(username)}")
    return entry


def _replaced(text: str, node: Node, value: str) -> str:
    return text[: node.start] + value + text[content_end(node, text) :]


def _line_end(text: str, offset: int) -> int:
    """Return the offset behind the line that holds *offset*."""
    newline = text.find("\n", offset)
    return len(text) if newline < 0 else newline + 1


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _scalar(text: str) -> str:
    """Return *text* as YAML reads it back: plain where nobody could misread it."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
