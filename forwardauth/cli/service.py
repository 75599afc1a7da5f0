"""The service in one process: listeners, and the applications that answer by them.

    configuration ─► prepare ─► change over ─► requests of the one before end ─► gone

Laws: a change is one step of the event loop, so that no request meets half of it. What
is under way ends with what it began with, and what it began with stays until then.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from forwardauth.app import Applications, create_beside
from forwardauth.cli import garbage
from forwardauth.cli.configuration import Configuration
from forwardauth.cli.descriptors import count_connections, raise_file_limit
from forwardauth.cli.listeners import Listeners
from forwardauth.cli.log_output import LogOutput
from forwardauth.cli.prepared import Prepared
from forwardauth.web import keys
from forwardauth.web.instance import Instance
from forwardauth.web.limits import Limits
from forwardauth.web.runner import ServiceRunner

END_SECONDS: Final = 0.5
"""What is left of a request after its time, such as an answer that nobody takes."""

_LOOK_SECONDS: Final = 0.01
"""Between two looks, in a stop, for who still asks."""

_WARM_UP_SECONDS: Final = 1.0
"""After the start, by when the requests that waited for it have been answered."""

_MANAGEMENT_CONNECTIONS: Final = 100

_log = logging.getLogger(__name__)


class Service:
    """Serves on some listeners, by one configuration after the other.

    A context manager: it accepts connections inside, and ends what is under way at the
    end.
    """

    def __init__(
        self,
        listeners: Listeners,
        *,
        first: Configuration,
        applications: Applications,
        instance: Instance,
        logs: LogOutput,
        worker: int = 0,
    ) -> None:
        """Keep the parts.

        Args:
            listeners: Bound; closed when nothing more is accepted.
            first: What is served first.
            applications: As ``create_beside`` has built them from *first*.
            instance: Is told what this worker serves.
            logs: Follows what is said about the log.
            worker: Its number.
        """
        self._listeners = listeners
        self._first = first, applications
        self._drain_time = first.settings.server.drain
        self._live = applications.live
        self._instance = instance
        self._logs = logs
        self._worker = worker
        # They own the connections, whichever applications answer by them.
        self._main = self._create_runner(
            self._create_owner(), count_connections(raise_file_limit())
        )
        self._management = self._create_runner(
            web.Application(), _MANAGEMENT_CONNECTIONS
        )
        self._prepared: set[Prepared] = set()
        self._current: Prepared | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._sites: list[web.SockSite] = []
        self._stack = AsyncExitStack()

    def _create_owner(self) -> web.Application:
        """Return who owns what is live, and closes it after all connections."""
        owner = web.Application()
        owner.cleanup_ctx.extend(self._live.contexts())
        owner.cleanup_ctx.append(self._close_prepared)
        return owner

    def _create_runner(self, application: web.Application, count: int) -> ServiceRunner:
        limits = Limits(max_connections=count)
        return ServiceRunner(application, limits=limits, shutdown_timeout=END_SECONDS)

    async def __aenter__(self) -> Self:
        """Begin to accept connections."""
        for runner in (self._management, self._main):
            await runner.setup()
            self._stack.push_async_callback(runner.cleanup)
        configuration, applications = self._first
        self.change_over(await self._start(configuration, applications))
        await self._listen()
        self._begin(self._warm_up(applications))
        return self

    async def _listen(self) -> None:
        served = (
            (self._management, self._listeners.management),
            (self._main, self._listeners.main),
        )
        for runner, sockets in served:
            for listener in sockets:
                # A copy: the runner closes what it serves, and we close ours.
                site = web.SockSite(runner, listener.dup())
                await site.start()
                if runner is self._main:
                    self._sites.append(site)
        garbage.keep()
        for listener in self._listeners.main:
            _log.info("listening on %s", listener.getsockname())

    async def prepare(self, configuration: Configuration) -> Prepared:
        """Return what serves *configuration*, beside what serves now.

        Raises:
            ConfigError: It cannot be served; nothing has changed.
            SelfTestError: Likewise.
        """
        applications = await asyncio.to_thread(self._build, configuration)
        return await self._start(configuration, applications)

    def _build(self, configuration: Configuration) -> Applications:
        with garbage.growing():
            applications = create_beside(
                self._live,
                configuration.settings,
                users_table=configuration.users,
                is_current=True,
            )
            applications.main[keys.PAGES].prepare()
            return applications

    async def _start(
        self, configuration: Configuration, applications: Applications
    ) -> Prepared:
        started = await Prepared.start(configuration, applications)
        self._prepared.add(started)
        return started

    def change_over(self, prepared: Prepared) -> None:
        """Answer by *prepared* from the next request on, on every connection."""
        before, self._current = self._current, prepared
        self._drain_time = prepared.configuration.settings.server.drain
        prepared.applications.take_over()
        self._main.change_over(prepared.main)
        self._management.change_over(prepared.management)
        self._logs.follow(prepared.configuration.settings.logging)
        self._instance.serve(self._worker, prepared.configuration.generation)
        if before is not None:
            self._begin(self._retire(before, prepared))

    def drop(self, prepared: Prepared) -> None:
        """Forget *prepared*, which never served."""
        self._begin(self._close(prepared))

    async def _retire(self, before: Prepared, after: Prepared) -> None:
        """End what *after* ends, and *before* when nobody is served by it any more."""
        try:
            await after.applications.main[keys.USERS].poll_once()
        finally:
            await before.requests.wait()
            await self._close(before)

    async def _close(self, prepared: Prepared) -> None:
        self._prepared.discard(prepared)
        await prepared.close()

    async def _close_prepared(self, _app: object) -> AsyncIterator[None]:
        """Close all there are when no connection is left, before the store closes."""
        yield
        for prepared in tuple(self._prepared):
            await self._close(prepared)

    async def _warm_up(self, applications: Applications) -> None:
        """Load what pages need, once those who waited for the start have answers.

        Verify is asked by everybody at once, while the first page can wait. Whoever
        wants one sooner loads the same for all.
        """
        pages = applications.main[keys.PAGES]  # Which a reload may take by then.
        await asyncio.sleep(_WARM_UP_SECONDS)
        await asyncio.to_thread(pages.prepare)
        garbage.keep()

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        # One that is cancelled before it begins has never awaited its work.
        task.add_done_callback(lambda _: work.close())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Accept nothing more, let running requests end, and close everything."""
        _log.info("stopping")
        self._main.end_soon()
        await self._stop_listening()
        await self._drain()
        for task in tuple(self._work):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._stack.aclose()
        self._instance.leave(self._worker)

    async def _stop_listening(self) -> None:
        """Close the listeners; who has been let in by the system is served."""
        for site in self._sites:
            await site.stop()
        waiting = self._listeners.accept_waiting()
        self._listeners.close_main()
        for connection in waiting:
            await self._main.take(connection)

    async def _drain(self) -> None:
        """Return when no request is in hand or on its way, or when their time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_time.total_seconds()):
                while not self._main.is_quiet:  # noqa: ASYNC110 - nobody tells of the last
                    await asyncio.sleep(_LOOK_SECONDS)
                for prepared in tuple(self._prepared):
                    await prepared.requests.wait()


async def _logged(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - nobody waits for it but the stop, and it logs
        _log.exception("work beside the requests has failed")
