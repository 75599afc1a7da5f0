"""The store keeps the contract on a real Redis: on one server, and in a cluster.

Both run the same tests. What they share beyond the contract: nothing usable lies in the
store, everything in it expires, and no race of two clients breaks a law. What can go
wrong between client and server is in ``test_redis_faults.py``.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeAlias

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.bulk import Creation
from forwardauth.sessions.events import EventStore
from forwardauth.sessions.ids import Digest, create_session_id, digest_of
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.sessions.stores.redis_creation import AT_ONCE
from tests.support.clock import START, FakeClock
from tests.support.redis_groups import RedisCluster, running_cluster
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.unit.sessions.contract import (
    SharedStoreContract,
    add_all,
    at,
    create_entry,
    everything,
    is_same_set,
    load_all,
)
from tests.unit.sessions.event_contract import (
    EventStoreContract,
    append,
    create_event,
)

Servers: TypeAlias = RedisServer | RedisCluster

FAST: Final = ("--appendfsync", "no")
"""No test here takes the power away, so none waits for the disk."""


def session_key(prefix: str, entry: Entry) -> str:
    """Return the key of the session, as ``redis_keys`` documents it."""
    return f"{prefix}:{{{entry.digest[0]:02x}}}:s:{entry.digest.hex()}"


def expiries_key(prefix: str, entry: Entry) -> str:
    """Return the key of the expiries that the session is among."""
    return f"{prefix}:{{{entry.digest[0]:02x}}}:x"


class RedisContract(SharedStoreContract, EventStoreContract):
    """Both contracts, and what the Redis store promises beyond them.

    A subclass has the fixture ``servers``.
    """

    @pytest.fixture
    def prefix(self) -> str:
        """The beginning of this test's keys."""
        return create_prefix()

    @pytest.fixture
    async def stores(
        self, servers: Servers, clock: FakeClock, prefix: str
    ) -> AsyncIterator[tuple[SessionStore, SessionStore]]:
        """Two stores as if of two processes."""
        async with AsyncExitStack() as stack:
            first, second = [
                await stack.enter_async_context(
                    opened(servers.url, clock, prefix=prefix)
                )
                for _ in range(2)
            ]
            yield first, second

    @pytest.fixture
    def store(self, stores: tuple[SessionStore, SessionStore]) -> SessionStore:
        """An empty store."""
        return stores[0]

    @pytest.fixture
    def elsewhere(self, stores: tuple[SessionStore, SessionStore]) -> SessionStore:
        """Another one on the same data."""
        return stores[1]

    @pytest.fixture
    def bulk(self, stores: tuple[RedisStore, RedisStore]) -> RedisStore:
        """The same store, for many at once."""
        return stores[0]

    @pytest.fixture
    def events(self, stores: tuple[RedisStore, RedisStore]) -> EventStore:
        """The same store, for events."""
        return stores[0]

    async def test_events_are_known_elsewhere_and_expire(
        self,
        events: EventStore,
        stores: tuple[RedisStore, RedisStore],
        servers: Servers,
        prefix: str,
    ) -> None:
        """Another machine lists them, and the server forgets them by itself."""
        event = create_event()

        await append(events, event, lifetime=timedelta(minutes=5))

        assert await stores[1].list_events("alice", since=START) == (event,)
        key = f"{prefix}:v:alice"
        assert 240_000 < servers.owner_of(key).run("PTTL", key) <= 300_000

    # what lies in the store

    async def test_no_secret_reaches_the_server(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """Neither a key nor a value nor the log on the disk helps a thief."""
        secrets = [create_session_id() for _ in range(3)]
        entries = [replace(create_entry(), digest=digest_of(each)) for each in secrets]
        await add_all(store, entries)
        await store.touch(entries[0].digest, seen=at(60), expires=at(3_660))
        await store.delete(entries[1].digest)
        await store.ping()

        kept = servers.dump(prefix)
        everywhere = b"\n".join([*kept, *(part for v in kept.values() for part in v)])
        everywhere += servers.history()

        assert entries[0].digest.hex().encode() in everywhere
        for secret in secrets:
            raw = base64.urlsafe_b64decode(f"{secret}=")
            for form in (secret.encode(), raw, raw.hex().encode()):
                assert form not in everywhere

    async def test_what_was_ended_leaves_nothing_but_its_answer(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """The record is kept ten seconds more, for the call that ended it [L-2]."""
        entries = [create_entry(login=f"login-{n}") for n in range(6)]
        await add_all(store, entries)

        await store.delete(entries[0].digest)
        await store.delete_login("login-1")
        await store.delete_owner("alice")

        kept = [key.decode() for key in servers.dump(prefix)]
        assert {key.split(":")[2] for key in kept} == {"e"}
        ttls = [servers.owner_of(key).run("PTTL", key) for key in kept]
        assert all(-2 <= ttl <= 10_000 and ttl != -1 for ttl in ttls), ttls

    async def test_everything_expires_by_itself(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """A service that is taken away leaves nothing in Redis for ever."""
        entry, other = create_entry(), create_entry(lifetime=timedelta(days=1))
        await add_all(store, [entry, other])
        await store.touch(entry.digest, seen=at(600), expires=at(4_200))
        await store.delete(other.digest)
        await store.ping()

        ttls = {
            key: servers.owner_of(key.decode()).run("PTTL", key)
            for key in servers.dump(prefix)
        }

        day = timedelta(days=1, hours=1, minutes=5) // timedelta(milliseconds=1)
        assert len(ttls) >= 4
        assert all(ttl != -1 and ttl <= day for ttl in ttls.values()), ttls

    async def test_session_is_kept_five_minutes_longer_than_it_lives(
        self, store: SessionStore, servers: Servers, prefix: str, clock: FakeClock
    ) -> None:
        """What an expired session was, somebody may still ask; then it is dropped."""
        entry = create_entry(lifetime=timedelta(hours=1))
        await store.create(entry)
        clock.advance(timedelta(minutes=10))
        await store.touch(entry.digest, seen=at(600), expires=at(4_200))

        key = session_key(prefix, entry)
        ttl_ms = servers.owner_of(key).run("PTTL", key)

        whole = timedelta(hours=1, minutes=5) // timedelta(milliseconds=1)
        assert whole - 60_000 < ttl_ms <= whole

    async def test_prefixes_keep_stores_apart(
        self, store: SessionStore, servers: Servers, clock: FakeClock
    ) -> None:
        """Two installations on one Redis know nothing of each other."""
        entry = create_entry()
        await store.create(entry)

        async with opened(servers.url, clock, prefix=create_prefix()) as stranger:
            assert await stranger.load(entry.digest) is None
            assert await stranger.delete_owner("alice") == ()
            assert await everything(stranger) == {}

        assert await store.load(entry.digest) == entry

    # what others did to it

    async def test_scripts_that_the_server_forgot_are_sent_again(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """A server that was restarted knows no scripts, and nobody notices."""
        entry = create_entry()
        await store.create(entry)
        key = session_key(prefix, entry)

        servers.owner_of(key).run("SCRIPT", "FLUSH")

        assert await store.touch(entry.digest, seen=at(60), expires=at(3_660))
        assert await store.delete_owner("alice") != ()

    async def test_session_dropped_by_its_time_is_forgotten(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """The row that it left among the expiries goes when somebody meets it."""
        dropped, expired = create_entry(), create_entry()
        await add_all(store, [dropped, expired])
        key = session_key(prefix, dropped)
        servers.owner_of(key).run("DEL", key)

        assert await store.list_expired(at(9_999), limit=10) == (expired,)

        assert await store.count() == 1
        assert await everything(store) == {expired.digest: expired}
        assert await store.list_owner("alice") == (expired,)

    async def test_more_rows_than_a_page_in_one_place(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """Rows of dropped sessions do not hide those that live."""
        entries = [
            replace(each, digest=Digest(b"\x07" + each.digest[1:]))
            for each in (create_entry() for _ in range(20))
        ]
        await add_all(store, entries)
        key = expiries_key(prefix, entries[0])
        rows = [b"\x07" + create_entry().digest[1:] for _ in range(1_200)]
        scored = [part for row in rows for part in (b"9999999999999", row)]
        servers.owner_of(key).run("ZADD", key, *scored)

        assert is_same_set((await everything(store)).values(), entries)

    async def test_session_whose_index_was_lost_is_not_prolonged(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """Nobody could end it by its owner, so it ends at the time it had."""
        entry = create_entry()
        await store.create(entry)
        index = f"{prefix}:o:alice"
        servers.owner_of(index).run("DEL", index)

        assert not await store.touch(entry.digest, seen=at(60), expires=at(3_660))

        assert await store.load(entry.digest) == entry
        assert await store.delete(entry.digest) == entry

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(("SET", "a string"), id="string"),
            pytest.param(("ZADD", "1", "a row"), id="sorted-set"),
            pytest.param(("HSET", "owner", "alice"), id="half-a-session"),
            pytest.param(
                ("HSET", "seen", "now", "expires", "then", "ticket", "x"), id="no-times"
            ),
            pytest.param(
                ("HSET", "seen", "1", "expires", "9" * 30, "ticket", "x"), id="no-date"
            ),
            pytest.param(
                ("HSET", "seen", "1", "expires", "1", "owner", b"\xff", "ticket", "x"),
                id="no-text",
            ),
        ],
    )
    async def test_foreign_value_in_place_of_a_session_is_an_outage(
        self,
        store: SessionStore,
        servers: Servers,
        prefix: str,
        command: tuple[str | bytes, ...],
    ) -> None:
        """What we never wrote is neither a session nor "no session" [law 3]."""
        entry = create_entry()
        await store.create(entry)
        key = session_key(prefix, entry)
        name, *rest = command
        servers.owner_of(key).run("DEL", key)
        servers.owner_of(key).run(name, key, *rest)

        with pytest.raises(StoreUnavailableError):
            await store.load(entry.digest)
        with pytest.raises(StoreUnavailableError):
            await store.touch(entry.digest, seen=at(60), expires=at(3_660))
        with pytest.raises(StoreUnavailableError):
            await store.list_owner("alice")
        with pytest.raises(StoreUnavailableError):
            await everything(store)

    @pytest.mark.parametrize("index", ["o:alice", "l:login-1"])
    async def test_foreign_value_in_place_of_an_index_lets_nobody_in(
        self, store: SessionStore, servers: Servers, prefix: str, index: str
    ) -> None:
        """A session that could not be ended by its index never begins."""
        entry = create_entry()
        key = f"{prefix}:{index}"
        servers.owner_of(key).run("SET", key, "a string")

        with pytest.raises(StoreUnavailableError):
            await store.create(entry)

        assert await store.load(entry.digest) is None
        assert await everything(store) == {}
        assert await store.count() == 0

    async def test_interrupted_end_of_all_is_completed_by_the_next(
        self, store: SessionStore, servers: Servers, prefix: str
    ) -> None:
        """What could not be ended keeps its row, so that it is found again."""
        entries = [create_entry() for _ in range(5)]
        await add_all(store, entries)
        key = session_key(prefix, entries[0])
        server = servers.owner_of(key)
        server.run("RENAME", key, f"{key}-aside")
        server.run("SET", key, "a string")
        with pytest.raises(StoreUnavailableError):
            await store.delete_owner("alice")

        server.run("DEL", key)
        server.run("RENAME", f"{key}-aside", key)

        assert entries[0] in await store.delete_owner("alice")
        assert await load_all(store, entries) == [None] * 5
        assert await everything(store) == {}

    # races of two clients

    async def test_hundreds_of_touches_of_two_clients_revive_nothing(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """Whoever ends it, and however: after the answer no client loads it [L-5].

        Law 1.
        """
        ends: tuple[tuple[SessionStore, str], ...] = (
            (store, "delete"),
            (elsewhere, "delete"),
            (store, "delete_login"),
            (elsewhere, "delete_owner"),
        )
        for ender, how in ends:
            entry = create_entry()
            await store.create(entry)
            touches = [
                asyncio.ensure_future(
                    client.touch(entry.digest, seen=at(n), expires=at(n + 3_600))
                )
                for n in range(1, 151)
                for client in (store, elsewhere)
            ]
            await asyncio.wait(touches, return_when=asyncio.FIRST_COMPLETED)

            await _end(ender, how, entry)
            at_once = [await each.load(entry.digest) for each in (store, elsewhere)]
            changed = await asyncio.gather(*touches)

            assert any(changed)
            assert at_once == [None, None]
            assert await load_all(elsewhere, [entry]) == [None]
            assert await everything(store) == {}
            assert await store.list_owner("alice") == ()

    async def test_storm_of_two_clients_breaks_no_law(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """Create, touch and end of all at once: what had to be gone is gone [L-10].

        Laws 1 and 2; those that live can be ended by either index.
        """
        clients = (store, elsewhere)
        alive: dict[Digest, Entry] = {}
        revived: list[Entry] = []

        async def use(client: SessionStore, number: int) -> None:
            entry = create_entry(owner=f"user{number % 3}", login=f"login-{number % 5}")
            if not await client.create(entry):
                assert await client.load(entry.digest) is None
                return
            alive[entry.digest] = entry
            for second in range(1, 4):
                other = clients[second % 2]
                await other.touch(
                    entry.digest, seen=at(second), expires=at(second + 3_600)
                )

        async def end(client: SessionStore, index: int) -> None:
            covered = [e for e in alive.values() if e.owner == f"user{index}"]
            await client.delete_owner(f"user{index}")
            for entry in covered:
                alive.pop(entry.digest, None)
            loaded = await load_all(clients[index % 2], covered)
            revived.extend(each for each in loaded if each is not None)

        calls: list[Awaitable[None]] = []
        # Who loses a race tries again, so that twice as many take four times as long.
        for number in range(80):
            calls.append(use(clients[number % 2], number))
            if number % 8 == 7:
                calls.append(end(clients[number % 3 % 2], number // 8 % 3))
        await asyncio.gather(*calls)

        assert revived == []
        left = await everything(elsewhere)
        assert left.keys() <= alive.keys()
        by_login = [await store.delete_login(f"login-{n}") for n in range(5)]
        assert is_same_set([e for ended in by_login for e in ended], left.values())
        assert [await store.list_owner(f"user{n}") for n in range(3)] == [()] * 3
        assert await everything(store) == {}

    async def test_overtaken_create_leaves_nothing(
        self,
        store: SessionStore,
        elsewhere: SessionStore,
        servers: Servers,
        prefix: str,
    ) -> None:
        """What answers false can neither be loaded nor found [L-10]."""
        overtaken: list[Entry] = []

        async def create_on() -> None:
            while not overtaken:
                entry = create_entry()
                if not await store.create(entry):
                    overtaken.append(entry)

        creators = [asyncio.ensure_future(create_on()) for _ in range(20)]
        async with asyncio.timeout(30):
            while not overtaken:
                await elsewhere.delete_owner("alice")
        await asyncio.gather(*creators)

        assert await load_all(elsewhere, overtaken) == [None] * len(overtaken)
        await elsewhere.delete_owner("alice")
        kinds = {key.decode().split(":")[2] for key in servers.dump(prefix)}
        assert kinds <= {"e"}

    # many at once

    async def test_many_are_made_at_once(
        self, bulk: RedisStore, elsewhere: SessionStore, servers: Servers
    ) -> None:
        """In more messages than one, by a server that knows no scripts (L-10)."""
        entries = [
            create_entry(owner=f"user{number % 3}", login=f"login{number % 7}")
            for number in range(AT_ONCE + 20)
        ]
        for key in range(16):
            servers.owner_of(f"{{{key}}}").run("SCRIPT", "FLUSH")

        made = await bulk.create_all(entries)

        assert made == (Creation.MADE,) * len(entries)
        assert await everything(elsewhere) == {each.digest: each for each in entries}
        ended = [await elsewhere.delete_owner(f"user{number}") for number in range(3)]
        assert is_same_set([each for some in ended for each in some], entries)
        assert await everything(bulk) == {}

    async def test_digest_in_use_takes_no_other_along(
        self, bulk: RedisStore, servers: Servers, prefix: str
    ) -> None:
        """What stands there stays, and nothing is left of what was to replace it."""
        kept, *others = [create_entry() for _ in range(3)]
        await bulk.create(kept)
        again = replace(kept, owner="mallory", record=b"another")

        made = await bulk.create_all([others[0], again, others[1]])

        assert made == (Creation.MADE, Creation.IN_USE, Creation.MADE)
        assert is_same_set(await bulk.list_owner("alice"), [kept, *others])
        keys = [key.decode() for key in servers.dump(prefix)]
        assert not [key for key in keys if ":p:" in key or "mallory" in key]
        assert await bulk.load(kept.digest) == kept

    async def test_overtaken_ones_among_many_leave_nothing(
        self, bulk: RedisStore, elsewhere: SessionStore
    ) -> None:
        """Of those that were ended in between nothing can be loaded [L-10]."""
        overtaken: list[Entry] = []
        bystanders: list[Entry] = []

        async def create_on() -> None:
            while not overtaken:
                entries = [create_entry(login=f"login{n}") for n in range(8)]
                other = create_entry(owner="bob", login="of bob")
                made = await bulk.create_all([*entries, other])
                assert made[-1] is Creation.MADE
                bystanders.append(other)
                overtaken.extend(
                    each
                    for each, how in zip(entries, made, strict=False)
                    if how is Creation.OVERTAKEN
                )

        creators = [asyncio.ensure_future(create_on()) for _ in range(4)]
        async with asyncio.timeout(30):
            while not overtaken:
                await elsewhere.delete_owner("alice")
        await asyncio.gather(*creators)

        assert await load_all(elsewhere, overtaken) == [None] * len(overtaken)
        await elsewhere.delete_owner("alice")
        assert is_same_set(await elsewhere.list_owner("bob"), bystanders)
        assert (await everything(bulk)).keys() == {each.digest for each in bystanders}

    async def test_end_of_all_returns_however_many_come_after(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """Who signs in without a pause cannot hold up the end of what came before."""
        before = [create_entry() for _ in range(20)]
        await add_all(store, before)
        ended: list[tuple[Entry, ...]] = []

        async def create_on() -> None:
            while not ended:
                await elsewhere.create(create_entry())

        creators = [asyncio.ensure_future(create_on()) for _ in range(4)]
        ended.append(await store.delete_owner("alice"))
        await asyncio.gather(*creators)

        assert {entry.digest for entry in before} <= {e.digest for e in ended[0]}
        assert await load_all(elsewhere, before) == [None] * 20
        await store.delete_owner("alice")
        assert await everything(store) == {}


async def _end(store: SessionStore, how: str, entry: Entry) -> None:
    match how:
        case "delete":
            await store.delete(entry.digest)
        case "delete_login":
            await store.delete_login(entry.login)
        case _:
            await store.delete_owner(entry.owner)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server."""
    with RedisServer(tmp_path_factory.mktemp("redis"), *FAST) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Run three primaries."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), *FAST) as cluster:
        yield cluster


class TestSingleServer(RedisContract):
    """One Redis."""

    @pytest.fixture
    def servers(self, redis: RedisServer) -> Servers:
        """The server."""
        return redis


class TestCluster(RedisContract):
    """Three primaries, among which sessions and indexes are spread."""

    @pytest.fixture
    def servers(self, cluster: RedisCluster) -> Servers:
        """The three."""
        return cluster
