"""What an edit of the users file ends, in a running service."""

import pytest

from forwardauth.web import keys
from tests.support.portal import HASH, WEAK_HASH, Portal


async def test_edit_of_a_password_ends_the_old_sessions_alone(portal: Portal) -> None:
    """Sessions of the old password are ended in the store, others stay (L-12)."""
    token, _ = await portal.create_session("alice")
    other, _ = await portal.create_session("bob")
    text = portal.users.read_text(encoding="utf-8")
    portal.users.write_text(text.replace(HASH, WEAK_HASH, 1), encoding="utf-8")

    await portal.app[keys.USERS].reload()

    assert await portal.store.list_owner("alice") == ()
    assert (await portal.verify(token)).status == 401
    assert (await portal.verify(other)).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  bob:\n", "  robert:\n"),
        ("displayname: Bob\n", "displayname: Bob\n    disabled: true\n"),
    ],
    ids=["removed", "disabled"],
)
async def test_edit_that_takes_a_user_away_ends_the_sessions(
    portal: Portal, old: str, new: str
) -> None:
    """Who may not sign in any more is out at once, in the store as well (L-12, V-7)."""
    token, _ = await portal.create_session("bob")
    text = portal.users.read_text(encoding="utf-8")
    portal.users.write_text(text.replace(old, new), encoding="utf-8")

    await portal.app[keys.USERS].reload()

    assert await portal.store.list_owner("bob") == ()
    assert (await portal.verify(token)).status == 401


async def test_edit_that_changes_no_password_ends_nothing(portal: Portal) -> None:
    """New groups count at the next verify, and nobody has to sign in again (V-7)."""
    token, _ = await portal.create_session("bob")
    before = await portal.verify(token, host="ops.example.com")
    text = portal.users.read_text(encoding="utf-8")
    edited = text.replace("displayname: Bob\n", "displayname: Bob\n    groups: [ops]\n")
    portal.users.write_text(edited, encoding="utf-8")

    await portal.app[keys.USERS].reload()

    after = await portal.verify(token, host="ops.example.com")
    assert (before.status, after.status) == (403, 200)
