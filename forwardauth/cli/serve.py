"""``forwardauth serve``: runs the service, in this process or in several workers."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click
from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.access_control.openings import describe_openings
from forwardauth.app import Applications, create_applications
from forwardauth.cli.activation import take_passed_sockets
from forwardauth.cli.context import config_option, load_inspected
from forwardauth.cli.descriptors import count_connections, raise_file_limit
from forwardauth.cli.event_loop import run
from forwardauth.cli.listeners import Listeners, open_listeners
from forwardauth.cli.log_output import LogOutput
from forwardauth.cli.roll_call import RollCall
from forwardauth.cli.service_manager import ServiceManager
from forwardauth.cli.workers import supervise
from forwardauth.config.logs import LEVELS
from forwardauth.config.schema import Settings
from forwardauth.users.table import UsersTable
from forwardauth.web import keys
from forwardauth.web.limits import Limits
from forwardauth.web.metrics import RESTARTS, Metrics
from forwardauth.web.runner import ServiceRunner
from forwardauth.web.shared_counts import SUPERVISOR, SharedCounts

_DRAIN_SECONDS: Final = 8.0
"""Together with what comes after it less than the 10 s that containers get to stop."""

_END_SECONDS: Final = 0.5
"""What is left of a request after that, such as an answer that nobody takes."""

_LOOK_SECONDS: Final = 0.01
"""Between two looks, in a stop, for who still waits for the store."""

_WARM_UP_SECONDS: Final = 1.0
"""After the start, by when the requests that waited for it have been answered."""

_MANAGEMENT_CONNECTIONS: Final = 100

_log = logging.getLogger(__name__)


@click.command()
@config_option
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    help="The least serious lines that are written; wins over logging.level.",
)
def serve(config_path: Path | None, log_level: str | None) -> None:
    """Run the service until it is told to stop (Ctrl-C or SIGTERM)."""
    context = click.get_current_context()
    logs = context.with_resource(contextlib.closing(LogOutput(level=log_level)))
    manager = ServiceManager.from_environment(os.environ)
    passed = take_passed_sockets(os.environ)
    with _growing():
        inspection = load_inspected(
            config_path, may_store_come_later=True, tell=logs.take_warnings
        )
        settings, users = inspection.settings, inspection.users
        logs.apply(settings.logging)
        # Built here in any case, so that every mistake is told before anything listens.
        applications = create_applications(settings, users_table=users)
    for line in describe_openings(settings.access_control):
        _log.info("%s", line)
    with contextlib.closing(open_listeners(settings, passed)) as listeners:
        if settings.server.workers == 1:
            run(_serve(applications, listeners, manager.attend()))
        else:
            del applications
            counts = SharedCounts(workers=settings.server.workers)
            metrics = Metrics(counts.claim(SUPERVISOR))
            roll_call = RollCall(settings.server.workers, manager)
            supervise(
                settings.server.workers,
                lambda number: _serve_as_worker(
                    settings, users, listeners, counts, roll_call, number=number
                ),
                on_started=roll_call.attend,
                on_stop=manager.stopping,
                on_replacement=lambda: metrics.count(RESTARTS),
            )


@contextlib.contextmanager
def _growing() -> Iterator[None]:
    """Look for no garbage while things are built that stay.

    Nothing was ever found, and each look through all there is by then adds up to a
    fifth of the time that a large users file takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _serve_as_worker(
    settings: Settings,
    users: UsersTable,
    listeners: Listeners,
    counts: SharedCounts,
    roll_call: RollCall,
    *,
    number: int,
) -> None:
    """Serve in a forked process; the first worker answers for management, too.

    What the parent has built is not used, but for *users* while their file is as it
    was: a worker that is replaced after a month reads the file as it is by then.
    """
    management = listeners.management if number == 0 else ()
    own = Listeners(main=listeners.main, management=management, files=())
    metrics = Metrics(counts.claim(number))
    created = create_applications(settings, users_table=users, metrics=metrics)
    run(_serve(created, own, roll_call.answer(number)))


async def _serve(
    applications: Applications,
    listeners: Listeners,
    attendance: Coroutine[Any, Any, None],
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end.

    *attendance* is run from when it serves, and cancelled when it stops.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    sites: list[web.SockSite] = []
    runners: list[ServiceRunner] = []
    requests = _Requests()
    requests.watch(applications.main)
    reloads: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, _reload_users, applications, reloads)
    async with contextlib.AsyncExitStack() as stack:
        connections = count_connections(raise_file_limit())
        served = (
            (applications.management, listeners.management, _MANAGEMENT_CONNECTIONS),
            (applications.main, listeners.main, connections),
        )
        for application, sockets, count in served:
            runner = ServiceRunner(
                application,
                limits=Limits(max_connections=count),
                shutdown_timeout=_END_SECONDS,
            )
            await runner.setup()
            runners.append(runner)
            stack.push_async_callback(runner.cleanup)
            for listener in sockets:
                # A copy: the runner closes what it serves, and we close ours.
                site = web.SockSite(runner, listener.dup())
                await site.start()
                sites.append(site)
        # What has been built stays: no collection looks through it again.
        gc.freeze()
        for listener in listeners.main:
            _log.info("listening on %s", listener.getsockname())
        beside = [
            asyncio.create_task(each) for each in (attendance, _warm_up(applications))
        ]
        await stopped.wait()
        _log.info("stopping")
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        for site in sites:
            await site.stop()
        await requests.drain(runners)


async def _warm_up(applications: Applications) -> None:
    """Load what pages need, once those who waited for the start have their answers.

    Verify is asked by everybody at once, while the first page can wait. Whoever wants
    one sooner loads the same for all.
    """
    await asyncio.sleep(_WARM_UP_SECONDS)
    await asyncio.to_thread(applications.main[keys.PAGES].prepare)
    gc.freeze()


class _Requests:
    """The requests that are being answered.

    The runner waits for handlers, too, but from then on it drops what still arrives of
    a body, and so would lose a logout that is half way through.
    """

    def __init__(self) -> None:
        self._count = 0
        self._are_done = asyncio.Event()
        self._are_done.set()

    def watch(self, application: web.Application) -> None:
        """Count the requests to *application*, which has not started yet."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._count += 1
            self._are_done.clear()
            try:
                return await handler(request)
            finally:
                self._count -= 1
                if self._count == 0:
                    self._are_done.set()

        application.middlewares.insert(0, count)

    async def drain(self, runners: Iterable[ServiceRunner]) -> None:
        """Return when all are answered, or when they had their time.

        Those as well that have not come to the application, on one of *runners*.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while _are_awaited(runners):  # noqa: ASYNC110 - nobody tells of the last
                    await asyncio.sleep(_LOOK_SECONDS)
                await self._are_done.wait()


def _are_awaited(runners: Iterable[ServiceRunner]) -> bool:
    return any(each.is_waiting for each in runners)


def _reload_users(applications: Applications, reloads: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(applications.main[keys.USERS].reload())
    reloads.add(task)
    task.add_done_callback(reloads.discard)
