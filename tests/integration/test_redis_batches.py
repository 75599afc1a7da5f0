"""Look-ups that go to a real Redis together: fresh, in order, and closed when it fails.

What is told is what ``load`` would return, or the word to ask as everybody does, or an
outage that was waited for: never "no session" for a failure.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow
from forwardauth.sessions.model import to_ms
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.redis import RedisStore
from tests.support.certificates import create_certificates
from tests.support.processes import free_ports
from tests.support.redis_faults import Relay, answering
from tests.support.redis_groups import RedisPair, running_cluster
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import (
    ask,
    ask_all,
    ask_on_lane,
    create_prefix,
    opened,
)
from tests.support.until import until
from tests.unit.sessions.contract import PLAIN, add_all, at, create_entry

LOOK_UP: Final = b"\r\nHMGET\r\n"
"""Stands in the command of a look-up, and in no script."""

SHORT_MS: Final = 100
RECOVERY_SECONDS: Final = 30.0
SLACK_SECONDS: Final = 15.0
"""What a busy machine may add to a bound, far from for ever."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server, which waits for no disk."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, "--appendfsync", "no") as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """The beginning of this test's keys."""
    return create_prefix()


@pytest.fixture
async def store(redis: RedisServer, prefix: str) -> AsyncIterator[RedisStore]:
    """An empty store."""
    async with opened(redis.url, prefix=prefix) as store:
        yield store


def row(entry: Entry) -> Row:
    """Return what is told about *entry*."""
    return Row(entry.owner, entry.record, to_ms(entry.seen))


def _key(prefix: str, entry: Entry) -> str:
    return f"{prefix}:{{{entry.digest[0]:02x}}}:s:{entry.digest.hex()}"


def digests(entries: Iterable[Entry]) -> list[Digest]:
    """Return the keys of *entries*."""
    return [each.digest for each in entries]


# what is told


async def test_answer_is_what_load_returns(store: RedisStore) -> None:
    """The row of a session, nothing for none, each to who asked for it."""
    entries = [create_entry(owner=f"\u00fc{number}") for number in range(50)]
    absent = create_entry()
    await add_all(store, entries)
    await ask_on_lane(store, absent.digest)

    told = await ask_all(store, digests([*entries, absent]))

    assert told == [*map(row, entries), None]


async def test_first_is_told_to_ask_as_everybody_does(store: RedisStore) -> None:
    """No connection is waited for: one is made meanwhile."""
    entry = create_entry()
    await store.create(entry)

    first = await ask(store, entry.digest)

    assert isinstance(first, NoGlanceError)
    assert await ask_on_lane(store, entry.digest) == row(entry)


async def test_questions_asked_together_are_one_message(
    redis: RedisServer,
) -> None:
    """Many cost the system calls of one, and go on the connection of the last ones."""
    entries = [create_entry() for _ in range(20)]
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=create_prefix()) as store:
        await ask_on_lane(store, entries[0].digest)
        relay.asked.clear()

        told = await ask_all(store, digests(entries))

        assert told == [None] * 20
        assert [each.count(LOOK_UP) for each in relay.asked] == [20]


async def test_session_that_cannot_be_read_is_for_load_to_judge(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    """Another type under the key, or half of the fields, is not "no session"."""
    half, other, whole = (create_entry() for _ in range(3))
    await store.create(whole)
    redis.run("HSET", _key(prefix, half), "record", "x")
    redis.run("SET", _key(prefix, other), "x")
    await ask_on_lane(store, whole.digest)

    told = await ask_all(store, digests([half, other, whole]))

    assert [type(each) for each in told] == [NoGlanceError, NoGlanceError, Row]


async def test_session_ended_while_its_answer_comes_is_asked_again(
    redis: RedisServer,
) -> None:
    """An answer that left before the end is not told after it was answered (V-52)."""
    ended, other = create_entry(login="ended"), create_entry(login="other")
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=create_prefix()) as store:
        await add_all(store, [ended, other])
        await ask_on_lane(store, other.digest)
        relay.hold_answer_to(LOOK_UP)
        told = asyncio.create_task(ask_all(store, digests([ended, other])))
        await relay.wait_until_held()

        assert await store.delete(ended.digest) is not None
        relay.release()

        found, kept = await told
        assert isinstance(found, NoGlanceError)
        assert kept == row(other)
        assert await store.load(ended.digest) is None


# what is known of a session that was asked about before


