"""Whatever goes wrong between the store and Redis is an outage, never "no session".

The server is real wherever it can be made to fail; the rest is spoken by a server that
knows one answer, or lost by a relay. Law 3 of ``sessions/store.py``.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.bulk import Creation
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores import redis_scripts as scripts
from tests.support.processes import free_ports
from tests.support.redis_faults import Relay, answering
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.unit.sessions.contract import (
    add_all,
    at,
    create_entry,
    every_call,
    everything,
    is_same_set,
    load_all,
)

EVERY: Final = frozenset(every_call())
WRITES: Final = frozenset({"create", "ping"})
"""Calls that write in any case; others may find that there is nothing to change."""

SHORT_MS: Final = 100
SLACK_SECONDS: Final = 15.0
"""What a busy machine may add to a bound, far from for ever."""

SECRET: Final = "s3cret-of-the-store"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server that flushes what it acknowledges."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """The beginning of this test's keys."""
    return create_prefix()


@pytest.fixture
async def store(redis: RedisServer, prefix: str) -> AsyncIterator[SessionStore]:
    """An empty store."""
    async with opened(redis.url, prefix=prefix) as store:
        yield store


async def failing(store: SessionStore) -> set[str]:
    """Return the methods that raise ``StoreUnavailableError``; nothing else may."""
    failed = set()
    for name, call in every_call().items():
        try:
            await call(store)
        except StoreUnavailableError:
            failed.add(name)
    return failed


# a server that is away


async def test_stopped_server_fails_every_call_and_is_found_again(
    store: SessionStore, redis: RedisServer
) -> None:
    """The same store works again by itself, with what it had kept [L-15]."""
    kept, ended = create_entry(), create_entry()
    await add_all(store, [kept, ended])
    await store.delete(ended.digest)

    with redis.stopped():
        failed = await failing(store)
        with pytest.raises(StoreUnavailableError):
            await store.load(kept.digest)

    assert failed == EVERY
    assert await load_all(store, [kept, ended]) == [kept, None]
    assert await store.touch(kept.digest, seen=at(60), expires=at(3_660))
    assert await failing(store) == set()


async def test_killed_server_has_all_that_was_answered(
    store: SessionStore, redis: RedisServer
) -> None:
    """No ended session comes back, and none is lost, with the log that we ask for."""
    kept = [create_entry(login="kept") for _ in range(10)]
    ended = [create_entry(login=f"login-{n}") for n in range(10)]
    await add_all(store, [*kept, *ended])
    await store.delete_owner("alice", keep_login="kept")

    redis.kill()
    redis.start()

    assert await load_all(store, kept) == kept
    assert await load_all(store, ended) == [None] * 10
    assert len(await store.delete_login("kept")) == 10


async def test_nobody_listens() -> None:
    """An address where there never was a server fails every call."""
    (port,) = free_ports(1)

    async with opened(f"redis://127.0.0.1:{port}/0") as store:
        assert await failing(store) == EVERY


@pytest.mark.parametrize(
    "scheme", ["redis", "redis+sentinel", "redis+cluster", "rediss"]
)
async def test_whatever_the_servers_are_their_absence_is_an_outage(scheme: str) -> None:
    """Sentinels and clusters that are away are told like any other server."""
    ports = free_ports(2)
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    urls = {
        "redis": f"redis://127.0.0.1:{ports[0]}/0",
        "rediss": f"rediss://127.0.0.1:{ports[0]}/0",
        "redis+sentinel": f"redis+sentinel://{hosts}/sessions",
        "redis+cluster": f"redis+cluster://{hosts}",
    }

    async with opened(urls[scheme]) as store:
        failed = await failing(store)
        with pytest.raises(StoreUnavailableError, match=str(ports[0])):
            await store.ping()

    assert failed == EVERY


