"""All users at one moment, and what an edit means for their sessions."""

from collections.abc import Mapping

import pytest

from forwardauth.users.model import User
from forwardauth.users.stamps import stamp_of, successor_salt
from forwardauth.users.table import (
    UserChange,
    UserChangeKind,
    UsersTable,
    changes_between,
    disabled_in,
)
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, make_user

REHASHED = CHEAP.hash(b"U*U", salt=successor_salt(stamp_of(BCRYPT)))


def table_of(*users: User) -> UsersTable:
    """Return a table of *users*."""
    return UsersTable(users={user.username: user for user in users})


@pytest.mark.parametrize("typed", ["Zoë", "zoë", "ZOË", " zoe\u0308 "])
def test_user_is_found_in_any_spelling(typed: str) -> None:
    """What is found carries the spelling of the file, which sessions keep."""
    found = table_of(make_user("Zoë"), make_user("bob")).get(typed)

    assert found is not None
    assert found.username == "Zoë"


def test_unknown_user_is_none() -> None:
    """Absence is no error."""
    assert table_of(make_user()).get("mallory") is None


def test_decoy_is_of_the_usual_kind() -> None:
    """The stand-in for unknown users has the form that most users have."""
    others = (make_user(name, password_hash=BCRYPT) for name in ("bob", "carol"))

    assert table_of(make_user(), *others).decoy == BCRYPT
    assert table_of(make_user()).decoy == ARGON2ID
    assert table_of().decoy is None


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (make_user(), None, UserChangeKind.REMOVED),
        (make_user(), make_user("Alice"), UserChangeKind.REMOVED),
        (make_user(), make_user(disabled=True), UserChangeKind.DISABLED),
        (
            make_user(),
            make_user(password_hash=BCRYPT),
            UserChangeKind.PASSWORD_CHANGED,
        ),
        (
            make_user(),
            make_user(password_hash=BCRYPT, disabled=True),
            UserChangeKind.DISABLED,
        ),
        (make_user(), make_user(groups=("admins",)), None),
        (make_user(disabled=True), make_user(), None),
        (
            make_user(password_hash=BCRYPT),
            make_user(password_hash=REHASHED),
            None,
        ),
        (
            make_user(password_hash=REHASHED),
            make_user(password_hash=BCRYPT),
            UserChangeKind.PASSWORD_CHANGED,
        ),
        (None, make_user(), None),
    ],
    ids=[
        "removed",
        "spelled in another way",
        "disabled",
        "password",
        "password and disabled",
        "groups",
        "enabled",
        "rehashed",
        "put back",
        "added",
    ],
)
def test_edit_ends_sessions_or_not(
    before: User | None, after: User | None, kind: UserChangeKind | None
) -> None:
    """V-7, L-12: what ends sessions is told, what does not just takes effect."""
    bob = make_user("bob")
    old = table_of(*filter(None, [before, bob]))
    new = table_of(*filter(None, [bob, after]))

    changes = changes_between(old, new)

    expected = () if kind is None else (UserChange(username="alice", kind=kind),)
    assert changes == expected


def test_users_who_are_disabled_already_count_as_just_disabled() -> None:
    """An edit while the service was down ends sessions when it comes back."""
    table = table_of(make_user(), make_user("bob", disabled=True))

    assert disabled_in(table) == (
        UserChange(username="bob", kind=UserChangeKind.DISABLED),
    )


def test_table_cannot_be_changed_through_its_users() -> None:
    """A table is one version; the next version is another table."""
    users: Mapping[str, User] = table_of(make_user()).users

    assert set(users) == {"alice"}
