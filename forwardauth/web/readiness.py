"""Whether all is as it should be: the store answers, the configuration counts.

    store ──────────┐
    configuration ──┴─► checks ─► ready, or what is in the way

Laws: an answer comes in bounded time, whatever the store does. A configuration that was
refused keeps the one before in service, and the service not ready until somebody mends
it: whoever changed it has not got what they wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.backlog import Backlog
from forwardauth.sessions.store import SessionStore
from forwardauth.web.instance import Instance
from forwardauth.web.shared_call import SharedCall

PATIENCE_SECONDS: Final = 2.0
"""How long a probe or a scrape waits for the store."""


class ConfigState:
    """What became of the last attempt to change the configuration of this instance.

    Whoever reloads writes it; probes and metrics of any worker read it. It outlives
    what was loaded.
    """

    def __init__(self, clock: Clock, instance: Instance | None = None) -> None:
        """Tell of *instance*; without one, of a configuration that was just taken."""
        self._clock = clock
        self._instance = instance or Instance()
        if instance is None:
            self.take()

    def take(self) -> None:
        """Note that a configuration was taken, the same one or another."""
        self._instance.accept(self._instance.generation + 1, self._clock.now())

    def refuse(self, reason: str) -> None:
        """Note that one was refused, for *reason*; the one before goes on."""
        self._instance.refuse(reason, self._clock.now())

    @property
    def since(self) -> datetime:
        """When the configuration that counts was taken."""
        return self._instance.since

    @property
    def refused(self) -> datetime | None:
        """When another one was last refused, ``None`` if none was since then."""
        return self._instance.refused

    @property
    def reason(self) -> str:
        """Why, in a sentence for operators, without values; empty otherwise."""
        return self._instance.reason

    @property
    def generation(self) -> int:
        """How many configurations were taken, the first included."""
        return self._instance.generation

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is accepted any more."""
        return self._instance.is_stopping

    @property
    def is_of_one_mind(self) -> bool:
        """Whether every worker that serves goes by the configuration that counts."""
        return self._instance.is_of_one_mind

    @property
    def is_current(self) -> bool:
        """Whether what counts is what was last asked for, for every worker."""
        return self.refused is None and self.is_of_one_mind


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that has to be so.

    Attributes:
        name: Of what was looked at.
        fault: What is wrong with it; ``None`` when nothing is.
        detail: More about it, by name.
    """

    name: str
    fault: str | None
    detail: Mapping[str, object]


_STOPPING: Final = Check(name="service", fault="the service is stopping", detail={})


class Readiness:
    """Looks at what has to be so before a worker is ready."""

    def __init__(
        self,
        store: SessionStore,
        config: ConfigState,
        backlog: Backlog,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Keep the parts."""
        self._ping = SharedCall(store.ping, seconds=patience_seconds)
        self._count = SharedCall(store.count, seconds=patience_seconds)
        self._config = config
        self._backlog = backlog

    async def check(self) -> tuple[Check, ...]:
        """Return what was looked at, in the order in which it matters."""
        checks = await self._check_store(), self._check_config()
        return (*checks, _STOPPING) if self._config.is_stopping else checks

    async def count_sessions(self) -> int | None:
        """Return how many sessions the store holds, ``None`` when it does not tell."""
        try:
            return await self._count.get()
        except StoreUnavailableError:
            return None

    def count_waiting(self) -> int | None:
        """Return how many revocations the store has still to confirm.

        ``None`` when the journal cannot be read.
        """
        try:
            return self._backlog.count()
        except OSError:
            return None

    @property
    def config(self) -> ConfigState:
        """What became of the configuration."""
        return self._config

    async def close(self) -> None:
        """Give up what the store has not answered."""
        await self._ping.close()
        await self._count.close()

    async def _check_store(self) -> Check:
        began = perf_counter()
        fault = None
        try:
            await self._ping.get()
        except StoreUnavailableError as exc:
            fault = str(exc)
        seconds = round(perf_counter() - began, 6)
        detail = {"seconds": seconds, "revocations_waiting": self.count_waiting()}
        return Check(name="store", fault=fault, detail=detail)

    def _check_config(self) -> Check:
        state = self._config
        fault = None
        detail: dict[str, object] = {
            "since": state.since.isoformat(timespec="seconds"),
            "generation": state.generation,
        }
        if state.refused is not None:
            fault = f"the configuration is not the current one: {state.reason}"
            detail["refused"] = state.refused.isoformat(timespec="seconds")
        elif not state.is_of_one_mind:
            fault = "a worker still goes by the configuration before"
        return Check(name="config", fault=fault, detail=detail)
