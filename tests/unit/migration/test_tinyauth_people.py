"""Whom the lists of an application of tinyauth mean."""

import pytest

from forwardauth.migration.tinyauth_people import People, Subjects

ALICE, BOB = ("user:alice",), ("user:bob",)
JANE, STAFF = ("user:jane@example.org",), ("group:staff",)

LISTS: dict[str, tuple[dict[str, str], Subjects | None]] = {
    "nothing": ({}, None),
    "users": ({"USERS_ALLOW": "alice, eve"}, (ALICE, ("user:eve",))),
    "nobody there is": ({"USERS_ALLOW": "/^x/"}, ()),
    "blocked by name": ({"USERS_BLOCK": "bob"}, None),
    "blocked by expression": ({"USERS_BLOCK": "/^x/"}, (ALICE, BOB)),
    "anybody": ({"OAUTH_WHITELIST": "/.*/"}, None),
    "an address": ({"OAUTH_WHITELIST": "jane@example.org"}, (ALICE, BOB, JANE)),
    "a group": ({"OAUTH_GROUPS": "staff"}, (ALICE, BOB, STAFF)),
    "both at once": (
        {"OAUTH_WHITELIST": "jane@example.org", "OAUTH_GROUPS": "staff"},
        (ALICE, BOB, (*JANE, *STAFF)),
    ),
    "blocked in a directory": (
        {"LDAP_GROUPS": "staff", "USERS_BLOCK": "/^x/"},
        (ALICE, BOB),
    ),
    "named and known to a directory": (
        {"LDAP_GROUPS": "staff", "USERS_ALLOW": "alice,eve"},
        (ALICE, (*ALICE, *STAFF), ("user:eve", *STAFF)),
    ),
}


@pytest.mark.parametrize(("said", "wanted"), LISTS.values(), ids=LISTS)
def test_lists_mean_users_and_groups(
    said: dict[str, str], wanted: Subjects | None
) -> None:
    """Everybody is meant only where no list could keep somebody out, now or later."""
    people = People(said=said, usernames=("alice", "bob"), denies=False)

    assert people.allowed == wanted


def test_who_is_blocked_is_named() -> None:
    """An expression blocks whom it matches of those there are and those it names."""
    said = {"USERS_BLOCK": "/li|^c/", "USERS_ALLOW": "alice,bob,carol"}
    people = People(said=said, usernames=("alice", "bob"), denies=False)

    assert people.blocked == (ALICE, ("user:carol",))


def test_nobody_is_let_in_without_a_list_where_that_is_so_there() -> None:
    """With such a policy silence means no."""
    assert People(said={}, usernames=("alice",), denies=True).allowed == ()
