"""Telling applications of what a command has ended, before it returns.

A running service would tell as well, but of what it has ended itself; of a session that
is gone from the store it learns nothing.

Laws: the command waits a bounded time, and says how many notices were taken and how
many were not. A key that is not there is not made: it would belong to whoever runs the
command. What has ended has ended, whoever could be told. What sends is imported when
there is something to send with it: aiohttp costs a command as much as all the rest.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import click

from forwardauth.clock import Clock
from forwardauth.config.schema import Settings
from forwardauth.sessions.observer import Observers, SessionObserver
from forwardauth.web.audit import AuditLog
from forwardauth.web.logout_tokens import LogoutTokens
from forwardauth.web.metrics import NOTIFICATIONS, Metrics
from forwardauth.web.signing import KEY_FILE, load_key

if TYPE_CHECKING:
    from forwardauth.web.notifier import LogoutNotifier

PATIENCE_SECONDS: Final = 30.0
"""How long a command waits at most, once everything has ended."""

_ATTEMPTS: Final = 3
"""At an application that hangs they take some twenty seconds."""

_LOOK_SECONDS: Final = 0.02


@asynccontextmanager
async def telling_applications(
    settings: Settings,
    clock: Clock,
    told: Counter[str],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    tell_progress: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[SessionObserver]:
    """Tell of every end that the observer is told of, and wait until all are told.

    Args:
        settings: Say whom to tell.
        clock: Of the command.
        told: Is filled at the end: how many were ``sent``, ``failed`` or ``dropped``.
        patience_seconds: What is not taken by then is dropped.
        tell_progress: Called while the command waits.
    """
    metrics = Metrics()
    audit = AuditLog(metrics)
    tokens = _load_tokens(settings, clock) if settings.logout.notify else None
    if tokens is None:
        yield audit
        return
    from forwardauth.web.notice_delivery import Pace  # noqa: PLC0415 - see laws
    from forwardauth.web.notifier import LogoutNotifier  # noqa: PLC0415 - see laws

    pace = Pace(attempts=_ATTEMPTS, grace_seconds=0.0)
    notifier = LogoutNotifier(audit=audit, clock=clock, pace=pace)
    notifier.change(settings.logout.notify, tokens)
    running = notifier.run(None)
    await anext(running)
    try:
        yield Observers(audit, notifier)
        await _wait(notifier, patience_seconds, tell_progress)
    finally:
        # What is left is dropped, and the log says so.
        await anext(running, None)
        counts = metrics.samples(NOTIFICATIONS)
        told.update({result: count for (result,), count in counts})


def describe_sent(told: Counter[str]) -> str:
    """Return how many notices were taken, to follow a sentence; empty for no notice."""
    sent = told["sent"]
    notices = "1 notice" if sent == 1 else f"{sent} notices"
    return f", {notices} to applications sent" if told else ""


def count_missed(told: Counter[str]) -> int:
    """Return how many notices were not taken, after a warning when there are any."""
    missed = told.total() - told["sent"]
    if missed:
        what = "notice to an application was" if missed == 1 else "notices were"
        message = f"Warning: {missed} {what} not taken; the lines above say by whom"
        click.echo(message, err=True)
    return missed


async def _wait(
    notifier: "LogoutNotifier", seconds: float, tell_progress: Callable[[str], None]
) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while left := notifier.waiting:
                tell_progress(f"{left} notices to applications left")
                await asyncio.sleep(_LOOK_SECONDS)


def _load_tokens(settings: Settings, clock: Clock) -> LogoutTokens | None:
    """Return what signs notices; ``None`` when there is no key, which is told."""
    folder, secret = settings.session.journal.parent, settings.session.secret
    try:
        if secret is None and not (folder / KEY_FILE).exists():
            # load_key would make it.
            raise FileNotFoundError(f"there is no {folder / KEY_FILE}")
        key = load_key(folder, secret)
    except OSError as exc:
        click.echo(f"Warning: applications cannot be told: {exc}", err=True)
        return None
    issuer = settings.domains.home.portal_url("")
    tokens = LogoutTokens(key, issuer=issuer, clock=clock)
    tokens.prepare()
    return tokens
