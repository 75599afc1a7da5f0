"""All users at one moment, and what an edit of the file means for their sessions."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from forwardauth.users.hashes import cost_of
from forwardauth.users.model import User, canonical_name
from forwardauth.users.stamps import is_current
from forwardauth.users.version import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersTable:
    """The users of one version of the file.

    Attributes:
        users: By user name as it is spelled in the file; never changed.
        signature: Of the version that they were read from, where that is a file.
        read_ns: When it was read, as ``Version`` has it; 0 where it is no file.
        ends_whole: Whether its text ended with a line break, as whole files do.
        decoy: A hash of the kind that most users have, ``None`` without users. It is
            verified in place of an unknown user's, so that a file of bcrypt hashes,
            say, does not tell by the time of an answer which names it holds.
    """

    users: Mapping[str, User]
    signature: Signature | None = field(default=None, compare=False)
    read_ns: int = field(default=0, compare=False)
    ends_whole: bool = field(default=True, compare=False)
    decoy: str | None = field(init=False, repr=False, compare=False)
    _by_canonical_name: Mapping[str, User] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Build what is asked for often."""
        users = self.users.values()
        by_canonical_name = {canonical_name(user.username): user for user in users}
        object.__setattr__(self, "_by_canonical_name", by_canonical_name)
        costs = Counter(cost_of(user.password_hash) for user in users)
        usual = max(costs, key=costs.__getitem__, default=None)
        of_that_cost = (
            u.password_hash for u in users if cost_of(u.password_hash) == usual
        )
        object.__setattr__(self, "decoy", next(of_that_cost, None))

    def get(self, username: str) -> User | None:
        """Return the user of that name, however it is spelled.

        What a session keeps is ``User.username``, never *username* as it was typed.
        """
        found = self.users.get(username)
        return found or self._by_canonical_name.get(canonical_name(username))


class UserChangeKind(StrEnum):
    """Why the sessions of a user have to end."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a cause, not a password
    DISABLED = "disabled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """An edit that ends sessions; names, addresses and groups just take effect."""

    username: str
    kind: UserChangeKind


LookupUser: TypeAlias = Callable[[str], User | None]
"""Returns the user of a name as of now, however it is spelled."""

OnChange: TypeAlias = Callable[[tuple[UserChange, ...], LookupUser], Awaitable[None]]
"""Ends sessions. It may be told of a change twice; raising means "tell me again"."""


def changes_between(old: UsersTable, new: UsersTable) -> tuple[UserChange, ...]:
    """Return what changed from *old* to *new*, at most one change for each user.

    A name that is spelled in another way is a removed user and a new one. The rehash of
    a password at login is no change.
    """
    kinds = {
        before.username: _kind_of(before, new.users.get(before.username))
        for before in old.users.values()
    }
    return tuple(
        UserChange(username=username, kind=kind)
        for username, kind in kinds.items()
        if kind is not None
    )


def _kind_of(before: User, after: User | None) -> UserChangeKind | None:
    if after is None:
        return UserChangeKind.REMOVED
    if after.disabled and not before.disabled:
        return UserChangeKind.DISABLED
    if not is_current((before.stamp,), after.password_hash):
        return UserChangeKind.PASSWORD_CHANGED
    return None


def disabled_in(table: UsersTable) -> tuple[UserChange, ...]:
    """Return a change for each disabled user, as if all had been disabled just now.

    A user who was disabled while the service was down still has sessions in the store.
    They must have ended before the user is enabled again.
    """
    return tuple(
        UserChange(username=user.username, kind=UserChangeKind.DISABLED)
        for user in table.users.values()
        if user.disabled
    )


def is_cut_off(old: UsersTable, new: UsersTable) -> bool:
    """Whether *new* may be the beginning of a file that was to follow *old*.

    What a full disk, or a copy that was cut off, has left of it may be valid all the
    same. The sessions of those who are missing could not come back.
    """
    is_torn = old.ends_whole and not new.ends_whole
    return is_torn and any(
        each.kind is UserChangeKind.REMOVED for each in changes_between(old, new)
    )
