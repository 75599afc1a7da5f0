"""The store finds its servers: over TLS, as a user with rights, behind a sentinel.

Laws: nobody but the server of the right name and authority is spoken to, and while the
primary changes there are outages and no wrong answers.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio.cluster import RedisCluster as ClusterClient

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.redis_library import build_client, lookup_address
from forwardauth.sessions.stores.redis_url import DEFAULT_PREFIX, parse_redis_url
from tests.support.certificates import Certificates, create_certificates
from tests.support.redis_groups import RedisCluster, RedisPair, running_cluster
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import create_prefix, opened
from tests.support.repository import ROOT
from tests.unit.sessions.contract import (
    add_all,
    at,
    create_entry,
    every_call,
    everything,
    load_all,
)

PREFIX: Final = "sso"
PASSWORD: Final = "pass:word@of/the?store"
ENCODED: Final = "pass%3Aword%40of%2Fthe%3Fstore"
RIGHTS: Final = (
    *(f"~{PREFIX}:*", "+@read", "+@write", "+evalsha", "+eval", "+ping"),
    # Scripts are told the time, connections choose their database, ends may wait.
    *("+time", "+select", "+wait", "-@dangerous"),
)
"""What the store needs, and no more."""

RECOVERY_SECONDS: Final = 30.0
TIMEOUT_MS: Final = 500


async def use(store: SessionStore) -> None:
    """Check each method once, on an empty store."""
    entry, other = create_entry(), create_entry(owner="bob", login="b")
    await add_all(store, [entry, other])
    assert await store.touch(entry.digest, seen=at(60), expires=at(3_660))
    assert await store.load(other.digest) == other
    assert await store.list_owner("bob") == (other,)
    assert await store.count() == len(await everything(store)) == 2
    assert len(await store.list_expired(at(9_999), limit=10)) == 2
    await store.ping()
    assert await store.delete_login("b") == (other,)
    assert len(await store.delete_owner("alice")) == 1
    assert await store.delete(entry.digest) is None


async def wait_for_entry(store: SessionStore, entry: Entry) -> int:
    """Load *entry* until the store answers; return how many times it did not.

    Whatever it answers has to be the session: an outage is never "no session".
    """
    outages = 0
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            try:
                loaded = await store.load(entry.digest)
            except StoreUnavailableError:
                outages += 1
                await asyncio.sleep(0.02)
            else:
                assert loaded is not None
                assert loaded.digest == entry.digest
                return outages


# TLS, and a user with few rights


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a certificate for loopback by its address."""
    return create_certificates(tmp_path_factory.mktemp("certificates"), "127.0.0.1")


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[RedisServer]:
    """Run a server with TLS that wants a certificate, and knows one user by name."""
    with RedisServer(
        tmp_path_factory.mktemp("guarded"),
        *("--user", "forwardauth", "on", f">{PASSWORD}", *RIGHTS),
        certificates=certificates,
        password="of the administrator",
    ) as server:
        yield server


@pytest.fixture
def url(guarded: RedisServer) -> str:
    """Return the address with the name and the password of the user."""
    return f"rediss://forwardauth:{ENCODED}@127.0.0.1:{guarded.port}/0"


@pytest.fixture
def trust(certificates: Certificates) -> dict[str, str]:
    """Return the options that name the files."""
    return {
        "prefix": PREFIX,
        "ca_file": str(certificates.authority),
        "cert_file": str(certificates.certificate),
        "key_file": str(certificates.key),
    }


async def test_user_with_rights_to_our_keys_is_enough(
    url: str, trust: dict[str, str]
) -> None:
    """Everything works over TLS with a client certificate, a name and a password."""
    async with opened(url, **trust) as store:
        await use(store)


def test_these_rights_are_the_documented_ones() -> None:
    """Whoever follows the documentation gives what has been proven to be enough."""
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    rights = " ".join(RIGHTS).replace(f"~{PREFIX}:", f"~{DEFAULT_PREFIX}:")

    assert f"ACL SETUSER forwardauth on >PASSWORD {rights}\n" in text


