"""The queue of one application: bounded, in order of what is due, each login once."""

import asyncio
import gc
from datetime import timedelta

from forwardauth.web.logout_tokens import EndedLogin
from forwardauth.web.notice_queue import Notice, NoticeQueue
from tests.support.clock import START

NEVER = 3600.0


def login(name: str, *, after_seconds: int = 0) -> EndedLogin:
    """Return the end of the login *name*."""
    ended = START + timedelta(seconds=after_seconds)
    return EndedLogin(login_id=name, username="alice", ended=ended)


async def take(queue: NoticeQueue) -> Notice:
    """Return what is due; a queue with nothing to give fails the test."""
    notice = await asyncio.wait_for(queue.take(), timeout=5)
    assert notice is not None
    return notice


async def names(queue: NoticeQueue) -> list[str]:
    """Return the logins that are left, in order."""
    queue.close()
    found = []
    while (notice := await queue.take()) is not None:
        found.append(notice.login.login_id)
    return found


async def test_ends_are_told_in_order() -> None:
    """First come, first told."""
    queue = NoticeQueue(10)
    for name in "abc":
        assert queue.add(login(name)) is None

    assert [(await take(queue)).login.login_id for _ in range(3)] == ["a", "b", "c"]


async def test_whoever_waits_is_woken() -> None:
    """An end is told of at once, not at the next round."""
    queue = NoticeQueue(10)
    waiting = asyncio.create_task(take(queue))
    await asyncio.sleep(0)

    queue.add(login("a"))

    assert (await waiting).login == login("a")


async def test_a_full_queue_pushes_out_the_oldest() -> None:
    """What has just happened matters most."""
    queue = NoticeQueue(2)
    dropped = [queue.add(login(name)) for name in "abcd"]

    assert [n.login.login_id if n else None for n in dropped] == [None, None, "a", "b"]
    assert len(queue) == 2
    assert await names(queue) == ["c", "d"]


async def test_two_ends_of_one_login_are_one_notice() -> None:
    """The later one counts, since it was the last session of the login."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    queue.add(login("b"))
    queue.add(login("a", after_seconds=5))

    first, second = await take(queue), await take(queue)

    assert first.login == login("b")
    assert second.login == login("a", after_seconds=5)
    assert await names(queue) == []


async def test_a_login_that_ends_again_is_as_young_as_its_last_end() -> None:
    """It is not pushed out for the age of its first."""
    queue = NoticeQueue(2)
    queue.add(login("a"))
    queue.add(login("b"))
    queue.add(login("a", after_seconds=5))

    dropped = queue.add(login("c"))

    assert dropped == Notice(login=login("b"))
    assert await names(queue) == ["a", "c"]


async def test_what_has_failed_holds_nothing_up() -> None:
    """A login that an application stumbles over waits beside the others."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    queue.add(login("b"))

    assert queue.put_back(await take(queue), delay_seconds=NEVER) is None

    assert (await take(queue)).login.login_id == "b"
    assert await names(queue) == ["a"]


async def test_failures_are_counted() -> None:
    """Or a notice would be sent for ever."""
    queue = NoticeQueue(10)
    queue.add(login("a"))

    for failures in range(3):
        notice = await take(queue)
        assert notice.failures == failures
        queue.put_back(notice, delay_seconds=0)


async def test_a_retry_that_a_newer_end_covers_is_forgotten() -> None:
    """The login has ended again while the notice was on its way."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    notice = await take(queue)
    queue.add(login("a", after_seconds=5))

    assert queue.put_back(notice, delay_seconds=0) is None

    assert await take(queue) == Notice(login=login("a", after_seconds=5))
    assert await names(queue) == []


async def test_a_newer_end_does_not_wait_for_the_retry() -> None:
    """It is due at once, and has its attempts before it."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    queue.put_back(await take(queue), delay_seconds=NEVER)

    queue.add(login("a", after_seconds=5))

    assert await take(queue) == Notice(login=login("a", after_seconds=5))


async def test_a_retry_finds_no_room_in_a_full_queue() -> None:
    """It is the oldest of all."""
    queue = NoticeQueue(2)
    queue.add(login("a"))
    notice = await take(queue)
    queue.add(login("b"))
    queue.add(login("c"))

    assert queue.put_back(notice, delay_seconds=0) is notice

    assert await names(queue) == ["b", "c"]


async def test_a_retry_is_pushed_out_before_what_is_new() -> None:
    """Waiting does not make it younger."""
    queue = NoticeQueue(2)
    queue.add(login("a"))
    queue.add(login("b"))
    queue.put_back(await take(queue), delay_seconds=NEVER)

    dropped = queue.add(login("c"))

    assert dropped is not None
    assert dropped.login.login_id == "a"
    assert await names(queue) == ["b", "c"]


async def test_nothing_grows_while_an_application_is_dead() -> None:
    """Of what was pushed out nothing is held, and what is left comes in order."""
    queue = NoticeQueue(3)

    for number in range(1000):
        queue.add(login(str(number)))

    held = sum(isinstance(thing, Notice) for thing in gc.get_objects())
    assert held < 50
    assert await names(queue) == ["997", "998", "999"]


async def test_a_closed_queue_waits_for_nothing() -> None:
    """At the end retries are due at once, and then there is ``None``."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    queue.put_back(await take(queue), delay_seconds=NEVER)
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)

    queue.close()

    assert await waiting == Notice(login=login("a"), failures=1)
    assert await queue.take() is None


async def test_what_is_cleared_is_handed_over() -> None:
    """Somebody has to say that it was not sent."""
    queue = NoticeQueue(10)
    queue.add(login("a"))
    queue.add(login("b"))

    assert [notice.login.login_id for notice in queue.clear()] == ["a", "b"]
    assert await names(queue) == []
