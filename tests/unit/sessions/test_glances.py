"""Glances: what they tell, against what ``SessionManager.lookup`` tells."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from forwardauth.sessions.glances import GlancingStore, SessionGlances
from forwardauth.sessions.ids import SessionId, create_session_id, digest_of
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import EndCause, dump_entry
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.rows import Glance, NoGlanceError
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.sessions.stores.sqlite_worker import SqliteWorker
from tests.support.clock import START, FakeClock
from tests.support.sessions import DOMAIN, TIMEOUTS, Worker, wait_for_use

STAMPS: Final = ("0" * 32, "f" * 32)
LOGIN: Final = Login(
    username="\u00c5se",
    domain=DOMAIN,
    credential=STAMPS,
    methods=("pwd",),
    remembered=False,
    address="2001:db8::1",
    user_agent="Mozilla/5.0 (X11; Linux x86_64)",
)
MS: Final = timedelta(milliseconds=1)
INTERVAL: Final = TIMEOUTS.touch_interval


class Glancing:
    """A worker that glances at its store, too."""

    def __init__(self, folder: Path, store: SessionStore) -> None:
        self.clock = FakeClock()
        self.store = store
        self.worker = Worker(folder / "journal", store=store, clock=self.clock)
        assert isinstance(store, GlancingStore)
        self.glances = SessionGlances(
            store,
            backlog=self.worker.revoker.backlog,
            clock=self.clock,
            touches=self.worker.sessions.touches,
        )

    async def sign_in(self, login: Login = LOGIN) -> SessionId:
        """Return the secret of a new session."""
        return (await self.worker.sessions.create(login))[0]

    def look(self, presented: str, domain: str = DOMAIN) -> Glance | str | None:
        """Return what a glance tells; a word where the manager is to be asked."""
        try:
            return self.glances.lookup(presented.encode(), domain=domain)
        except NoGlanceError:
            return "ask"


@pytest.fixture(params=["memory", "sqlite"])
async def glancing(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Glancing]:
    """Glances at each store that answers at once."""
    store: SessionStore = MemoryStore()
    if request.param == "sqlite":
        store = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
        await store.ping()
    yield Glancing(tmp_path, store)
    await store.close()


async def test_glance_tells_what_verify_needs(glancing: Glancing) -> None:
    """User, level and stamps are those of the session."""
    token = await glancing.sign_in()

    found = glancing.look(token)

    assert isinstance(found, Glance)
    assert (found.username, found.level) == (LOGIN.username, LOGIN.level)
    assert found.stamps == STAMPS


@pytest.mark.parametrize(
    "presented",
    ["", "x", "A" * 43, "A" * 42 + "B", "A" * 44, "\u00e9" * 43, create_session_id()],
    ids=["empty", "short", "unknown", "spelling", "long", "letters", "other"],
)
async def test_what_nobody_issued_is_nobody(glancing: Glancing, presented: str) -> None:
    """A malformed and an unknown cookie are no cookie (V-4)."""
    await glancing.sign_in()

    assert glancing.look(presented) is None
    assert await glancing.worker.lookup(presented) is None


async def test_session_counts_on_its_domain_alone(glancing: Glancing) -> None:
    """A cookie of one domain is nobody on another (V-8)."""
    token = await glancing.sign_in()

    assert glancing.look(token, "example.org") is None
    assert glancing.look(token, "sub." + DOMAIN) is None


async def test_ended_session_is_nobody_at_once(glancing: Glancing) -> None:
    """The very next glance after the end finds nothing (V-52)."""
    token = await glancing.sign_in()
    await glancing.worker.revoker.revoke([token], cause=EndCause.USER)

    assert glancing.look(token) is None


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (TIMEOUTS.touch_interval - MS, Glance),
        (TIMEOUTS.touch_interval, Glance),
        (TIMEOUTS.idle - MS, Glance),
        (TIMEOUTS.idle, str),
        (TIMEOUTS.absolute, str),
        (-timedelta(days=2), Glance),
    ],
    ids=["fresh", "to touch", "nearly idle", "idle", "absolute", "clock went back"],
)
async def test_what_has_to_be_ended_is_no_glance(
    glancing: Glancing, passed: timedelta, expected: type
) -> None:
    """Whoever expired is ended the normal way; a use is recorded behind (V-6, V-44)."""
    token = await glancing.sign_in()
    glancing.clock.advance(passed)

    assert isinstance(glancing.look(token), expected)


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("passed", [-MS, timedelta(), TIMEOUTS.idle - INTERVAL - MS])
async def test_use_is_recorded_as_the_manager_records_it(
    glancing: Glancing, passed: timedelta, *, remembered: bool
) -> None:
    """A glance of a session that was not seen for a while prolongs it (V-44)."""
    login = replace(LOGIN, remembered=remembered)
    glanced, looked_up = [await glancing.sign_in(login) for _ in range(2)]
    glancing.clock.advance(INTERVAL + passed)

    found = glancing.look(glanced)
    await glancing.worker.lookup(looked_up)
    entries = [
        await glancing.store.load(digest_of(each)) for each in (glanced, looked_up)
    ]

    assert isinstance(found, Glance)
    one, other = [(each.seen, each.expires) for each in entries if each is not None]
    assert one == other
    assert one[0] == START + (
        INTERVAL + passed if passed >= timedelta() else passed * 0
    )


@pytest.mark.parametrize("is_glanced_at", [False, True])
async def test_use_in_the_last_minute_is_recorded_at_once(
    glancing: Glancing, *, is_glanced_at: bool
) -> None:
    """The next request of the same page finds a session that lives (V-6, V-44)."""
    touches = glancing.worker.sessions.touches
    touches._seconds = 3600.0  # noqa: SLF001 - others wait for longer than the test
    token = await glancing.sign_in()
    glancing.clock.advance(TIMEOUTS.idle - MS)

    if is_glanced_at:
        assert isinstance(glancing.look(token), Glance)
        await asyncio.sleep(0)
    else:
        await glancing.worker.sessions.lookup([token], domain=DOMAIN)
    seen = await wait_for_use(glancing.store, token)

    assert seen == START + TIMEOUTS.idle - MS


async def test_refused_glance_is_no_use(glancing: Glancing) -> None:
    """On another domain, or after its end, nothing is recorded (V-5, V-8, V-44)."""
    token = await glancing.sign_in()
    glancing.clock.advance(INTERVAL)

    found = glancing.look(token, "example.org")
    await glancing.worker.sessions.close()
    entry = await glancing.store.load(digest_of(token))

    assert found is None
    assert entry is not None
    assert entry.seen == START


async def test_remembered_session_has_no_idle_timeout(glancing: Glancing) -> None:
    """It lives unused as long as it was asked to."""
    token = await glancing.sign_in(replace(LOGIN, remembered=True))
    glancing.clock.advance(TIMEOUTS.idle)

    assert isinstance(glancing.look(token), Glance)


async def test_promise_makes_everybody_ask(glancing: Glancing) -> None:
    """What the journal holds could be about any session, so nobody glances (L-1)."""
    token = await glancing.sign_in()
    other = digest_of(create_session_id())
    pending = PendingRevocation(
        digest=other,
        login=None,
        owner=None,
        cause=EndCause.USER.value,
        until=START + TIMEOUTS.longest,
        is_for_user=False,
    )

    glancing.worker.revoker.backlog.add([pending])

    assert glancing.look(token) == "ask"


@pytest.mark.parametrize(
    "change",
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":0'),
        (b'"v":1', b'"v":true'),
        (b'"level":1', b'"level":9'),
        (b'"upstream":{}', b'"upstream":{"sid":"x"}'),
        (b'"upstream":{}', b'"upstream":{},"level":2'),
        (b"Mozilla", b"\\u00e9"),
        (b"{", b"["),
    ],
    ids=["newer", "v 0", "true", "level", "upstream", "twice", "escape", "no object"],
)
async def test_record_that_is_not_plain_is_no_glance(
    glancing: Glancing, change: tuple[bytes, bytes]
) -> None:
    """Only what stands there as we write it is read in passing."""
    token = await glancing.sign_in()
    entry = await glancing.store.load(digest_of(token))
    assert entry is not None
    await glancing.store.delete(entry.digest)
    await glancing.store.create(replace(entry, record=entry.record.replace(*change, 1)))

    assert glancing.look(token) == "ask"


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize(
    "agent", ["", "curl/8", "a b~!{}[]", 'q"', "back\\slash", "\u00e9", "\n", "x" * 300]
)
async def test_glance_and_manager_agree(
    glancing: Glancing, agent: str, level: int
) -> None:
    """Whatever a glance tells, the manager says as well."""
    token = await glancing.sign_in(replace(LOGIN, user_agent=agent, level=level))

    glance = glancing.look(token)
    live = await glancing.worker.lookup(token)

    assert live is not None
    session = live.session
    if isinstance(glance, Glance):
        assert glance.stamps == session.credential
        assert (glance.username, glance.level) == (session.username, session.level)
    else:
        assert glance == "ask"
        assert not agent.isascii() or not agent.isprintable() or set(agent) & {*'"\\'}


async def test_file_that_is_not_open_is_no_glance(tmp_path: Path) -> None:
    """A SQLite file is opened by its own thread, which takes a while."""
    store = SqliteStore(SqliteWorker(tmp_path / "sessions.db"))
    glancing = Glancing(tmp_path, store)

    assert glancing.look(create_session_id()) == "ask"

    await store.close()


async def test_row_of_another_shape_is_no_glance(tmp_path: Path) -> None:
    """What somebody else has written into the file is for ``load`` to judge."""
    store = SqliteStore(worker := SqliteWorker(tmp_path / "sessions.db"))
    glancing = Glancing(tmp_path, store)
    token = await glancing.sign_in()
    assert worker.file is not None
    worker.file.writer.execute("UPDATE sessions SET record = CAST(record AS TEXT)")

    assert glancing.look(token) == "ask"

    await store.close()


def test_store_on_a_network_is_not_glanced_at() -> None:
    """No answer of it is there at once."""
    assert not issubclass(RedisStore, GlancingStore)


def test_entry_is_written_as_it_is_read(tmp_path: Path) -> None:
    """``dump_entry`` writes what the pattern of glances is about: no field is new."""
    session = Glancing(tmp_path, MemoryStore()).worker.sessions._new_session(LOGIN)  # noqa: SLF001

    record = dump_entry(session, digest_of(create_session_id())).record

    assert record.startswith(b'{"v":1,"handle":"')
    assert record.endswith(b',"upstream":{}}')


class Asking(MemoryStore):
    """Notes what is asked of it, and of the journal."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def begin_peeking(self) -> None:
        self.asked.append("begin")

    def end_peeking(self) -> None:
        self.asked.append("end")


