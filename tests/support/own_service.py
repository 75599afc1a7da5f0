"""What ``forwardauth serve`` runs, in the test's own process and event loop."""

import os
import signal
from contextlib import AsyncExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from forwardauth.app import create_applications, create_beside, create_live
from forwardauth.cli.configuration import Configuration, ConfigurationSource
from forwardauth.cli.listeners import open_listeners
from forwardauth.cli.log_output import LogOutput
from forwardauth.cli.reloading import OwnReloads
from forwardauth.cli.service import Service
from forwardauth.cli.service_manager import ServiceManager
from forwardauth.clock import SystemClock
from forwardauth.sessions.lifetimes import Login
from forwardauth.users.stamps import stamp_of
from forwardauth.web import keys
from forwardauth.web.instance import Instance
from forwardauth.web.metrics import Metrics
from tests.support.portal import HASH
from tests.support.serving import Peer

_NO_VARIABLES: Final[dict[str, str]] = {}


class OwnService:
    """A service that serves the configuration of a file; a context manager.

    Whoever asks it by ``peer`` or ``probes`` does so in another thread.

    Attributes:
        peer: Its first listener, which is on a port.
        probes: Its management listener, likewise.
        instance: What it is at.
        service: What serves.
        logs: What its log goes to.
    """

    peer: Peer
    probes: Peer
    service: Service

    def __init__(self, config: Path) -> None:
        # Of the process, which goes on after the service.
        self._stack = AsyncExitStack()
        self._stack.callback(
            signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1)
        )
        self.instance = Instance()
        self.logs = LogOutput(level=None)
        self._source = ConfigurationSource(config, _NO_VARIABLES)
        self._clock = SystemClock()
        self._reloads: OwnReloads | None = None

    async def __aenter__(self) -> Self:
        self._stack.enter_context(closing(self.logs))
        inspection = self._source.read()
        self.logs.apply(inspection.settings.logging)
        first = Configuration(settings=inspection.settings, users=inspection.users)
        create_applications(first.settings, users_table=first.users)
        listeners = self._stack.enter_context(closing(open_listeners(first.settings)))
        self.peer = Peer(address=listeners.main[0].getsockname()[1])
        self.probes = Peer(address=listeners.management[0].getsockname()[1])
        self.instance.accept(first.generation, self._clock.now())
        live = create_live(first.settings, metrics=Metrics(), instance=self.instance)
        self.service = Service(
            listeners,
            first=first,
            applications=create_beside(live, first.settings, users_table=first.users),
            instance=self.instance,
            logs=self.logs,
        )
        await self._stack.enter_async_context(self.service)
        self._reloads = OwnReloads(
            self.service,
            self._source,
            first,
            instance=self.instance,
            clock=self._clock,
            manager=ServiceManager.from_environment(os.environ),
        )
        return self

    async def reload(self) -> bool:
        """Read the file again, as SIGHUP lets it; return whether that is served now."""
        assert self._reloads is not None, "it has not started"
        before = self.instance.generation
        await self._reloads.reload()
        return self.instance.generation > before

    async def create_session(self, username: str) -> str:
        """Sign *username* of ``portal.USERS`` in without the password."""
        token, _ = await self.application[keys.SESSIONS].create(
            Login(
                username=username,
                domain="example.com",
                credential=(stamp_of(HASH),),
                methods=("pwd",),
                remembered=False,
                address="192.0.2.1",
                user_agent="test",
            )
        )
        return token

    @property
    def application(self) -> web.Application:
        """What answers by the configuration that counts."""
        current = self.service._current  # noqa: SLF001 - nobody else is to know
        assert current is not None, "it has not started"
        return current.applications.main

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
