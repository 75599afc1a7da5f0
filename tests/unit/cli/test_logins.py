"""Sessions as their users see them: one for each login."""

from datetime import timedelta

from forwardauth.cli.logins import group_logins
from tests.support.clock import START
from tests.support.stored_sessions import make_live


def test_sessions_of_one_login_are_one() -> None:
    """Begun with the first of them, used when any was, in the order of the domains."""
    later = START + timedelta(minutes=5)
    linked = make_live(now=later, login="one", domain="example.org").session
    first = make_live(now=START, login="one").session

    (login,) = group_logins([linked, first])

    assert login.first == first
    assert login.seen == later
    assert login.domains == ("example.com", "example.org")


def test_logins_keep_the_order_in_which_they_come() -> None:
    """Whoever sorts them has sorted them before."""
    names = ["bob", "alice", "carol"]
    sessions = [make_live(name, now=START).session for name in names]

    assert [each.first.username for each in group_logins(sessions)] == names


def test_users_are_told_apart_whatever_their_logins_are_called() -> None:
    """No two share one, and a store that says so is not believed."""
    sessions = [make_live(name, login="one").session for name in ("alice", "bob")]

    assert len(group_logins(sessions)) == 2


def test_domain_is_named_once() -> None:
    """However many sessions there are on it."""
    sessions = [make_live(login="one").session for _ in range(3)]

    (login,) = group_logins(sessions)

    assert login.domains == ("example.com",)
