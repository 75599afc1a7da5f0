"""Changes the users file on disk: for the command line, and for the rehash at login.

Law: every edit is read back before it is written, and is written only when exactly what
was meant has changed, and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from forwardauth.errors import ConfigError
from forwardauth.users import edits, fields
from forwardauth.users.edits import EditError
from forwardauth.users.model import User
from forwardauth.users.problems import quote
from forwardauth.users.reader import parse_users
from forwardauth.users.stamps import stamp_of
from forwardauth.users.table import UsersTable
from forwardauth.users.version import Version, read_version
from forwardauth.users.writer import ChangedMeanwhileError, locked, write

__all__ = [
    "EditError",
    "add_user",
    "remove_user",
    "replace_hash",
    "set_disabled",
    "set_password",
]

_ATTEMPTS: Final = 3
_NEW_FILE: Final = (
    "# Who may sign in. Edit by hand or with `forwardauth users`.\nusers: {}\n"
)

Edit: TypeAlias = Callable[[str, UsersTable], tuple[str, dict[str, User]] | None]
"""From text and table to the new text and the users it must hold; ``None``: no edit."""


def add_user(
    path: Path,
    *,
    username: str,
    password_hash: str,
    display_name: str = "",
    email: str = "",
    groups: Sequence[str] = (),
) -> None:
    """Add a user; create the file, readable by its owner only, when there is none.

    Raises:
        RefusedValueError: A value that the file may not hold.
        EditError: The name is taken, in any spelling, or the file cannot be written.
        ConfigError: The file has mistakes already.
    """
    checked = fields.check_password_hash(password_hash, username=username)
    user = User(
        username=fields.check_username(username),
        display_name=fields.check_value(display_name, what="the display name"),
        email=fields.check_value(email, what="the email address"),
        groups=fields.check_groups(groups),
        password_hash=checked,
        stamp=stamp_of(checked),
    )

    def edit(text: str, table: UsersTable) -> tuple[str, dict[str, User]]:
        taken = table.get(username)
        if taken is not None:
            raise EditError(f"user {quote(taken.username)} exists already")
        return edits.with_user(text, user), {**table.users, username: user}

    _edit(path, edit, may_create=True)


def set_password(path: Path, username: str, password_hash: str) -> None:
    """Give *username* another password.

    Raises:
        RefusedValueError: *password_hash* is none that can be verified.
        EditError: There is no such user, or the file cannot be written.
        ConfigError: The file is missing or has mistakes.
    """
    checked = fields.check_password_hash(password_hash, username=username)

    def edit(text: str, table: UsersTable) -> tuple[str, dict[str, User]]:
        return _with_hash(text, table, _user_in(table, username), checked)

    _edit(path, edit)


def replace_hash(path: Path, username: str, *, old: str, new: str) -> bool:
    """Replace the hash *old* of *username* by *new*, another hash of one password.

    Returns:
        False when the user is gone or has another hash by now, which then stays.

    Raises:
        EditError: The file cannot be written.
        ConfigError: The file is missing or has mistakes.
    """

    def edit(text: str, table: UsersTable) -> tuple[str, dict[str, User]] | None:
        user = table.users.get(username)
        if user is None or user.password_hash != old:
            return None
        return _with_hash(text, table, user, new)

    return _edit(path, edit)


def set_disabled(path: Path, username: str, *, is_disabled: bool) -> None:
    """Disable *username*, or enable again.

    Raises:
        EditError: There is no such user, or the file cannot be written.
        ConfigError: The file is missing or has mistakes.
    """

    def edit(text: str, table: UsersTable) -> tuple[str, dict[str, User]] | None:
        user = _user_in(table, username)
        if user.disabled == is_disabled:
            return None
        changed = replace(user, disabled=is_disabled)
        new = edits.with_disabled(text, user.username, is_disabled=is_disabled)
        return new, {**table.users, user.username: changed}

    _edit(path, edit)


def remove_user(path: Path, username: str) -> None:
    """Take *username* out of the file.

    Raises:
        EditError: There is no such user, or the file cannot be written.
        ConfigError: The file is missing or has mistakes.
    """

    def edit(text: str, table: UsersTable) -> tuple[str, dict[str, User]]:
        name = _user_in(table, username).username
        rest = {other: user for other, user in table.users.items() if other != name}
        return edits.without_user(text, name), rest

    _edit(path, edit)


def _user_in(table: UsersTable, username: str) -> User:
    user = table.get(username)
    if user is None:
        raise EditError(f"there is no user {quote(username)}")
    return user


def _with_hash(
    text: str, table: UsersTable, user: User, password_hash: str
) -> tuple[str, dict[str, User]]:
    stamp = stamp_of(password_hash)
    changed = replace(user, password_hash=password_hash, stamp=stamp)
    new = edits.with_password_hash(text, user.username, password_hash)
    return new, {**table.users, user.username: changed}


def _edit(path: Path, edit: Edit, *, may_create: bool = False) -> bool:
    """Apply *edit* under the lock; return whether the file was changed."""
    # Through a symbolic link, as config management makes them, to the file itself.
    target = path.resolve()
    if not target.parent.is_dir():
        raise EditError(f"there is no folder {target.parent}; create it")
    with locked(target):
        for _ in range(_ATTEMPTS):
            is_new = may_create and not target.exists()
            version = None if is_new else read_version(target)
            try:
                return _apply(target, version, edit)
            except ChangedMeanwhileError:
                continue
    raise EditError(f"somebody else keeps writing {target}; try again")


def _apply(target: Path, version: Version | None, edit: Edit) -> bool:
    text = _NEW_FILE if version is None else version.text
    edited = edit(text, parse_users(text, place=str(target)))
    if edited is None:
        return False
    _check_edited(target, *edited)
    before = None if version is None else version.signature
    write(target, edited[0], before=before)
    return True


def _check_edited(target: Path, text: str, expected: dict[str, User]) -> None:
    try:
        is_meant = parse_users(text, place=str(target)).users == expected
    except ConfigError:
        is_meant = False
    if not is_meant:
        raise EditError(f"{target} is written in an unusual way; edit it by hand")
