"""Logout while hundreds of verifies are under way: after its answer nothing lives.

The real service with two workers, on SQLite and on Redis. Every session was last seen
so long ago that the first verify at each worker has to touch it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import SessionId, create_session_id, digest_of
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.factory import build_store
from tests.support.installation import COOKIE
from tests.support.processes import Process, free_ports
from tests.support.redis_server import RedisServer
from tests.support.service import PASSWORD, prepare_service, write_users

WORKERS: Final = 2
IDLE_SECONDS: Final = 60
UNSEEN: Final = timedelta(seconds=IDLE_SECONDS / 10)
"""A session that was not seen for so long is touched by the next verify."""

ENDING: Final = 40
STAYING: Final = 4
VERIFIES: Final = 4
"""How many verifies of each session are under way at any time."""

HOSTS: Final = ("app1.example.com", "app2.example.com")


class Service:
    """A running service, its store, and a crowd of connections to it."""

    def __init__(self, process: Process, url: str, http: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self._http = http
        self._base = f"http://127.0.0.1:{process.ports[0]}"

    async def sign_in(self) -> SessionId:
        """Return the cookie of a new session of a user who may see every host."""
        async with self._http.post(
            f"{self._base}/api/firstfactor",
            headers={"Host": "auth.example.com"},
            json={"username": "alice", "password": PASSWORD},
        ) as reply:
            assert reply.status == 200, await reply.text()
            found = SimpleCookie("; ".join(reply.headers.getall("Set-Cookie")))
            return SessionId(found[COOKIE].value)

    async def verify(self, session_id: SessionId, host: str = HOSTS[0]) -> int:
        """Return the status that nginx gets."""
        headers = {
            "Cookie": f"{COOKIE}={session_id}",
            "X-Original-URL": f"https://{host}/",
            "X-Original-Method": "GET",
        }
        async with self._http.get(f"{self._base}/verify/nginx", headers=headers) as got:
            return got.status

    async def sign_out(self, session_id: SessionId) -> int:
        """Return the status of a logout by the interface for scripts."""
        headers = {"Host": "auth.example.com", "Cookie": f"{COOKIE}={session_id}"}
        async with self._http.post(
            f"{self._base}/api/logout", headers=headers, json={}
        ) as reply:
            return reply.status

    def connections(self) -> list[int]:
        """Return how many sockets each worker has open."""
        pid = self.process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [_count_sockets(Path(f"/proc/{worker}/fd")) for worker in workers]


def _count_sockets(folder: Path) -> int:
    count = 0
    for descriptor in folder.iterdir():
        with suppress(FileNotFoundError):  # Closed meanwhile.
            count += "socket:" in str(descriptor.readlink())
    return count


@dataclass(kw_only=True)
class Visit:
    """What one session was told.

    Attributes:
        session_id: Its cookie.
        before: Answers to verifies that began before the logout was answered.
        after: Answers to those that began later.
    """

    session_id: SessionId
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)

    async def end_amid_verifies(self, service: Service) -> None:
        """Verify without a pause, sign out, and verify again after the answer."""
        over = asyncio.Event()

        async def verify_on() -> None:
            while not over.is_set():
                self.before.append(await service.verify(self.session_id))

        self.before.append(await service.verify(self.session_id))
        running = [asyncio.ensure_future(verify_on()) for _ in range(VERIFIES)]
        assert await service.sign_out(self.session_id) == 200
        over.set()
        late = (service.verify(self.session_id) for _ in range(VERIFIES))
        self.after = list(await asyncio.gather(*late))
        await asyncio.gather(*running)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a Redis that keeps what it has acknowledged."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
async def service(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Service]:
    """Run the service with two workers on each kind of shared store."""
    url = f"sqlite:{tmp_path / 'shared.db'}"
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
    process = prepare_service(
        tmp_path,
        port=free_ports(1)[0],
        portal="https://auth.example.com",
        users=write_users(tmp_path),
        store=url,
        settings={
            "FORWARDAUTH_SERVER__WORKERS": str(WORKERS),
            "FORWARDAUTH_SESSION__IDLE_TIMEOUT": f"{IDLE_SECONDS}s",
        },
    )
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        with process:
            yield Service(process, url, http)


@pytest.fixture
async def store(service: Service) -> AsyncIterator[SessionStore]:
    """The store of the service, opened by somebody else."""
    store = build_store(service.url, SystemClock())
    yield store
    await store.close()


async def create_sessions(service: Service, store: SessionStore) -> list[SessionId]:
    """Return the cookies of many sessions that were last seen long enough ago.

    One login, many times over, because a password takes its time.
    """
    login = await store.load(digest_of(await service.sign_in()))
    assert login is not None
    tokens = [create_session_id() for _ in range(ENDING + STAYING)]
    for number, token in enumerate(tokens):
        entry = replace(
            login,
            digest=digest_of(token),
            login=f"login-{number}",
            seen=login.seen - UNSEEN,
            expires=login.expires - UNSEEN,
        )
        assert await store.create(entry)
    assert await store.delete(login.digest) == login
    return tokens


async def test_no_session_outlives_its_logout(
    service: Service, store: SessionStore
) -> None:
    """Not one verify that begins after the answer passes, at either worker, ever.

    Touches under way revive nothing, the store holds no record, a restart brings none
    back, and the sessions that nobody ended live on (L-1, L-2, L-5, L-15).
    """
    tokens = await create_sessions(service, store)
    staying = tokens[:STAYING]
    visits = [Visit(session_id=token) for token in tokens[STAYING:]]
    unseen = {entry.seen for entry in await store.list_owner("alice")}

    kept = [service.verify(token) for token in staying for _ in range(VERIFIES)]
    answers = asyncio.gather(*kept)
    await asyncio.gather(*(visit.end_amid_verifies(service) for visit in visits))

    connections = service.connections()
    assert len(connections) == WORKERS
    assert min(connections) > VERIFIES, "both workers were asked"
    assert set(await answers) == {200}
    assert {visit.before[0] for visit in visits} == {200}
    assert {status for visit in visits for status in visit.before} <= {200, 401}
    assert {status for visit in visits for status in visit.after} == {401}
    for host in HOSTS:
        late = await asyncio.gather(
            *(service.verify(visit.session_id, host) for visit in visits * 2)
        )
        assert set(late) == {401}

    service.process.stop()
    left = [await store.load(digest_of(visit.session_id)) for visit in visits]
    assert left == [None] * ENDING
    listed = await store.list_owner("alice")
    assert {entry.digest for entry in listed} == {digest_of(each) for each in staying}
    assert min(entry.seen for entry in listed) > max(unseen), "all were touched"
    service.process.start()

    again = await asyncio.gather(*(service.verify(each) for each in tokens))
    assert again == [200] * STAYING + [401] * ENDING