async def test_system_is_asked_once_in_a_turn_of_the_loop(tmp_path: Path) -> None:
    """All that had arrived shares one look; what arrives later has its own."""
    store = Asking()
    glancing = Glancing(tmp_path, store)
    token = await glancing.sign_in()

    for _ in range(2):
        assert glancing.look(token) == glancing.look(token) != "ask"
        await asyncio.sleep(0)

    assert store.asked == ["begin", "end"] * 2


async def test_glances_of_a_crowd_share_nothing(tmp_path: Path) -> None:
    """Where a turn may have no end, each glance asks by itself (V-52)."""
    store = Asking()
    glancing = Glancing(tmp_path, store)
    glancing.glances.is_crowded = True
    token = await glancing.sign_in()

    for _ in range(2):
        assert glancing.look(token) != "ask"

    assert store.asked == ["begin", "end"] * 2


async def test_end_by_another_worker_counts_in_the_next_turn(tmp_path: Path) -> None:
    """A snapshot of the file does not outlive its turn (V-52)."""
    path = tmp_path / "sessions.db"
    store = SqliteStore(SqliteWorker(path))
    other = SqliteStore(SqliteWorker(path))
    await store.ping()
    glancing = Glancing(tmp_path, store)
    token = await glancing.sign_in()
    await asyncio.sleep(0)
    before = glancing.look(token)
    await other.delete(digest_of(token))

    after = glancing.look(token)

    assert isinstance(before, Glance)
    assert after is None
    await other.close()
    await store.close()


async def test_promise_by_another_worker_counts_in_the_next_turn(
    glancing: Glancing, tmp_path: Path
) -> None:
    """That nothing was promised does not outlive its turn, either (L-8)."""
    token = await glancing.sign_in()
    await asyncio.sleep(0)
    before = glancing.look(token)
    await asyncio.sleep(0)
    other = Worker(tmp_path / "journal", store=MemoryStore(), clock=glancing.clock)
    other.journal.add(
        PendingRevocation(
            digest=digest_of(token),
            login=None,
            owner=None,
            cause=EndCause.USER.value,
            until=START + timedelta(days=1),
        )
    )

    after = glancing.look(token)

    assert isinstance(before, Glance)
    assert after == "ask"
