"""The session store, opened by a command beside a service that runs.

Laws: a store that is not there is not made. What happens to sessions is written to
standard error as the service writes its log; standard output is the answer alone.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import click

from forwardauth.cli.administration import Administration
from forwardauth.cli.context import LOG_FORMAT
from forwardauth.cli.log_output import audit_as_well
from forwardauth.cli.notices import telling_applications
from forwardauth.cli.progress import CLEAR_LINE, progress_bar, tell_line
from forwardauth.cli.streams import is_watched
from forwardauth.clock import SystemClock
from forwardauth.config.problems import Place, Problem
from forwardauth.config.schema import Settings
from forwardauth.config.session import SQLITE
from forwardauth.errors import ConfigError
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.stores.factory import build_store
from forwardauth.web.audit import AuditLog
from forwardauth.web.metrics import Metrics

_MEMORY: Final = "memory:"

T = TypeVar("T")


def administer(
    settings: Settings,
    work: Callable[[Administration], Awaitable[T]],
    *,
    told: Counter[str] | None = None,
) -> T:
    """Do *work* on the store that *settings* name, and close it.

    Args:
        settings: Of the service.
        work: What to do.
        told: Filled with what came of the notices to applications; see ``notices``.
            Nobody is told where it is ``None``, for work that ends nothing.

    Raises:
        ConfigError: The store is that of one process alone.
        click.ClickException: There is no store yet.
        StoreUnavailableError: It does not answer.
    """
    _check_store(settings)
    with (
        _log_on_stderr(),
        audit_as_well(settings.logging),
        progress_bar("ending sessions") as tell_ended,
    ):
        return asyncio.run(_administer(settings, work, told, tell_ended))


async def _administer(
    settings: Settings,
    work: Callable[[Administration], Awaitable[T]],
    told: Counter[str] | None,
    tell_ended: Callable[[int, int], None],
) -> T:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        observer: SessionObserver = AuditLog(Metrics())
        if told is not None:
            observer = await stack.enter_async_context(
                telling_applications(settings, clock, told, tell_progress=tell_line)
            )
        store = build_store(settings.session.store, clock)
        stack.push_async_callback(store.close)
        administration = Administration(
            store=store,
            clock=clock,
            timeouts=Timeouts(
                absolute=settings.session.absolute_timeout,
                idle=settings.session.idle_timeout,
                remember_me=settings.session.remember_me,
            ),
            journal=settings.session.journal,
            observer=observer,
            tell_progress=tell_line,
            tell_ended=tell_ended,
        )
        return await work(administration)


def _check_store(settings: Settings) -> None:
    store = settings.session.store
    if store == _MEMORY:
        place = Place(key="session.store", source=str(settings.source or "environment"))
        reason = "memory: is seen by the service alone, not by this command"
        remedy = "restart the service to end all sessions, or choose sqlite: or redis:"
        raise ConfigError([Problem(place=place, reason=reason, remedy=remedy)])
    path = Path(store.removeprefix(SQLITE))
    if store.startswith(SQLITE) and not path.exists():
        # Opened, it would be made, and be the file of whoever runs the command.
        raise click.ClickException(
            f"{path} does not exist: the service has not run with this configuration"
        )


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Write the package's log lines to standard error, over a line of progress."""
    start = CLEAR_LINE if is_watched() else ""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(start + LOG_FORMAT))
    logger = logging.getLogger("forwardauth")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        click.echo(start, nl=False, err=True)