async def test_absence_of_a_cluster_is_told_to_all_who_ask_at_once() -> None:
    """The first who meets it gives its addresses up, and nobody does so twice."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in free_ports(2))
    async with opened(f"redis+cluster://{hosts}") as store:
        calls = [store.count() for _ in range(3)]

        told = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in told] == [StoreUnavailableError] * 3


async def test_closed_store_fails_every_call(redis: RedisServer) -> None:
    """After ``close`` nothing connects again; ``close`` before any use is no error."""
    async with opened(redis.url) as used, opened(redis.url) as unused:
        await used.ping()
        await used.close()
        await unused.close()

        assert await failing(used) == EVERY
        assert await failing(unused) == EVERY


# a server that hangs


@pytest.mark.parametrize("turns", range(0, 24, 2))
async def test_closing_leaves_no_connection_behind(
    redis: RedisServer, turns: int
) -> None:
    """A call that was under way may only then have its connection; it is closed."""
    redis.run("CLIENT", "KILL", "TYPE", "normal")
    async with opened(redis.url, prefix=create_prefix()) as store:
        calls = [asyncio.create_task(store.count()) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)

        await store.close()
        await asyncio.gather(*calls, return_exceptions=True)

        # The one that is left asks for the list.
        async with asyncio.timeout(SLACK_SECONDS):
            while redis.run("CLIENT", "LIST", "TYPE", "normal").count(b"id=") > 1:  # noqa: ASYNC110 - the server tells
                await asyncio.sleep(0.01)


async def test_hanging_server_is_an_outage_within_bounds(
    redis: RedisServer, prefix: str
) -> None:
    """Each call ends after a few timeouts, and the next one after the pause works."""
    entry = create_entry()
    async with opened(redis.url, prefix=prefix, timeout_ms=SHORT_MS) as store:
        await store.create(entry)
        loop = asyncio.get_running_loop()

        started = loop.time()
        with redis.paused():
            with pytest.raises(StoreUnavailableError):
                await store.load(entry.digest)
            single = loop.time() - started
            crowd = await asyncio.gather(
                *(store.load(entry.digest) for _ in range(300)), return_exceptions=True
            )
            whole = loop.time() - started

        assert single < 3 * SHORT_MS / 1_000 + SLACK_SECONDS
        assert whole < 6 * SHORT_MS / 1_000 + SLACK_SECONDS
        assert {type(each) for each in crowd} == {StoreUnavailableError}

    async with opened(redis.url, prefix=prefix) as store:
        assert await store.load(entry.digest) == entry


async def test_logout_while_the_server_hangs_is_not_answered_as_done(
    redis: RedisServer, prefix: str
) -> None:
    """The end may come true later; it is never claimed, and it can be repeated [L-9].

    That an end without an answer is tried again is for the revoker.
    """
    entry = create_entry()
    async with opened(redis.url, prefix=prefix, timeout_ms=SHORT_MS) as store:
        await store.create(entry)

        with redis.paused(), pytest.raises(StoreUnavailableError):
            await store.delete(entry.digest)

    async with opened(redis.url, prefix=prefix) as store:
        await store.delete(entry.digest)
        assert await store.load(entry.digest) is None
        assert await store.list_owner("alice") == ()


# a caller that gives up


@pytest.mark.parametrize("name", ["load", "touch", "delete", "count"])
async def test_cancelled_call_ends_cancelled(store: SessionStore, name: str) -> None:
    """Whichever step it is in: a task that ignored it would hold up the shutdown."""
    await store.create(create_entry())
    await store.ping()
    steps, is_over = 0, False
    while not is_over:
        steps += 1
        call = asyncio.ensure_future(every_call()[name](store))
        for _ in range(steps):
            await asyncio.sleep(0)

        is_over = not call.cancel()
        await asyncio.wait([call])

        assert call.cancelled() or is_over, f"ignored after {steps} steps"
    assert steps > 2
    assert await failing(store) == set()


# connections that end


async def test_reset_connections_are_made_again_unnoticed(
    store: SessionStore, redis: RedisServer
) -> None:
    """What a server or a firewall closed while it was idle fails no call."""
    entries = [create_entry() for _ in range(20)]
    await add_all(store, entries)

    redis.reset_connections()
    assert await load_all(store, entries) == entries
    redis.reset_connections()
    assert await store.touch(entries[0].digest, seen=at(60), expires=at(3_660))
    redis.reset_connections()
    assert await store.delete(entries[1].digest) == replace(
        entries[1], seen=at(60), expires=at(3_660)
    )
    redis.reset_connections()
    assert len(await store.delete_owner("alice")) == 19

    assert await everything(store) == {}


async def test_resets_amid_a_storm_break_no_law(
    store: SessionStore, redis: RedisServer
) -> None:
    """A call fails or is true: what was ended is gone, and nothing is "absent"."""
    entries = [create_entry(login=f"login-{n}") for n in range(40)]
    await add_all(store, entries)
    calls = [
        asyncio.ensure_future(store.touch(e.digest, seen=at(n), expires=at(n + 3_600)))
        for e in entries
        for n in range(1, 5)
    ]
    loads = [asyncio.ensure_future(store.load(e.digest)) for e in entries[20:]]
    ends = [asyncio.ensure_future(store.delete(e.digest)) for e in entries[:20]]

    for _ in range(3):
        await asyncio.to_thread(redis.reset_connections)
    ended = await asyncio.gather(*ends, return_exceptions=True)
    loaded = await asyncio.gather(*loads, return_exceptions=True)
    touched = await asyncio.gather(*calls, return_exceptions=True)

    outcomes = zip(entries[:20], ended, strict=True)
    known = [entry for entry, end in outcomes if not isinstance(end, BaseException)]
    assert await load_all(store, known) == [None] * len(known)
    assert all(each is not None for each in loaded)
    raised = [e for e in (*ended, *loaded, *touched) if isinstance(e, BaseException)]
    assert {type(error) for error in raised} <= {StoreUnavailableError}
    await store.delete_owner("alice")
    assert await everything(store) == {}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(scripts.PREPARE, id="prepare"),
        pytest.param(scripts.KEEP, id="keep"),
        pytest.param(scripts.ACTIVATE, id="activate"),
    ],
)
async def test_create_whose_answer_was_lost_is_done_once(
    redis: RedisServer, prefix: str, script: scripts.Script
) -> None:
    """The repeated step changes nothing more, and the session is whole."""
    entry = create_entry()
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, [create_entry(owner="bob", login="b")])
        relay.lose_answer_to(script.sha1.encode())

        assert await store.create(entry) is True

        assert relay.lost == 1
        assert await store.load(entry.digest) == entry
        assert await store.list_owner("alice") == (entry,)
        assert await store.count() == 2
        assert await store.delete_login(entry.login) == (entry,)


@pytest.mark.parametrize(
    "script", [scripts.PREPARE, scripts.ACTIVATE], ids=["prepare", "activate"]
)
async def test_many_whose_answers_were_lost_are_made_once(
    redis: RedisServer, prefix: str, script: scripts.Script
) -> None:
    """A step that is repeated for all of them changes nothing more for any."""
    entries = [create_entry(login=f"login{number}") for number in range(5)]
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, [create_entry(owner="bob", login="b")])
        relay.lose_answer_to(script.sha1.encode())

        assert await store.create_all(entries) == (Creation.MADE,) * 5

        assert relay.lost == 1
        assert await store.count() == 6
        assert is_same_set(await store.delete_owner("alice"), entries)
        assert await store.count() == 1


@pytest.mark.parametrize(
    "script",
    [pytest.param(scripts.DOOM, id="doom"), pytest.param(scripts.END, id="end")],
)
async def test_end_whose_answer_was_lost_still_tells_what_ended(
    redis: RedisServer, prefix: str, script: scripts.Script
) -> None:
    """The same call asks again, and gets what it has ended itself."""
    entries = [create_entry() for _ in range(3)]
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, entries)
        await store.delete_owner("nobody")
        await store.delete(create_entry().digest)
        relay.lose_answer_to(script.sha1.encode())

        ended = await store.delete_owner("alice")

        assert relay.lost == 1
        assert {entry.digest for entry in ended} == {entry.digest for entry in entries}
        assert await everything(store) == {}


async def test_lost_answer_is_told_of_before_the_call_is_repeated(
    redis: RedisServer, prefix: str
) -> None:
    """Whoever remembers ends can promise them before another server is believed."""
    entry = create_entry()
    told: list[int] = []
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, [entry])
        await store.delete(create_entry().digest)
        store.tell_faults(lambda: told.append(relay.lost))
        relay.lose_answer_to(scripts.END.sha1.encode())

        ended = await store.delete(entry.digest)

        assert ended == entry
        assert told == [1]


async def test_end_of_all_returns_while_rows_keep_coming(
    redis: RedisServer, prefix: str
) -> None:
    """One row before each look would go on for ever; what was there first has ended."""
    entries = [create_entry() for _ in range(3)]
    rows: list[bytes] = []

    def add_row() -> None:
        rows.append(create_entry().digest + bytes(8) + b"login")
        redis.run("ZADD", f"{prefix}:o:alice", "9999999999999", rows[-1])

    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, entries)
        relay.before_each(scripts.DOOM.sha1.encode(), add_row)

        ended = await store.delete_owner("alice")

        assert {entry.digest for entry in ended} == {entry.digest for entry in entries}
        assert 1 < len(rows) < 100
        assert await everything(store) == {}


async def test_touch_whose_answer_was_lost_is_not_repeated(
    redis: RedisServer, prefix: str
) -> None:
    """A second one would say that nothing changed; the session is whole, and ends."""
    entry = create_entry()
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=prefix) as store:
        await add_all(store, [entry])
        await store.touch(entry.digest, seen=at(1), expires=at(3_601))
        relay.lose_answer_to(scripts.TOUCH.sha1.encode())

        with pytest.raises(StoreUnavailableError):
            await store.touch(entry.digest, seen=at(60), expires=at(3_660))

        assert relay.lost == 1
        loaded = await store.load(entry.digest)
        assert loaded is not None
        assert loaded.seen == at(60)
        assert await store.delete(entry.digest) == loaded
        assert await store.load(entry.digest) is None


# a server that refuses


@contextmanager
def as_replica(redis: RedisServer) -> Iterator[None]:
    """Demote *redis* for a while, below a primary that is not there."""
    redis.run("REPLICAOF", "127.0.0.1", str(free_ports(1)[0]))
    try:
        yield
    finally:
        redis.run("REPLICAOF", "NO", "ONE")


@contextmanager
def as_stale_replica(redis: RedisServer) -> Iterator[None]:
    """Demote *redis* to a replica that does not serve what may be old."""
    with redis.configured("replica-serve-stale-data", "no"), as_replica(redis):
        yield


REFUSALS: Final = {
    "NOREPLICAS": lambda redis: redis.configured("min-replicas-to-write", "1"),
    "READONLY": as_replica,
    "MASTERDOWN": as_stale_replica,
}
"""What a real server refuses with, and how it is brought to it."""


@pytest.mark.parametrize("code", REFUSALS)
async def test_refusal_of_a_real_server_is_an_outage_until_it_ends(
    store: SessionStore, redis: RedisServer, code: str
) -> None:
    """Nothing is lost by it, nothing is claimed, and then it works by itself."""
    kept, late = create_entry(), create_entry()
    await store.create(kept)
    refusal: AbstractContextManager[None] = REFUSALS[code](redis)

    with refusal:
        failed = await failing(store)
        with pytest.raises(StoreUnavailableError):
            await store.create(late)
        with pytest.raises(StoreUnavailableError):
            await store.delete(kept.digest)

    assert failed >= WRITES
    assert await load_all(store, [kept, late]) == [kept, None]
    assert await store.create(late)
    assert await store.delete(kept.digest) == kept


async def test_full_server_creates_nothing_and_still_ends_sessions(
    store: SessionStore, redis: RedisServer
) -> None:
    """A logout needs no memory, and is not refused for want of it."""
    entry, late = create_entry(), create_entry()
    await store.create(entry)

    with redis.configured("maxmemory", "1"):
        failed = await failing(store)
        with pytest.raises(StoreUnavailableError):
            await store.create(late)
        ended = await store.delete(entry.digest)

    assert failed >= WRITES
    assert ended == entry
    assert await load_all(store, [entry, late]) == [None, None]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"-LOADING Redis is loading the dataset in memory\r\n", id="load"),
        pytest.param(b"-BUSY Redis is busy running a script\r\n", id="busy"),
        pytest.param(b"-OOM command not allowed\r\n", id="oom"),
        pytest.param(b"-READONLY You can't write against a replica\r\n", id="readonly"),
        pytest.param(b"-MASTERDOWN Link with MASTER is down\r\n", id="masterdown"),
        pytest.param(b"-MISCONF Errors writing to the AOF file\r\n", id="misconf"),
        pytest.param(b"-NOAUTH Authentication required.\r\n", id="noauth"),
        pytest.param(b"-NOPERM no permissions\r\n", id="noperm"),
        pytest.param(b"-CLUSTERDOWN Hash slot not served\r\n", id="clusterdown"),
        pytest.param(b"-MOVED 1 127.0.0.1:1\r\n", id="moved"),
        pytest.param(b"-TRYAGAIN Multiple keys\r\n", id="tryagain"),
        pytest.param(b"-NOSCRIPT No matching script\r\n", id="noscript"),
        pytest.param(b"-ERR max number of clients reached\r\n", id="too-many"),
        pytest.param(b"-\r\n", id="empty-error"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="http"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x46\r\n", id="tls-alert"),
        pytest.param(b"$abc\r\n", id="no-number"),
        pytest.param(b"", id="closed"),
    ],
)
async def test_answer_that_is_none_is_an_outage(answer: bytes) -> None:
    """Whatever is said instead, every call says that the store cannot be used."""
    async with answering(answer) as url, opened(url, timeout_ms=2_000) as store:
        assert await failing(store) == EVERY


# who may not


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a server that wants a password."""
    with RedisServer(tmp_path_factory.mktemp("guarded"), password=SECRET) as server:
        yield server


@pytest.mark.parametrize(
    "user",
    [
        pytest.param("", id="no-password"),
        pytest.param(":wr0ng-pass@", id="wrong-password"),
        pytest.param("nobody:wr0ng-pass@", id="unknown-user"),
    ],
)
async def test_wrong_password_is_an_outage_and_is_not_told(
    guarded: RedisServer, user: str
) -> None:
    """Every call fails, and no message quotes what was tried."""
    async with opened(guarded.url.replace("//", f"//{user}")) as store:
        failed = await failing(store)
        with pytest.raises(StoreUnavailableError) as caught:
            await store.ping()

    assert failed == EVERY
    assert "wr0ng-pass" not in f"{caught.value!r}"


async def test_right_password_lets_us_in(guarded: RedisServer) -> None:
    """The password of the URL is the one of the user ``default``."""
    async with opened(guarded.url.replace("//", f"//:{SECRET}@")) as store:
        assert await failing(store) == set()
