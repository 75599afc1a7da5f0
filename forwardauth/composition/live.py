"""What outlives a change of the configuration: opened, counted, promised, queued.

Law: one for each worker. Whatever holds a connection, a thread, a count or a promise is
here and goes on; what is built from settings beside it is replaced as a whole.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from forwardauth.attempts.memory import MemoryAttempts
from forwardauth.attempts.store import AttemptStore
from forwardauth.clock import Clock
from forwardauth.composition.journal_folder import load_signing_key
from forwardauth.composition.open_files import OpenFiles
from forwardauth.composition.tracing import Tracing
from forwardauth.config.schema import Settings
from forwardauth.sessions.events import EventStore
from forwardauth.sessions.housekeeping import Housekeeper
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.metered_store import MeteredStore, Observe, StoreOutcome
from forwardauth.sessions.observer import Observers
from forwardauth.sessions.recent_ends import ReplicatedStore
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.factory import build_store
from forwardauth.users.passwords import Passwords
from forwardauth.users.proofs import RecentProofs
from forwardauth.users.throttle import LoginThrottle
from forwardauth.users.watch import UsersWatch
from forwardauth.web.audit import AuditLog
from forwardauth.web.instance import Instance
from forwardauth.web.metrics import Metrics
from forwardauth.web.notifier import LogoutNotifier
from forwardauth.web.outage import StoreOutage
from forwardauth.web.readiness import ConfigState, Readiness
from forwardauth.web.sign_in_log import SignInLog
from forwardauth.web.signing import derive_key

_THROTTLE_PURPOSE: Final = "throttle"


Context: TypeAlias = Callable[[Any], AsyncIterator[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveParts:
    """What every configuration of a running worker shares.

    Attributes are named like the keys of ``web.keys``; *metered* is the store that is
    timed, for all but the short way of verify; *notifier* tells applications,
    *watch* looks after the users file.
    """

    clock: Clock
    store: SessionStore
    metered: SessionStore
    metrics: Metrics
    audit: AuditLog
    notifier: LogoutNotifier
    outage: StoreOutage
    observer: Observers
    revoker: SessionRevoker
    passwords: Passwords
    proofs: RecentProofs
    throttle: LoginThrottle
    sign_ins: SignInLog
    watch: UsersWatch
    readiness: Readiness
    tracing: Tracing | None

    def contexts(self) -> list[Context]:
        """Return what runs as long as the application that owns all of it.

        First in, last out: what the rest ends while it closes is told of, too.
        """
        traces = [] if self.tracing is None else [self.tracing.run]
        return [*traces, self.notifier.run, self.run]

    async def run(self, _app: object) -> AsyncIterator[None]:
        """Run what nobody asks for, and close everything when the service stops."""
        work = [
            asyncio.create_task(Housekeeper(self.revoker).run()),
            asyncio.create_task(self.watch.run()),
            asyncio.create_task(OpenFiles().run()),
        ]
        yield
        for task in work:
            task.cancel()
        for task in work:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.outage.close()
        await self.readiness.close()
        await self.sign_ins.close()
        await self.passwords.close()
        await self.store.close()


def create_live_parts(
    settings: Settings,
    *,
    journal: RevocationJournal,
    clock: Clock,
    store: SessionStore | None,
    metrics: Metrics,
    tracing: Tracing | None,
    instance: Instance | None,
) -> LiveParts:
    """Return what goes on whatever becomes of *settings*, with nothing opened yet."""
    store = store or build_store(settings.session.store, clock)
    metered = MeteredStore(store, _observer_of(metrics, tracing))
    audit = AuditLog(metrics)
    notifier = LogoutNotifier(audit=audit, clock=clock)
    observer = Observers(audit, notifier)
    watch = UsersWatch()
    revoker = SessionRevoker(
        store=metered,
        clock=clock,
        timeouts=timeouts_of(settings),
        journal=journal,
        observer=observer,
        replicated=store if isinstance(store, ReplicatedStore) else None,
    )
    return LiveParts(
        clock=clock,
        store=store,
        metered=metered,
        metrics=metrics,
        audit=audit,
        notifier=notifier,
        outage=StoreOutage(store),
        observer=observer,
        revoker=revoker,
        passwords=Passwords(decoy=watch.lookup_decoy),
        proofs=RecentProofs(clock),
        throttle=LoginThrottle(
            store if isinstance(store, AttemptStore) else MemoryAttempts(),
            key=derive_key(load_signing_key(settings), _THROTTLE_PURPOSE),
            clock=clock,
        ),
        sign_ins=SignInLog(store if isinstance(store, EventStore) else None, clock),
        watch=watch,
        readiness=Readiness(metered, ConfigState(clock, instance), revoker.backlog),
        tracing=tracing,
    )


def _observer_of(metrics: Metrics, tracing: Tracing | None) -> Observe:
    """Return what is told of each call of the store."""
    if tracing is None:
        return metrics.observe_store

    def observe(operation: str, outcome: StoreOutcome, seconds: float) -> None:
        metrics.observe_store(operation, outcome, seconds)
        tracing.observe_store(operation, outcome, seconds)

    return observe


def timeouts_of(settings: Settings) -> Timeouts:
    """Return how long sessions live."""
    return Timeouts(
        absolute=settings.session.absolute_timeout,
        idle=settings.session.idle_timeout,
        remember_me=settings.session.remember_me,
    )
