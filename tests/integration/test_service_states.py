"""The whole service as a state machine: two machines, by HTTP, against a small model.

``test_session_states`` has the sessions alone, and far more orders of events. Here the
same promise is asked of what browsers and proxies see: cookie, verify, status, answer.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from forwardauth.web import keys
from tests.support.clock import FakeClock
from tests.support.portal import Portal
from tests.support.stores import DownStore

MACHINES: Final = st.sampled_from((0, 1))
USERS: Final = ("alice", "bob")
IDLE: Final = timedelta(hours=1)
LIVE, REFUSED, OUTAGE = 200, 401, 503

BOUNDED: Final = settings(
    # Not made shorter: that would take minutes, and the story is short.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=8,
    stateful_step_count=12,
    suppress_health_check=[HealthCheck.too_slow],
)

T = TypeVar("T")


class ServiceMachine(RuleBasedStateMachine):
    """What people do with their browsers, and what happens to machines."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._stacks = [AsyncExitStack(), AsyncExitStack()]
        self.store, self.clock = DownStore(), FakeClock()
        self.live: dict[str, str] = {}
        """Users by cookie."""

        self.ended: dict[str, None] = {}
        self.promised: dict[int, list[str]] = {0: [], 1: []}
        """Cookies of which a machine has told somebody that their end is pending."""

        self.portals = [self._run(self._start(number)) for number in (0, 1)]

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _start(self, machine: int) -> Portal:
        folder = Path(self._folder.name) / str(machine)
        folder.mkdir(exist_ok=True)
        portal = Portal(folder, store=self.store, clock=self.clock)
        return await self._stacks[machine].enter_async_context(portal)

    def teardown(self) -> None:
        """End both services."""
        try:
            for stack in self._stacks:
                self._run(stack.aclose())
        finally:
            self._runner.close()
            self._folder.cleanup()

    @property
    def is_down(self) -> bool:
        """Whether the store answers nobody."""
        return self.store.calls_left is not None

    def _pick(self, number: int) -> str:
        return list(self.live)[number % len(self.live)]

    def _end(self, *cookies: str) -> None:
        for cookie in cookies:
            if self.live.pop(cookie, None) is not None:
                self.ended[cookie] = None

    @initialize()
    def begin_with_sessions(self) -> None:
        """Let somebody be signed in at each machine."""
        for machine, user in enumerate(USERS):
            self.sign_in(machine, user)

    @rule(machine=MACHINES, user=st.sampled_from(USERS))
    def sign_in(self, machine: int, user: str) -> None:
        """Sign in; hashing would take most of the time, so nothing is hashed."""
        if not self.is_down:
            cookie, _ = self._run(self.portals[machine].create_session(user))
            self.live[cookie] = user

    @precondition(lambda self: self.live)
    @rule(machine=MACHINES, number=st.integers(0, 9))
    def log_out(self, machine: int, number: int) -> None:
        """Sign out; what is told as pending is refused here from now on."""
        cookie = self._pick(number)
        portal = self.portals[machine]
        reply = self._run(portal.post_json("/api/logout", b"{}", cookie=cookie))
        assert reply.status == (OUTAGE if self.is_down else LIVE)
        assert (reply.json()["status"] == "KO") == self.is_down
        if self.is_down:
            self.promised[machine].append(cookie)
        self._end(cookie)

    @precondition(lambda self: self.live and not self.is_down)
    @rule(machine=MACHINES, number=st.integers(0, 9), keeps=st.booleans())
    def end_all(self, machine: int, number: int, keeps: bool) -> None:
        """End every session of a user from the list, or every other one."""
        cookie = self._pick(number)
        path = "/api/sessions?except=current" if keeps else "/api/sessions"
        reply = self._run(self.portals[machine].send("DELETE", path, cookie=cookie))
        assert reply.status == LIVE, reply.body
        user = self.live[cookie]
        mine = [each for each, owner in self.live.items() if owner == user]
        self._end(*(each for each in mine if each != cookie or not keeps))

    @rule(is_over=st.booleans())
    def pass_time(self, is_over: bool) -> None:
        """Let time pass: all that nobody uses is over then, or none is."""
        self.clock.advance(IDLE if is_over else timedelta(seconds=1))
        if is_over:
            self._end(*list(self.live))

    @rule(machine=MACHINES)
    def restart(self, machine: int) -> None:
        """Stop a machine and start it again, with what is on its disk."""
        self._run(self._stacks[machine].aclose())
        self.portals[machine] = self._run(self._start(machine))

    @rule(is_down=st.booleans())
    def lose_or_find_the_store(self, is_down: bool) -> None:
        """Let the store be away, or back."""
        if is_down:
            self.store.go_down()
        else:
            self.store.come_back()
            self._run(self._keep_promises())

    async def _keep_promises(self) -> None:
        """Ask about each promise before it is kept, and let it be kept.

        A machine does so by itself each second; no test waits for that.
        """
        for machine, cookies in self.promised.items():
            portal = self.portals[machine]
            for cookie in cookies:
                assert (await portal.verify(cookie)).status == REFUSED
            assert not await portal.app[keys.REVOKER].retry_pending()
            cookies.clear()

    @invariant()
    def verify_tells_the_truth(self) -> None:
        """An ended session never passes; a live one passes, or the store is away."""
        self._run(self._verify_all())

    async def _verify_all(self) -> None:
        for machine, portal in enumerate(self.portals):
            expected = OUTAGE if self.is_down else LIVE
            for cookie in self.live:
                status = (await portal.verify(cookie)).status
                assert status == expected, f"machine {machine}: {status}"
            for cookie in self.ended:
                status = (await portal.verify(cookie)).status
                assert status in {REFUSED, OUTAGE}, f"machine {machine}: {status}"


def test_done_is_done_by_http() -> None:
    """No order of requests and faults lets an ended session pass (L-9, L-11, L-15)."""
    run_state_machine_as_test(ServiceMachine, settings=BOUNDED)