async def test_known_session_is_told_as_it_is_by_now(store: RedisStore) -> None:
    """Its record is read once, and when it was used each time (V-52)."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    first = await ask_on_lane(store, entry.digest)
    assert isinstance(first, Row)
    before = first.seen_ms

    again = await ask(store, entry.digest)
    await store.touch(entry.digest, seen=at(10), expires=at(60))
    later = await ask(store, entry.digest)

    assert first is again is later
    assert (before, first.seen_ms) == (to_ms(entry.seen), to_ms(at(10)))


async def test_known_session_that_was_ended_elsewhere_is_none(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    """By another instance, or by hand: nothing is told but what is there (V-52)."""
    ended, deleted, kept = (create_entry(record=PLAIN, login=n) for n in "abc")
    await add_all(store, [ended, deleted, kept])
    for each in (ended, deleted, kept):
        assert isinstance(await ask_on_lane(store, each.digest), Row)

    async with opened(redis.url, prefix=prefix) as other:
        await other.delete(ended.digest)
    redis.run("DEL", _key(prefix, deleted))
    told = await ask_all(store, digests([ended, deleted, kept]))

    assert told[:2] == [None, None]
    assert isinstance(told[2], Row)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(("HDEL", "expires"), NoGlanceError, id="no-expires"),
        pytest.param(("HDEL", "seen", "expires"), NoGlanceError, id="no-times"),
        pytest.param(("HDEL", "owner"), NoGlanceError, id="no-owner"),
        pytest.param(("HDEL", "record"), NoGlanceError, id="no-record"),
        pytest.param(("HSET", "seen", "soon"), NoGlanceError, id="odd-time"),
        pytest.param(("HSET", "record", "{}"), Row, id="another-record"),
        pytest.param(("HSET", "owner", "bob"), KnownRow, id="another-owner"),
    ],
)
async def test_known_session_that_somebody_has_changed_is_told_as_it_is(
    store: RedisStore,
    redis: RedisServer,
    prefix: str,
    *,
    damage: tuple[str, ...],
    expected: type,
) -> None:
    """Whatever was done by hand: nothing is told that is not there (V-52)."""
    entry = create_entry(record=PLAIN)
    await store.create(entry)
    assert isinstance(await ask_on_lane(store, entry.digest), KnownRow)

    command, *fields = damage
    redis.run(command, _key(prefix, entry), *fields)
    told = await ask(store, entry.digest)

    assert type(told) is expected
    if isinstance(told, KnownRow):
        assert told.owner == "bob"
        assert told.glance is not None
        assert told.glance.username == "bob"


# trouble


async def test_server_that_hangs_is_an_outage_for_who_has_waited(
    redis: RedisServer, prefix: str
) -> None:
    """After the time that a command has; then it works by itself (V-33)."""
    entry = create_entry()
    async with opened(redis.url, prefix=prefix, timeout_ms=SHORT_MS) as store:
        await store.create(entry)
        await ask_on_lane(store, entry.digest)
        loop = asyncio.get_running_loop()
        started = loop.time()

        with redis.paused():
            told = await ask_all(store, [entry.digest] * 50)
            took = loop.time() - started
            later = await ask(store, entry.digest)

        assert {type(each) for each in told} == {StoreUnavailableError}
        assert SHORT_MS / 1_000 <= took < SHORT_MS / 1_000 + SLACK_SECONDS
        assert isinstance(later, NoGlanceError | StoreUnavailableError)

    async with opened(redis.url, prefix=prefix) as store:
        assert await ask_on_lane(store, entry.digest) == row(entry)


async def test_late_answer_is_told_to_nobody_else(redis: RedisServer) -> None:
    """Who asked after it gets the answer to the own question, if that is in time."""
    first, second = create_entry(), create_entry()
    relay = Relay(redis)
    async with (
        relay.running() as url,
        opened(url, prefix=create_prefix(), timeout_ms=2_000) as store,
    ):
        await add_all(store, [first, second])
        await ask_on_lane(store, first.digest)
        relay.hold_answer_to(LOOK_UP)
        late = ask(store, first.digest)
        await relay.wait_until_held()
        await asyncio.sleep(1)
        in_time = ask(store, second.digest)

        assert isinstance(await late, StoreUnavailableError)
        relay.release()

        assert await in_time == row(second)
        assert isinstance(await ask(store, first.digest), NoGlanceError)
        assert await ask_on_lane(store, first.digest) == row(first)


async def test_reset_connection_is_told_and_made_again(
    store: RedisStore, redis: RedisServer
) -> None:
    """What a server or a firewall closed while it was idle fails nobody."""
    entry = create_entry()
    await store.create(entry)
    await ask_on_lane(store, entry.digest)

    redis.reset_connections()
    told = await ask(store, entry.digest)

    assert isinstance(told, NoGlanceError) or told == row(entry)
    assert await store.load(entry.digest) == entry
    assert await ask_on_lane(store, entry.digest) == row(entry)


async def test_killed_server_under_load_is_never_no_session(
    redis: RedisServer, prefix: str
) -> None:
    """Everybody is told, and nobody that a session is not there (L-15)."""
    entries = [create_entry() for _ in range(40)]
    kinds: Counter[type] = Counter()
    is_over = False

    async def go_on(store: RedisStore, entry: Entry) -> None:
        while not is_over:
            kinds[type(await ask(store, entry.digest))] += 1
            await asyncio.sleep(0)

    async with opened(redis.url, prefix=prefix) as store:
        await add_all(store, entries)
        await ask_on_lane(store, entries[0].digest)
        askers = [asyncio.create_task(go_on(store, each)) for each in entries]
        await until(lambda: kinds[Row] > 1_000)

        redis.kill()
        await until(lambda: kinds[NoGlanceError] > 0)
        redis.start()
        back = kinds[Row]
        await until(lambda: kinds[Row] > back + 1_000)
        is_over = True
        await asyncio.gather(*askers)

    assert kinds.keys() <= {Row, NoGlanceError, StoreUnavailableError}


async def test_nobody_listens() -> None:
    """Where there never was a server, everybody is told to ask and be refused."""
    (port,) = free_ports(1)
    async with opened(f"redis://127.0.0.1:{port}/0") as store:
        told = [await ask(store, create_entry().digest) for _ in range(5)]

    assert {type(each) for each in told} == {NoGlanceError}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"-LOADING Redis is loading the dataset in memory\r\n", id="load"),
        pytest.param(b"-NOAUTH Authentication required.\r\n", id="noauth"),
        pytest.param(b"-MOVED 1 127.0.0.1:1\r\n", id="moved"),
        pytest.param(b"-\r\n", id="empty-error"),
        pytest.param(b":1\r\n", id="number"),
        pytest.param(b"$-1\r\n", id="nothing"),
        pytest.param(b"*-1\r\n", id="no-array"),
        pytest.param(b"*1\r\n$-1\r\n", id="short"),
        pytest.param(b"+OK\r\n+OK\r\n", id="one-too-many"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="http"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x46\r\n", id="tls-alert"),
        pytest.param(b"", id="closed"),
    ],
)
async def test_answer_that_is_none_is_for_load_to_judge(answer: bytes) -> None:
    """Whatever is said instead, nobody is told that there is no session."""
    async with answering(answer) as url, opened(url, timeout_ms=2_000) as store:
        told: list[Found] = []
        for _ in range(5):
            told += [await ask(store, create_entry().digest)]
            await asyncio.sleep(0.02)

    assert {type(each) for each in told} <= {NoGlanceError, StoreUnavailableError}


async def test_demoted_server_is_looked_up_again(
    store: RedisStore, redis: RedisServer
) -> None:
    """A lane to what turned out to be a replica is left, as its connections are."""
    entry = create_entry()
    await store.create(entry)
    await ask_on_lane(store, entry.digest)
    redis.run("REPLICAOF", "127.0.0.1", str(free_ports(1)[0]))
    try:
        with pytest.raises(StoreUnavailableError):
            await store.ping()

        told = await ask(store, entry.digest)
    finally:
        redis.run("REPLICAOF", "NO", "ONE")

    assert isinstance(told, NoGlanceError)
    assert await ask_on_lane(store, entry.digest) == row(entry)


@asynccontextmanager
async def waiting_on_lane_that_is_left(
    redis: RedisServer, entry: Entry
) -> AsyncIterator[tuple[RedisStore, Relay, "asyncio.Future[Found]"]]:
    """Yield a store of *entry*, who keeps an answer about it, and who waits for that.

    The server was found to be no primary meanwhile, so another lane is asked by now.
    """
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=create_prefix()) as store:
        await store.create(entry)
        await ask_on_lane(store, entry.digest)
        relay.hold_answer_to(LOOK_UP)
        waiting = ask(store, entry.digest)
        await relay.wait_until_held()
        redis.run("REPLICAOF", "127.0.0.1", str(free_ports(1)[0]))
        try:
            with pytest.raises(StoreUnavailableError):
                await store.ping()
        finally:
            redis.run("REPLICAOF", "NO", "ONE")
        assert await ask_on_lane(store, entry.digest) == row(entry)
        yield store, relay, waiting


async def test_lane_that_is_left_answers_who_waits_first(redis: RedisServer) -> None:
    """Who has asked there is told what was asked for, and then it ends."""
    entry = create_entry()
    async with waiting_on_lane_that_is_left(redis, entry) as (_, relay, waiting):
        relay.release()

        assert await waiting == row(entry)


async def test_session_ended_while_its_answer_comes_on_a_lane_that_is_left(
    redis: RedisServer,
) -> None:
    """That another lane is asked by now lets no answer of before count (V-52)."""
    entry = create_entry()
    async with waiting_on_lane_that_is_left(redis, entry) as (store, relay, waiting):
        assert await store.delete(entry.digest) is not None
        assert not waiting.done()
        relay.release()

        assert isinstance(await waiting, NoGlanceError)


async def test_close_tells_who_waits_on_a_lane_that_is_left(
    redis: RedisServer,
) -> None:
    """Nothing is told, nor stays open, after ``close``."""
    entry = create_entry()
    async with waiting_on_lane_that_is_left(redis, entry) as (store, relay, waiting):
        await store.close()

        assert waiting.done()
        assert isinstance(await waiting, NoGlanceError)
        relay.release()


async def test_quiet_lane_is_kept(redis: RedisServer, prefix: str) -> None:
    """A lane on which nobody waits for an answer is not late."""
    entry = create_entry()
    async with opened(redis.url, prefix=prefix, timeout_ms=500) as store:
        await store.create(entry)
        await ask_on_lane(store, entry.digest)

        await asyncio.sleep(0.6)

        assert await ask(store, entry.digest) == row(entry)


async def test_close_tells_who_waits_and_opens_nothing_again(
    redis: RedisServer,
) -> None:
    """After ``close`` whoever asks meets the closed store."""
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=create_prefix()) as store:
        entry = create_entry()
        await ask_on_lane(store, entry.digest)
        relay.hold_answer_to(LOOK_UP)
        waiting = ask(store, entry.digest)
        await relay.wait_until_held()

        await store.close()
        after = [await ask(store, entry.digest) for _ in range(3)]
        relay.release()

        assert isinstance(await waiting, NoGlanceError)
        assert {type(each) for each in after} == {NoGlanceError}


# where the servers are


async def test_lane_speaks_tls_as_the_user_of_the_address(tmp_path: Path) -> None:
    """Client certificate, name and password are those of every connection."""
    certificates = create_certificates(tmp_path / "certificates", "127.0.0.1")
    rights = ("~sso:*", "+@read", "+@write", "+evalsha", "+eval", "+select", "+time")
    entry = create_entry()
    with RedisServer(
        tmp_path / "redis",
        *("--user", "forwardauth", "on", ">secret", *rights),
        certificates=certificates,
        password="of the administrator",
    ) as server:
        async with opened(
            f"rediss://forwardauth:secret@127.0.0.1:{server.port}/1",
            prefix="sso",
            ca_file=str(certificates.authority),
            cert_file=str(certificates.certificate),
            key_file=str(certificates.key),
        ) as store:
            await store.create(entry)

            assert await ask_on_lane(store, entry.digest) == row(entry)


async def test_primary_that_was_replaced_alive_is_left(tmp_path: Path) -> None:
    """It goes on to answer for a while; nobody may see sessions live there (L-15)."""
    entry = create_entry()
    with RedisPair(tmp_path) as pair:
        async with opened(pair.url) as store, opened(pair.url) as fresh:
            await store.create(entry)
            pair.wait_until_copied()
            assert await ask_on_lane(store, entry.digest) == row(entry)

            pair.swap()
            assert await ask_on_lane(fresh, entry.digest) == row(entry)
            assert await fresh.delete(entry.digest) is not None
            async with asyncio.timeout(RECOVERY_SECONDS):
                while await ask(store, entry.digest) is not None:
                    pass

            assert pair.primary.run("ROLE")[0] == b"master", "it was told before"
            assert await store.load(entry.digest) is None


async def test_each_server_of_a_cluster_is_asked_for_what_it_has(
    tmp_path: Path,
) -> None:
    """Also where slots have moved, and while one server is away."""
    entries = [create_entry(login=f"login-{n}") for n in range(30)]
    prefix = create_prefix()
    with running_cluster(tmp_path, "--appendfsync", "no") as cluster:
        async with opened(cluster.url, prefix=prefix, timeout_ms=5_000) as store:
            await add_all(store, entries)
            told = [await ask_on_lane(store, each.digest) for each in entries]
            together = await ask_all(store, digests(entries))
            key = f"{prefix}:{{{entries[0].digest[0]:02x}}}:x"
            target = next(s for s in cluster.servers if s is not cluster.owner_of(key))
            cluster.move(key, target)

            moved = await ask(store, entries[0].digest)
            loaded = await store.load(entries[0].digest)
            found = await ask_on_lane(store, entries[0].digest)

            assert told == together == [row(each) for each in entries]
            assert isinstance(moved, NoGlanceError)
            assert (loaded, found) == (entries[0], row(entries[0]))

            cluster.servers[0].kill()
            await asyncio.sleep(0.1)
            part = await ask_all(store, digests(entries))

            assert {type(each) for each in part} == {Row, NoGlanceError}
