"""How a serving process comes to another configuration: by itself, or by its parent.

Laws: until all is well nothing changes, and then all does, in one step. A worker that
can be told nothing more serves no more: it would be left behind by the next reload.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

from forwardauth.cli.channel import Kind, Message, WorkerEnd
from forwardauth.cli.configuration import (
    Configuration,
    ConfigurationSource,
    tell_refusal,
    tell_success,
)
from forwardauth.cli.prepared import Prepared
from forwardauth.cli.service import Service
from forwardauth.cli.service_manager import ServiceManager
from forwardauth.clock import Clock
from forwardauth.errors import ForwardAuthError
from forwardauth.web.instance import Instance

_log = logging.getLogger(__name__)


class OwnReloads:
    """Reloads of a process without a parent that supervises it."""

    def __init__(
        self,
        service: Service,
        source: ConfigurationSource,
        first: Configuration,
        *,
        instance: Instance,
        clock: Clock,
        manager: ServiceManager,
    ) -> None:
        """Begin with *first*, which *service* serves."""
        self._service = service
        self._source = source
        self._current = first
        self._instance = instance
        self._clock = clock
        self._manager = manager
        self._wanted = asyncio.Event()

    def ask(self) -> None:
        """Ask for a reload; one that is under way is followed by another."""
        self._wanted.set()

    async def run(self) -> None:
        """Reload when somebody has asked, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._manager.reloading()
            try:
                await self.reload()
            except Exception:  # noqa: BLE001 - there is a next time, and it logs
                self._instance.refuse("a fault of the program", self._clock.now())
                _log.exception("configuration stays as it was")
            self._manager.ready("1 worker serves")

    async def reload(self) -> None:
        """Read everything again and serve it, or log why not."""
        before = self._current
        try:
            after = await asyncio.to_thread(self._source.read_next, before)
            prepared = await self._service.prepare(after)
        except (ForwardAuthError, OSError) as exc:
            self._instance.refuse(tell_refusal(exc), self._clock.now())
            return
        self._instance.accept(after.generation, self._clock.now())
        self._service.change_over(prepared)
        self._current = after
        tell_success(before, after)


class Follower:
    """A worker that does what its parent says."""

    def __init__(self, service: Service) -> None:
        """Let *service* serve what is said."""
        self._service = service
        self._prepared: Prepared | None = None

    async def run(self, end: socket.socket, stop: Callable[[], None]) -> None:
        """Say that this worker serves, and follow until nothing more can come.

        Args:
            end: Of the channel to the parent.
            stop: Called then, so that a successor takes the place.
        """
        channel = await WorkerEnd.open(end)
        channel.send(Message(Kind.SERVING))
        try:
            while (message := await channel.receive()) is not None:
                answer = await self._follow(message)
                if answer is not None:
                    channel.send(answer)
            _log.warning("the supervising process says nothing more")
        except Exception:  # noqa: BLE001 - it ends this worker, and it logs
            _log.exception("cannot follow the supervising process")
        finally:
            channel.close()
            stop()

    async def _follow(self, message: Message) -> Message | None:
        if message.kind is Kind.PREPARE:
            return await self._prepare(message.body)
        if message.kind is Kind.CHANGE_OVER and self._prepared is not None:
            self._service.change_over(self._prepared)
            self._prepared = None
            return Message(Kind.CHANGED, message.body)
        self._drop()
        return None

    async def _prepare(self, packed: bytes) -> Message:
        self._drop()
        configuration = await asyncio.to_thread(Configuration.unpack, packed)
        number = str(configuration.generation)
        try:
            self._prepared = await self._service.prepare(configuration)
        except (ForwardAuthError, OSError) as exc:
            return Message(Kind.REFUSED, f"{number}\n{exc}".encode())
        except Exception as exc:  # noqa: BLE001 - the parent is told, and it logs
            _log.exception("cannot prepare the configuration")
            return Message(Kind.REFUSED, f"{number}\n{type(exc).__name__}".encode())
        return Message(Kind.READY, number.encode())

    def _drop(self) -> None:
        if self._prepared is not None:
            self._service.drop(self._prepared)
            self._prepared = None