async def test_keys_of_others_are_out_of_reach(url: str, trust: dict[str, str]) -> None:
    """Without the right to a key every call fails, reading ones too."""
    async with opened(url, **{**trust, "prefix": "other"}) as store:
        for call in every_call().values():
            with pytest.raises(StoreUnavailableError, match="permission"):
                await call(store)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({"ca_file"}, id="unknown-authority"),
        pytest.param({"cert_file", "key_file"}, id="no-client-certificate"),
    ],
)
async def test_nothing_is_said_without_mutual_trust(
    url: str, trust: dict[str, str], lost: set[str]
) -> None:
    """A server that we do not know, and one that does not know us, are outages."""
    options = {name: value for name, value in trust.items() if name not in lost}

    async with opened(url, **options) as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.load(create_entry().digest)

    assert PASSWORD not in str(caught.value)


async def test_certificate_of_another_name_is_an_outage(
    url: str, trust: dict[str, str]
) -> None:
    """The right authority is not enough: the name has to be that of the address."""
    async with opened(url.replace("127.0.0.1", "localhost"), **trust) as store:
        with pytest.raises(StoreUnavailableError, match="localhost"):
            await store.load(create_entry().digest)


async def test_missing_file_is_an_outage(
    url: str, trust: dict[str, str], tmp_path: Path
) -> None:
    """A certificate that is not there yet stops no start; its calls fail."""
    options = {**trust, "ca_file": str(tmp_path / "missing.pem")}

    async with opened(url, **options) as store:
        with pytest.raises(StoreUnavailableError):
            await store.ping()


async def test_plain_text_to_a_tls_port_is_an_outage(guarded: RedisServer) -> None:
    """``redis`` in place of ``rediss`` fails at once."""
    async with opened(f"redis://127.0.0.1:{guarded.port}/0") as store:
        with pytest.raises(StoreUnavailableError):
            await store.ping()


# behind a sentinel


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[RedisPair]:
    """Run a primary and its replica, watched by a sentinel."""
    with RedisPair(tmp_path) as pair:
        yield pair


@pytest.fixture
async def watched(pair: RedisPair) -> AsyncIterator[SessionStore]:
    """An empty store behind the sentinel."""
    async with opened(pair.url, timeout_ms=TIMEOUT_MS) as store:
        yield store


async def test_killed_primary_is_replaced_without_a_wrong_answer(
    watched: SessionStore, pair: RedisPair
) -> None:
    """Until the sentinel has elected there are outages; then all goes on by itself.

    What had ended before the replica was told stays ended.
    """
    kept, ended = create_entry(), create_entry()
    await use(watched)
    await add_all(watched, [kept, ended])
    await watched.delete(ended.digest)
    pair.wait_until_copied()

    pair.primary.kill()
    outages = await wait_for_entry(watched, kept)

    assert outages > 0
    assert await load_all(watched, [kept, ended]) == [kept, None]
    assert await watched.touch(kept.digest, seen=at(60), expires=at(3_660))
    assert len(await watched.delete_owner("alice")) == 1
    await use(watched)


async def test_primary_that_was_replaced_alive_is_left(pair: RedisPair) -> None:
    """It goes on to answer for a while; nobody may see sessions live there [L-15].

    Ended by an instance that has just started, and so went to the new primary. The
    other has one connection, which nothing makes it replace.
    """
    entry = create_entry()
    async with (
        opened(pair.url, pool=1) as store,
        opened(pair.url, timeout_ms=TIMEOUT_MS) as fresh,
    ):
        await store.create(entry)
        pair.wait_until_copied()

        pair.swap()
        await wait_for_entry(fresh, entry)
        assert await fresh.delete(entry.digest) is not None
        assert any(b":s:" in key for key in pair.primary.dump()), "it lives there"
        async with asyncio.timeout(RECOVERY_SECONDS):
            while await store.load(entry.digest) is not None:
                pass

        assert pair.primary.run("ROLE")[0] == b"master", "it was told before"
        await use(store)


