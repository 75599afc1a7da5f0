"""The users file as the running service sees it: watched, and kept when an edit breaks.

Laws: an edit takes effect within five seconds or is refused as a whole; a refused one
leaves the users as they were. What ends sessions is told until it has been heard: a
store that is down at that moment does not make a disabled user's session outlive him.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from forwardauth.errors import ConfigError, StoreUnavailableError
from forwardauth.users.editor import EditError, replace_hash
from forwardauth.users.model import User
from forwardauth.users.reader import load_users, parse_users
from forwardauth.users.stamps import is_current
from forwardauth.users.table import (
    LookupUser,
    OnChange,
    UserChange,
    UserChangeKind,
    UsersTable,
    changes_between,
    disabled_in,
    is_cut_off,
)
from forwardauth.users.version import Signature, lookup_signature, read_version
from forwardauth.users.writer import is_writable

__all__ = [
    "LookupUser",
    "OnChange",
    "UserChange",
    "UserChangeKind",
    "UsersFile",
    "UsersTable",
    "load_users",
]

_log = logging.getLogger(__name__)


class UsersFile:
    """The users of one file, always those of its last good version."""

    def __init__(
        self,
        path: Path,
        *,
        on_change: OnChange,
        table: UsersTable | None = None,
        is_current: bool = False,
    ) -> None:
        """Read the file; blocks, so construct it before the service answers.

        Args:
            path: The users file.
            on_change: Called with what ends sessions, after the new table counts, and
                with what looks a user up in it.
            table: As ``load_users`` has read it before. It counts while the file is the
                one that it was read from, which then is not read again.
            is_current: Whether *table* counts whatever the file is by now, which the
                watch then finds out.

        Raises:
            ConfigError: The file cannot be used.
        """
        self._path = path
        self._on_change = on_change
        # Where there is no file, reading it says so.
        if table is None or not (is_current or _is_of(table, path)):
            table = load_users(path)
        self.table = table
        """The users that count now; it is replaced as a whole."""
        self._judged: Signature | None = table.signature
        self._seen: Signature | None = table.signature
        self._pending = {c.username: c for c in disabled_in(self.table)}
        self._reading = asyncio.Lock()
        # All that came one after another share this; none keeps those in between.
        self._newest = [self]
        self._is_told = True
        self._is_saving_refused = False
        self._looks_writable = is_writable(path)

    @property
    def looks_writable(self) -> bool:
        """Whether a user could change the password here, as of the last look."""
        return self._looks_writable

    def get(self, username: str) -> User | None:
        """Return the user of that name, however it is spelled."""
        return self.table.get(username)

    def hand_over(self, successor: "UsersFile") -> None:
        """Let *successor*, just read, go on from here: it ends what has still to end.

        Whoever has begun with this one goes on with its users.
        """
        successor.go_on_from(self._path, self.table, self._pending, newest=self._newest)

    def go_on_from(
        self,
        path: Path,
        table: UsersTable,
        pending: Mapping[str, UserChange],
        *,
        newest: list["UsersFile"],
    ) -> None:
        """End what is different from *table* of the file at *path*, and *pending*.

        An edit that was taken since this was read is not taken back. It is in *newest*.
        """
        self._newest = newest
        newest[:] = [self]
        if self._path == path and table.read_ns > self.table.read_ns:
            self.table = table
            self._judged = self._seen = table.signature
        changes = changes_between(table, self.table)
        self._pending = {**pending, **{each.username: each for each in changes}}

    async def poll_once(self) -> None:
        """Take one look; read a new version once it has stood still for two looks.

        A file that is being written shows another size or time at the next look. Half
        of it may well be valid YAML, in which the users of the other half are missing.
        """
        async with self._reading:
            seen = await asyncio.to_thread(lookup_signature, self._path)
            self._looks_writable = await asyncio.to_thread(is_writable, self._path)
            has_settled, self._seen = seen == self._seen, seen
            if has_settled and seen != self._judged:
                await self._read()
        await self._tell()

    async def reload(self) -> None:
        """Read the file now, whether it looks changed or not; SIGHUP does this.

        A broken file is logged and changes nothing. What has been written by somebody
        who began with this file counts for those who begin with the next as well.
        """
        async with self._reading:
            await self._read()
        await self._tell()
        (newest,) = self._newest
        if newest is not self:
            await newest.reload()

    async def _read(self) -> None:
        """Judge the version on disk: take it, or log once why not."""
        self._judged = await asyncio.to_thread(lookup_signature, self._path)
        try:
            version = await asyncio.to_thread(read_version, self._path)
            self._judged = version.signature
            table = await asyncio.to_thread(
                parse_users,
                version.text,
                place=str(self._path),
                version=version,
            )
        except ConfigError as exc:
            first, *others = exc.problems
            more = f" (and {len(others)} more)" if others else ""
            _log.error("users stay as they were: %s%s", first, more)
            return
        changes = changes_between(self.table, table)
        if is_cut_off(self.table, table):
            _log.error(
                "users stay as they were: %s ends in the middle of a line, and users"
                " are missing: if it is whole, let it end with a line break",
                self._path,
            )
            return
        # The new table counts first. A login that is under way may still make a
        # session, but with a stamp or a user that verify refuses from here on.
        self.table = table
        self._pending |= {change.username: change for change in changes}
        _log.info("users read from %s: %d", self._path, len(table.users))

    async def _tell(self) -> None:
        """Pass on what ends sessions; keep it until that has worked."""
        changes = tuple(self._pending.values())
        if not changes:
            return
        try:
            await self._on_change(changes, self.get)
        except StoreUnavailableError as exc:
            if self._is_told:
                _log.warning("sessions of changed users have yet to end: %s", exc)
            self._is_told = False
            return
        self._is_told = True
        for change in changes:
            if self._pending.get(change.username) is change:
                del self._pending[change.username]

    async def change_password(self, user: User, new_hash: str) -> bool:
        """Give *user* another password, and let it count at once.

        What ends with the old password has been told when this returns, or will be
        told again as after any edit.

        Returns:
            False when the file has another password for *user* by now, or no such user:
            nothing was written, and what stands there counts from here on.

        Raises:
            EditError: The file cannot be written, or is not to be.
            ConfigError: The file is missing or has mistakes.
        """
        if not await asyncio.to_thread(is_writable, self._path):
            raise EditError(f"{self._path} is read-only")
        current: User | None = user
        # Twice, since a login may just have written another hash of that password.
        for _ in range(2):
            if current is None or not is_current((user.stamp,), current.password_hash):
                return False
            is_written = await asyncio.to_thread(
                replace_hash,
                self._path,
                user.username,
                old=current.password_hash,
                new=new_hash,
            )
            await self.reload()
            if is_written:
                return True
            current = self.get(user.username)
        return False

    async def save_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        """Replace a hash in the file by a stronger one of the same password.

        It is done only while the file still holds *old_hash* for that user. A file that
        cannot be written is no error: the login stands, and the log says so once.
        """
        try:
            await asyncio.to_thread(
                replace_hash, self._path, username, old=old_hash, new=new_hash
            )
        except (ConfigError, EditError) as exc:
            if not self._is_saving_refused:
                _log.warning("old password hashes stay in the users file: %s", exc)
            self._is_saving_refused = True


def _is_of(table: UsersTable, path: Path) -> bool:
    """Whether the file at *path* is as *table* was read from it."""
    signature = lookup_signature(path)
    return signature is not None and table.signature == signature
