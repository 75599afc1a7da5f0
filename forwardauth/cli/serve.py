"""``forwardauth serve``: runs the service, in this process or in several workers."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from forwardauth.access_control.openings import describe_openings
from forwardauth.app import Applications
from forwardauth.cli import creation, garbage
from forwardauth.cli.activation import take_passed_sockets
from forwardauth.cli.channel import ParentEnd
from forwardauth.cli.config_file import config_option, find_config
from forwardauth.cli.configuration import Configuration, ConfigurationSource
from forwardauth.cli.event_loop import run
from forwardauth.cli.household import Household
from forwardauth.cli.listeners import Listeners, open_listeners
from forwardauth.cli.log_output import LogOutput
from forwardauth.cli.reload_round import Reloads
from forwardauth.cli.reloading import Follower, OwnReloads
from forwardauth.cli.roll_call import RollCall
from forwardauth.cli.service import Service
from forwardauth.cli.service_manager import ServiceManager
from forwardauth.cli.signals import WaitingSignals, forget_orphans
from forwardauth.cli.workers import supervise
from forwardauth.clock import SystemClock
from forwardauth.config.logs import LEVELS
from forwardauth.web.instance import Instance
from forwardauth.web.metrics import RESTARTS, Metrics
from forwardauth.web.shared_counts import SUPERVISOR, SharedCounts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What the service is started with, in however many processes."""

    source: ConfigurationSource
    first: Configuration
    instance: Instance
    listeners: Listeners
    logs: LogOutput
    manager: ServiceManager
    signals: WaitingSignals


@click.command()
@config_option
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    help="The least serious lines that are written; wins over logging.level.",
)
def serve(config_path: Path | None, log_level: str | None) -> None:
    """Run the service until it is told to stop (Ctrl-C or SIGTERM).

    SIGHUP lets it read configuration and users again.
    """
    garbage.keep()
    context = click.get_current_context()
    logs = context.with_resource(contextlib.closing(LogOutput(level=log_level)))
    manager = ServiceManager.from_environment(os.environ)
    passed = take_passed_sockets(os.environ)
    with WaitingSignals() as signals:
        source = ConfigurationSource(find_config(config_path), os.environ)
        with garbage.growing():
            first = _read(source, logs)
        instance = Instance(workers=first.settings.server.workers)
        # Built in any case, so that every mistake is told before anything listens.
        alone = _create_alone(first, instance)
        for line in describe_openings(first.settings.access_control):
            _log.info("%s", line)
        with contextlib.closing(open_listeners(first.settings, passed)) as listeners:
            start = _Start(
                source=source,
                first=first,
                instance=instance,
                listeners=listeners,
                logs=logs,
                manager=manager,
                signals=signals,
            )
            if alone is None:
                _supervise(start)
            else:
                signals.detach()
                forget_orphans()
                run(_serve_alone(start, alone))


def _read(source: ConfigurationSource, logs: LogOutput) -> Configuration:
    inspection = source.read()
    logs.take_warnings(inspection.warnings)
    logs.apply(inspection.settings.logging)
    return Configuration(settings=inspection.settings, users=inspection.users)


def _create_alone(first: Configuration, instance: Instance) -> Applications | None:
    """Return what the one process serves; ``None`` where there are several."""
    if first.settings.server.workers == 1:
        return creation.create(first, metrics=Metrics(), instance=instance)
    creation.check(first)
    return None


async def _serve_alone(start: _Start, applications: Applications) -> None:
    """Serve in the one process there is, until a signal says to stop."""
    first, instance, clock = start.first, start.instance, SystemClock()
    instance.accept(first.generation, clock.now())
    service = Service(
        start.listeners,
        first=first,
        applications=applications,
        instance=instance,
        logs=start.logs,
        worker=0,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        instance.begin_stop()
        stopped.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            # The second one means it: whatever is in hand is dropped.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with service:
        reloads = OwnReloads(
            service,
            start.source,
            first,
            instance=instance,
            clock=clock,
            manager=start.manager,
        )
        loop.add_signal_handler(signal.SIGHUP, reloads.ask)
        # Those that came while it was started.
        if start.signals.take_reload():
            reloads.ask()
        if start.signals.take_stops():
            stop()
        async with _beside(start.manager.attend(), reloads.run()):
            await stopped.wait()


def _supervise(start: _Start) -> None:
    """Serve in several processes that this one starts."""
    first, instance, clock = start.first, start.instance, SystemClock()
    count = first.settings.server.workers
    counts = SharedCounts(workers=count)
    metrics = Metrics(counts.claim(SUPERVISOR))
    roll_call = RollCall(count, start.manager)
    reloads = Reloads(
        start.source, first, instance=instance, clock=clock, check=creation.check
    )

    def stop() -> None:
        instance.begin_stop()
        start.listeners.close_main()
        start.manager.stopping()

    def ended(number: int) -> None:
        instance.leave(number)
        roll_call.excuse(number)

    def reload(
        workers: Mapping[int, ParentEnd], is_given_up: Callable[[], bool]
    ) -> tuple[int, ...]:
        start.manager.reloading()
        lost = reloads.reload(workers, is_given_up)
        start.logs.follow(reloads.current.settings.logging)
        start.manager.ready(f"{count} workers serve")
        return lost

    def serve_as_worker(number: int, end: socket.socket) -> None:
        """Serve what counts now; the first worker answers for management, too.

        The users are the parent's while their file is as it was, then the file's.
        """
        current = reloads.current
        service = Service(
            start.listeners.shared_with(number),
            first=current,
            applications=creation.create(
                current, metrics=Metrics(counts.claim(number)), instance=instance
            ),
            instance=instance,
            logs=start.logs,
            worker=number,
        )
        run(_serve_as_worker(service, end, roll_call.answer(number)))

    supervise(
        count,
        serve_as_worker,
        household=Household(
            reload=reload,
            drain_seconds=reloads.drain_seconds,
            on_started=roll_call.attend,
            on_ended=ended,
            on_replaced=lambda: metrics.count(RESTARTS),
            on_stop=stop,
            take_rotation=start.logs.take_rotation,
        ),
        signals=start.signals,
    )


async def _serve_as_worker(
    service: Service, end: socket.socket, attendance: Coroutine[Any, Any, None]
) -> None:
    """Serve until the parent says to stop, and follow what it says until then."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    async with service, _beside(attendance, Follower(service).run(end, stopped.set)):
        await stopped.wait()


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do *work* meanwhile."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
