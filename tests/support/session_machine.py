"""Sessions as a state machine: two machines on one store, against a small model.

The first machine has two workers on one journal, the second has one. Each machine has
its own way to the store, which can close at any call. The model knows which logins
live, until when, and where an end was promised that the store has not taken; of a
session about which promises and sign-ins were at odds it claims nothing any more.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import AwaitedGlances, AwaitedStore, Seen
from forwardauth.sessions.glances import GlancingStore, SessionGlances
from forwardauth.sessions.ids import SessionId, digest_of
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import EndCause, Session
from forwardauth.sessions.rows import Glance, NoGlanceError
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.touches import Touches
from tests.support.clock import FakeClock
from tests.support.gated_store import Gate, GatedStore, gated
from tests.support.sessions import TIMEOUTS, Worker

HOME: Final = "example.com"
ELSEWHERE: Final = "example.org"
USERS: Final = ("alice", "bob")
WORKERS: Final = range(3)
MACHINE_OF: Final = (0, 0, 1)
"""Which machine each worker runs on."""

STAMPS: Final = ("0" * 32,)
"""Of the form that glances read."""

MOVES: Final = (
    timedelta(seconds=30),
    TIMEOUTS.touch_interval,
    *2 * (TIMEOUTS.idle - timedelta(seconds=1),),
    TIMEOUTS.idle,
)

_A_MOMENT: Final = 0.005
"""Long enough for one answer; a longer one only makes the run prove less."""

OpenStore: TypeAlias = Callable[[], AbstractAsyncContextManager[SessionStore]]
OpenStores: TypeAlias = Callable[[Path], OpenStore]
"""For a folder of one run: what opens the store as each worker sees it."""

Cookie: TypeAlias = tuple[SessionId, str]
"""What a browser shows, and on which cookie domain."""

T = TypeVar("T")


@dataclass(kw_only=True)
class Known:
    """What the model knows of one login."""

    user: str
    absolute: datetime
    idle: timedelta | None
    seen: datetime
    cookies: list[tuple[SessionId, Session]] = field(default_factory=list)
    promised: set[int] = field(default_factory=set)
    """Machines that have promised its end."""

    @property
    def expires(self) -> datetime:
        """When it ends if nobody uses it."""
        if self.idle is None:
            return self.absolute
        return min(self.absolute, self.seen + self.idle)


@dataclass(kw_only=True)
class Model:
    """The logins that live, and the cookies that never count again.

    Attributes:
        doubted: Machines that have still to end all sessions of a user, who may have
            signed in elsewhere meanwhile: nothing is claimed of such a login.
    """

    live: dict[str, Known] = field(default_factory=dict)
    doubted: set[tuple[str, int]] = field(default_factory=set)
    ended: dict[Cookie, None] = field(default_factory=dict)

    def end(self, *logins: str) -> None:
        """Move *logins* to what has ended."""
        for login in logins:
            known = self.live.pop(login, None)
            if known is not None:
                cookies = [(each, session.domain) for each, session in known.cookies]
                self.ended.update(dict.fromkeys(cookies))

    def is_doubted(self, user: str) -> bool:
        """Whether a promise may also end a login of *user* that begins now."""
        return any(each == user for each, _ in self.doubted)

    def of_user(self, user: str) -> list[str]:
        """Return the logins of *user*."""
        return [name for name, known in self.live.items() if known.user == user]


class SessionMachine(RuleBasedStateMachine):
    """Rules that people, operators and faults follow; see the module."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._journals = [folder / "first.journal", folder / "second.journal"]
        self.clock = FakeClock()
        self.gates = [Gate(), Gate()]
        self.model = Model()
        self._run(self._open(self.open_stores(folder)))

    def open_stores(self, folder: Path) -> OpenStore:
        """Return what opens the one store; its files go into *folder*."""
        raise NotImplementedError

    async def _open(self, open_store: OpenStore) -> None:
        self.stores: list[GatedStore] = []
        for machine in MACHINE_OF:
            store = await self._stack.enter_async_context(open_store())
            self.stores.append(gated(store, self.gates[machine]))
        self.workers = [self._start(number) for number in WORKERS]
        self.glances = [self._glances(number) for number in WORKERS]

    def _start(self, number: int) -> Worker:
        journal = self._journals[MACHINE_OF[number]]
        return Worker(journal, store=self.stores[number], clock=self.clock)

    def _glances(
        self, number: int, touches: Touches | None = None
    ) -> SessionGlances | AwaitedGlances:
        """Return glances that are no uses, unless *touches* records them."""
        store, backlog = self.stores[number], self.workers[number].revoker.backlog
        parts: Any = {
            "backlog": backlog,
            "clock": self.clock,
            "touches": touches or Touches(MemoryStore(), interval=TIMEOUTS.idle),
        }
        if isinstance(store, AwaitedStore):
            return AwaitedGlances(store, **parts)
        assert isinstance(store, GlancingStore)
        return SessionGlances(store, **parts)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def teardown(self) -> None:
        """Close everything that the run has opened."""
        try:
            self._run(self._stack.aclose())
        finally:
            self._runner.close()
            self._folder.cleanup()

    @initialize()
    def begin_with_logins(self) -> None:
        """Let there be something to end: three logins on both domains."""
        for number, user in enumerate(("alice", "alice", "bob")):
            self.sign_in(number, user, remembered=user == "bob")
            self.go_on_elsewhere(number, number)

    def _pick(self, number: int) -> tuple[str, Known]:
        # In the order of their begin: names differ from run to run.
        name = list(self.model.live)[number % len(self.model.live)]
        return name, self.model.live[name]

    # what people do

    @rule(
        worker=st.sampled_from(WORKERS),
        user=st.sampled_from(USERS),
        remembered=st.booleans(),
    )
    def sign_in(self, worker: int, user: str, remembered: bool) -> None:
        """Begin a login; in an outage nothing has begun."""
        machine = MACHINE_OF[worker]
        if not self.gates[machine].is_open:
            return
        found = self._run(self._create(worker, user, remembered=remembered))
        session = found[1]
        known = Known(
            user=user,
            absolute=session.absolute,
            idle=session.idle,
            seen=session.seen,
            cookies=[found],
        )
        if not self.model.is_doubted(user):
            self.model.live[session.login] = known

    async def _create(
        self,
        worker: int,
        user: str,
        *,
        remembered: bool = False,
        linked_to: Session | None = None,
    ) -> tuple[SessionId, Session]:
        return await self.workers[worker].sessions.create(
            Login(
                username=user,
                domain=HOME if linked_to is None else ELSEWHERE,
                credential=STAMPS,
                methods=("pwd",),
                remembered=remembered,
                address="192.0.2.1",
                user_agent="Firefox",
                linked_to=linked_to,
            )
        )

    @precondition(lambda self: self.model.live)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 9))
    def go_on_elsewhere(self, worker: int, number: int) -> None:
        """Link a session on the other domain to a login that lives."""
        _, known = self._pick(number)
        if not self.gates[MACHINE_OF[worker]].is_open:
            return
        if known.promised or self.model.is_doubted(known.user):
            return
        first = known.cookies[0][1]
        known.cookies.append(
            self._run(self._create(worker, known.user, linked_to=first))
        )
        known.seen = max(known.seen, self.clock.now())

    @precondition(lambda self: self.model.live)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 9))
    def use(self, worker: int, number: int) -> None:
        """Use every session of a login: it is accepted, and lives longer for it."""
        self._use(worker, self._pick(number)[1])

    def _use(self, worker: int, known: Known) -> None:
        machine = MACHINE_OF[worker]
        is_open = self.gates[machine].is_open
        for session_id, session in list(known.cookies):
            found = self._run(self._lookup(worker, session_id, session.domain))
            if not is_open or machine in known.promised:
                assert found is None, "accepted in an outage, or against a promise"
            elif not known.promised:
                assert found is not None, "a live session was refused"
            unused = self.clock.now() - known.seen
            if found is not None and unused >= TIMEOUTS.touch_interval:
                known.seen = self.clock.now()

    @precondition(lambda self: self.model.live)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 9))
    def use_in_passing(self, worker: int, number: int) -> None:
        """Use every session of a login by glances: it lives longer for that, too."""
        _, known = self._pick(number)
        for session_id, session in list(known.cookies):
            cookie = session_id, session.domain
            found = self._run(self._glance_and_record(worker, cookie))
            unused = self.clock.now() - known.seen
            if isinstance(found, Glance) and unused >= TIMEOUTS.touch_interval:
                known.seen = self.clock.now()

    async def _glance_and_record(self, worker: int, cookie: Cookie) -> Seen:
        sessions = self.workers[worker].sessions
        (found,) = await self._look(self._glances(worker, sessions.touches), [cookie])
        await sessions.close()
        return found

    async def _lookup(
        self, worker: int, session_id: SessionId, domain: str
    ) -> object | None:
        try:
            sessions = self.workers[worker].sessions
            found = await sessions.lookup([session_id], domain=domain)
            await sessions.close()
        except StoreUnavailableError:
            return None
        return found

    @precondition(lambda self: self.model.live)
    @rule(
        worker=st.sampled_from(WORKERS),
        number=st.integers(0, 9),
        cookie=st.integers(0, 9),
        answers=st.sampled_from((None, 0, 1, 2, 3)),
        everywhere=st.booleans(),
        is_short=st.booleans(),
    )
    def log_out(
        self,
        *,
        worker: int,
        number: int,
        cookie: int,
        answers: int | None,
        everywhere: bool,
        is_short: bool,
    ) -> None:
        """End a login by one of its cookies, or all of the user's.

        The way to the store may close after some *answers*, for a short time or until
        something opens it.
        """
        name, known = self._pick(number)
        session_id = known.cookies[cookie % len(known.cookies)][0]
        gate = self.gates[MACHINE_OF[worker]]
        if answers is not None and gate.is_open:
            gate.close(after=answers)
        is_pending = self._run(
            self.workers[worker].revoke(session_id, is_for_user=everywhere)
        )
        if is_short:
            gate.open()
        elif not gate.is_open:
            gate.close()
        users = self.model.of_user(known.user) if everywhere else []
        others = [each for each in users if each != name]
        # By the cookie of a session whose promised end some look-up has carried out
        # behind its answer, the user's others are found no more.
        are_found = not (is_pending or known.promised)
        if is_pending:
            known.promised.add(MACHINE_OF[worker])
            if everywhere:
                self.model.doubted.add((known.user, MACHINE_OF[worker]))
        else:
            self.model.end(name, *(others if are_found else ()))
        for other in () if are_found else others:
            # The store has not said whose the cookie is, so if its session ends by
            # another cause before the store is back, nobody knows of the others.
            del self.model.live[other]

    @precondition(lambda self: self.model.live)
    @rule(
        worker=st.sampled_from(WORKERS),
        number=st.integers(0, 9),
        cookie=st.integers(0, 9),
        everywhere=st.booleans(),
        is_outage=st.booleans(),
        insists=st.booleans(),
    )
    def end_on_the_page(
        self,
        *,
        worker: int,
        number: int,
        cookie: int,
        everywhere: bool,
        is_outage: bool,
        insists: bool,
    ) -> None:
        """End a session that the list of sessions shows, or all of the user's.

        Whose it is was known before, so a promise names all that it covers. Whoever
        *insists* signs out as well, by the same cookie.
        """
        name, known = self._pick(number)
        gate = self.gates[MACHINE_OF[worker]]
        if is_outage:
            gate.close()
        session_id, session = known.cookies[cookie % len(known.cookies)]
        ended = self._run(
            self.workers[worker].revoker.revoke_session(
                session,
                digest_of(session_id),
                cause=EndCause.REVOKED,
                is_for_user=everywhere,
            )
        )
        if insists:
            self._run(self.workers[worker].revoke(session_id))
        if is_outage:
            gate.open()
        logins = {name, *(self.model.of_user(known.user) if everywhere else [])}
        if not ended.is_pending:
            self.model.end(*logins)
            return
        for login in logins:
            self.model.live[login].promised.add(MACHINE_OF[worker])
        if everywhere:
            self.model.doubted.add((known.user, MACHINE_OF[worker]))

    @rule(
        worker=st.sampled_from(WORKERS),
        user=st.sampled_from(USERS),
        number=st.none() | st.integers(0, 9),
    )
    def end_all(self, worker: int, user: str, number: int | None) -> None:
        """End all sessions of a user, as operators do, or all but one login."""
        logins = self.model.of_user(user)
        keep = logins[number % len(logins)] if number is not None and logins else None
        try:
            self._run(
                self.workers[worker].revoker.revoke_user(
                    user, cause=EndCause.ADMIN, keep_login=keep
                )
            )
        except StoreUnavailableError:
            return
        self.model.end(*(login for login in logins if login != keep))

    @precondition(lambda self: self.model.live)
    @rule(
        worker=st.sampled_from(WORKERS),
        number=st.integers(0, 9),
        cookie=st.integers(0, 9),
        is_known=st.booleans(),
        call=st.sampled_from(("load", "list_owner")),
    )
    def use_while_the_promise_is_kept(
        self,
        *,
        worker: int,
        number: int,
        cookie: int,
        is_known: bool,
        call: str,
    ) -> None:
        """Promise an end, and keep it while a use of the login has its first answer.

        It was told before the use began, so the use is refused all the same.
        """
        machine = MACHINE_OF[worker]
        name, known = self._pick(number)
        if known.promised or self.model.is_doubted(known.user):
            return
        count = len(known.cookies)
        ended, used = (known.cookies[(cookie + n) % count] for n in (0, 1))
        self.gates[machine].close()
        parts = self.workers[worker]
        if is_known:
            session_id, session = ended
            digest = digest_of(session_id)
            revoking = parts.revoker.revoke_session(
                session, digest, cause=EndCause.REVOKED
            )
            self._run(revoking)
        else:
            self._run(parts.revoke(ended[0]))
        self.gates[machine].open()
        self.stores[worker].held_call = call
        lookup = self._lookup_during_house(worker, used[0], used[1].domain)
        assert self._run(lookup) is None, "a promise was forgotten while it was kept"
        self.model.end(name)
        self.keep_house(worker)

    async def _lookup_during_house(
        self, worker: int, session_id: SessionId, domain: str
    ) -> object | None:
        held_up = self.stores[worker].held_up = asyncio.Event()
        use = asyncio.create_task(self._lookup(worker, session_id, domain))
        await asyncio.wait([use], timeout=_A_MOMENT)
        self.stores[worker].held_up = None  # Whoever is not held up by now will not be.
        await self.workers[worker].revoker.retry_pending()
        held_up.set()
        return await use

    @precondition(lambda self: self.model.live)
    @rule(
        worker=st.sampled_from(WORKERS),
        other=st.sampled_from(WORKERS),
        number=st.integers(0, 9),
    )
    def use_and_log_out_at_once(self, worker: int, other: int, number: int) -> None:
        """Log out in one place while the same session is used in another."""
        if not all(gate.is_open for gate in self.gates):
            return
        name, known = self._pick(number)
        session_id, session = known.cookies[0]

        async def both() -> bool:
            _, is_pending = await asyncio.gather(
                self._lookup(worker, session_id, session.domain),
                self.workers[other].revoke(session_id),
            )
            return is_pending

        assert not self._run(both())
        self.model.end(name)

    @precondition(lambda self: self.model.ended)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 99))
    def use_too_late(self, worker: int, number: int) -> None:
        """Let a use that was on its way arrive after the end."""
        session_id, _ = list(self.model.ended)[number % len(self.model.ended)]
        now = self.clock.now()
        try:
            changed = self._run(
                self.stores[worker].touch(
                    digest_of(session_id), seen=now, expires=now + TIMEOUTS.idle
                )
            )
        except StoreUnavailableError:
            return
        assert not changed, "a touch found what has ended"

    @precondition(lambda self: self.model.ended)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 99))
    def log_out_again(self, worker: int, number: int) -> None:
        """Present a cookie that has ended: nothing is left to end."""
        session_id, _ = list(self.model.ended)[number % len(self.model.ended)]
        if self.gates[MACHINE_OF[worker]].is_open:
            assert not self._run(self.workers[worker].revoke(session_id))

    # what happens to machines

    @rule(by=st.sampled_from(MOVES))
    def pass_time(self, by: timedelta) -> None:
        """Let time pass; what is over has ended for good."""
        self.clock.advance(by)
        now = self.clock.now()
        over = [name for name, each in self.model.live.items() if each.expires <= now]
        self.model.end(*over)

    @precondition(lambda self: self.model.live)
    @rule(number=st.integers(0, 9), too_early=st.booleans())
    def wait_for_an_end(self, number: int, too_early: bool) -> None:
        """Let time pass to the moment a login expires, or to just before it."""
        _, known = self._pick(number)
        short = timedelta(milliseconds=1) if too_early else timedelta()
        self.pass_time(max(known.expires - short - self.clock.now(), timedelta()))

    @precondition(lambda self: self.model.live)
    @rule(worker=st.sampled_from(WORKERS), number=st.integers(0, 9))
    def work_until_the_end(self, worker: int, number: int) -> None:
        """Use a login as seldom as it bears, until use prolongs it no more."""
        name, known = self._pick(number)
        while name in self.model.live and known.expires < known.absolute:
            if not self.gates[MACHINE_OF[worker]].is_open or known.promised:
                return
            self.pass_time(TIMEOUTS.idle - timedelta(seconds=1))
            if name in self.model.live:
                self._use(worker, known)

    @rule(worker=st.sampled_from(WORKERS))
    def keep_house(self, worker: int) -> None:
        """Carry out what is promised, and sweep, as far as the store answers."""
        machine = MACHINE_OF[worker]
        revoker = self.workers[worker].revoker
        is_left = self._run(revoker.retry_pending())
        if self.gates[machine].is_open:
            assert not is_left, "a promise was not carried out"
            kept = [
                n for n, each in self.model.live.items() if machine in each.promised
            ]
            self.model.end(*kept)
            self.model.doubted = {e for e in self.model.doubted if e[1] != machine}
            while self._run(revoker.sweep()):
                pass

    @rule(worker=st.sampled_from(WORKERS))
    def restart(self, worker: int) -> None:
        """Forget everything that is not on the disk or in the store."""
        self.workers[worker] = self._start(worker)
        self.glances[worker] = self._glances(worker)

    @rule(machine=st.sampled_from((0, 1)))
    def lose_the_store(self, machine: int) -> None:
        """Close the way of one machine to the store."""
        self.gates[machine].close()

    @rule(machine=st.sampled_from((0, 1)))
    def find_the_store(self, machine: int) -> None:
        """Open it again."""
        self.gates[machine].open()

    # what always holds

    @invariant()
    def ended_is_refused_and_live_is_accepted(self) -> None:
        """Ask every worker about every cookie, both ways, without using any."""
        self._run(self._ask_all())

    async def _ask_all(self) -> None:
        for worker in WORKERS:
            machine = MACHINE_OF[worker]
            is_open = self.gates[machine].is_open
            expected: dict[Cookie, bool | None] = dict.fromkeys(self.model.ended, False)
            for known in self.model.live.values():
                refused = not is_open or machine in known.promised
                claim = False if refused else (None if known.promised else True)
                for session_id, session in known.cookies:
                    expected[session_id, session.domain] = claim
            found = await self._ask(worker, list(expected))
            for cookie, claim in expected.items():
                assert claim in (None, found[cookie]), (
                    f"worker {worker} {'accepts' if found[cookie] else 'refuses'}"
                )

    async def _ask(self, worker: int, cookies: list[Cookie]) -> dict[Cookie, bool]:
        """Return which of *cookies* are accepted; both ways have to agree."""
        gate = self.gates[MACHINE_OF[worker]]
        before = gate.calls_left
        found = await asyncio.gather(
            *(self._is_accepted(worker, c) for c, _ in cookies)
        )
        await self.workers[worker].sessions.close()
        seen = await self._glance(worker, cookies)
        gate.calls_left = before  # Looking is no part of the story.
        for is_accepted, each in zip(found, seen, strict=True):
            if isinstance(each, Glance):
                assert is_accepted, "a glance accepts what the manager refuses"
            elif each is None and gate.is_open:
                assert not is_accepted, "a glance refuses what the manager accepts"
        return dict(zip(cookies, found, strict=True))

    async def _is_accepted(self, worker: int, session_id: SessionId) -> bool:
        try:
            sessions = self.workers[worker].sessions
            return await sessions.lookup_digest(digest_of(session_id)) is not None
        except StoreUnavailableError:
            return False

    async def _glance(self, worker: int, cookies: list[Cookie]) -> list[Seen]:
        return await self._look(self.glances[worker], cookies)

    async def _look(
        self, glances: SessionGlances | AwaitedGlances, cookies: list[Cookie]
    ) -> list[Seen]:
        if isinstance(glances, SessionGlances):
            seen = [_glance_at(glances, *cookie) for cookie in cookies]
            await asyncio.sleep(0)  # The turn ends, and the snapshot with it.
            return seen
        told: list[asyncio.Future[Seen]] = []
        for session_id, domain in cookies:
            told.append(asyncio.get_running_loop().create_future())
            glances.lookup(session_id.encode(), domain=domain, done=told[-1].set_result)
        return await asyncio.gather(*told)


def _glance_at(glances: SessionGlances, session_id: SessionId, domain: str) -> Seen:
    try:
        return glances.lookup(session_id.encode(), domain=domain)
    except NoGlanceError as exc:
        return exc


@asynccontextmanager
async def lent(store: SessionStore) -> AsyncIterator[SessionStore]:
    """Yield a *store* that all workers share."""
    yield store