async def test_sentinel_that_is_away_stops_nobody(
    watched: SessionStore, pair: RedisPair
) -> None:
    """Connections to the primary that stand are used until the sentinel is back."""
    entry = create_entry()
    await watched.create(entry)

    pair.sentinel.stop()
    async with asyncio.timeout(RECOVERY_SECONDS):
        for _ in range(200):
            assert await watched.load(entry.digest) == entry
            await asyncio.sleep(0.01)

    async with opened(pair.url, timeout_ms=TIMEOUT_MS) as late:
        with pytest.raises(StoreUnavailableError):
            await late.load(entry.digest)


async def test_unknown_service_is_an_outage(pair: RedisPair) -> None:
    """A sentinel that watches over something else has no primary for us."""
    async with opened(pair.url.replace("/sessions", "/other")) as store:
        with pytest.raises(StoreUnavailableError, match="other"):
            await store.ping()


# in a cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """Run three primaries."""
    with running_cluster(tmp_path, "--appendfsync", "no") as cluster:
        yield cluster


async def test_sessions_are_found_where_their_slots_have_gone(
    cluster: RedisCluster,
) -> None:
    """A cluster that is resharded while it is used answers as before."""
    prefix = create_prefix()
    entries = [create_entry(login=f"login-{n}") for n in range(20)]
    async with (
        opened(cluster.url, prefix=prefix) as store,
        opened(cluster.url, prefix=prefix) as elsewhere,
    ):
        await add_all(store, entries)
        await load_all(elsewhere, entries)
        keys = [f"{prefix}:{{{entry.digest[0]:02x}}}:x" for entry in entries]

        for key in {*keys, f"{prefix}:o:alice", f"{prefix}:l:login-0"}:
            others = [s for s in cluster.servers if s is not cluster.owner_of(key)]
            cluster.move(key, others[0])

        assert await load_all(store, entries) == entries
        assert await store.touch(entries[0].digest, seen=at(60), expires=at(3_660))
        assert len(await elsewhere.delete_owner("alice")) == 20
        assert await load_all(store, entries) == [None] * 20
        await use(store)


async def test_lost_primary_fails_its_part_and_all_comes_back(
    cluster: RedisCluster,
) -> None:
    """What lay on the server is an outage, not gone; and so while no server is there.

    The store finds the cluster again by itself.
    """
    entries = [create_entry() for _ in range(30)]
    async with opened(cluster.url, timeout_ms=TIMEOUT_MS) as store:
        await add_all(store, entries)
        lost = cluster.servers[0]

        with lost.stopped():
            part = await asyncio.gather(
                *(store.load(each.digest) for each in entries), return_exceptions=True
            )
            for server in cluster.servers[1:]:
                server.stop()
            for call in every_call().values():
                with pytest.raises(StoreUnavailableError):
                    await call(store)
            for server in cluster.servers[1:]:
                server.start()
        cluster.wait_until_it_serves()

        assert any(isinstance(each, StoreUnavailableError) for each in part)
        assert None not in part
        for entry in entries:
            await wait_for_entry(store, entry)
        assert len(await store.delete_owner("alice")) == 30
        assert await everything(store) == {}


async def test_server_of_a_key_is_not_known_without_a_map() -> None:
    """Before a cluster has told who has what, and of what nobody has, none is named."""
    client = build_client(parse_redis_url("redis+cluster://127.0.0.1:1"))
    assert isinstance(client, ClusterClient)
    without_map = lookup_address(client, "key")
    nodes = client.nodes_manager
    nodes.default_node = next(iter(nodes.startup_nodes.values()))

    without_slot = lookup_address(client, "key")

    assert without_map is None
    assert without_slot is None
    await client.aclose()
