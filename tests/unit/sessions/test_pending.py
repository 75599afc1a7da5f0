"""What is pending is found by digest, by login and by user, and counted rightly."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.sessions.pending import (
    PendingRevocation,
    PendingRevocations,
    look_up,
)
from tests.support.clock import START
from tests.support.stores import DownStore
from tests.unit.sessions.contract import create_entry


def pending(*, is_for_user: bool = False) -> PendingRevocation:
    """Return a revocation of which nothing is known."""
    return PendingRevocation(
        digest=digest_of(create_session_id()),
        login=None,
        owner=None,
        cause="user",
        until=START + timedelta(days=1),
        is_for_user=is_for_user,
    )


def test_login_is_refused_until_the_last_that_covers_it_is_over() -> None:
    """Two revocations of one login are two."""
    found = PendingRevocations()
    both = [replace(pending(), login="login-1", owner="alice") for _ in range(2)]
    entry = create_entry()
    for each in both:
        found.put(each.digest, each)
        found.put(each.digest, each)

    covered = []
    for each in both:
        covered.append(found.covers(entry))
        found.put(each.digest, None)

    assert covered == [True, True]
    assert not found.covers(entry)
    assert len(found) == 0


@pytest.mark.parametrize(
    ("known", "is_vague"),
    [
        pytest.param(pending(), True, id="nothing"),
        pytest.param(replace(pending(), login="l"), False, id="login"),
        pytest.param(replace(pending(is_for_user=True), login="l"), True, id="no user"),
        pytest.param(
            replace(pending(is_for_user=True), login="l", owner="o"), False, id="all"
        ),
    ],
)
def test_vague_is_what_only_the_store_knows(
    known: PendingRevocation, *, is_vague: bool
) -> None:
    """As soon as it is known what is covered, nobody has to ask."""
    found = PendingRevocations()
    found.put(known.digest, known)
    before = found.is_vague()
    found.put(known.digest, replace(known, login="l", owner="o"))

    assert before is is_vague
    assert not found.is_vague()
    assert found.may_cover_user("o")


async def test_store_tells_what_is_covered() -> None:
    """Its login, its user where all of that user end; nothing for nothing."""
    store = DownStore()
    entry = create_entry()
    await store.create(entry)
    mine = replace(pending(), digest=entry.digest)
    all_of_mine = replace(mine, is_for_user=True)

    found = [await look_up(each, store) for each in (mine, all_of_mine, pending())]
    store.go_down()

    assert found == [
        replace(mine, login="login-1"),
        replace(all_of_mine, login="login-1", owner="alice"),
        None,
    ]
    assert await look_up(replace(mine, login="l"), store) == replace(mine, login="l")
    with pytest.raises(StoreUnavailableError):
        await look_up(mine, store)


def test_later_promise_takes_nothing_back() -> None:
    """What two promises about one session say is promised, in whichever order."""
    vague = pending()
    later = vague.until + timedelta(hours=1)
    known = replace(vague, login="login", owner="alice", is_for_user=True, until=later)

    assert vague.joined(known) == known.joined(vague) == known
    assert known.joined(None) == known
