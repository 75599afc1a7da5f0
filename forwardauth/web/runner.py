"""Runs an application on our protocol, and holds the number of connections to a bound.

Law: a connection too many costs another one that is idle, or itself; never the
listener, and never a request in hand.
"""

import asyncio
import heapq
import logging
import socket
from operator import attrgetter
from typing import Any, Final, cast

from aiohttp import web

from forwardauth.web import keys
from forwardauth.web.awaited_protocol import AwaitedProtocol
from forwardauth.web.awaited_way import AwaitedWay
from forwardauth.web.limits import Limits
from forwardauth.web.protocol import Protocol
from forwardauth.web.short_protocol import ShortProtocol
from forwardauth.web.short_way import ShortWay

_CLOSED_AT_ONCE: Final = 20
"""The part of all connections that makes room together: a twentieth.

Finding those that have been idle the longest takes a look at all of them, which is too
much for each connection of a flood.
"""

_log = logging.getLogger(__name__)


class ServiceRunner(web.AppRunner):
    """Runs an application on our protocol; the sites are aiohttp's."""

    def __init__(
        self, app: web.Application, *, limits: Limits | None = None, **options: Any
    ) -> None:
        """Serve *app*.

        Args:
            app: Not started yet.
            limits: Of all connections to the application.
            options: Of ``web.AppRunner``: how it stops.
        """
        super().__init__(app, access_log=None, **options)
        self._limits = limits or Limits()

    async def take(self, connection: socket.socket) -> None:
        """Serve a *connection* that was accepted elsewhere."""
        if self.server is not None:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self.server, connection)

    def end_soon(self) -> None:
        """Let each connection end with its next answer, which says so.

        What is quiet is left to the end of this runner.
        """
        if isinstance(self.server, _Server):
            self.server.end_soon()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody waits for an answer, and nobody is likely to ask just now."""
        return not isinstance(self.server, _Server) or self.server.is_quiet

    def change_over(self, successor: "ServiceRunner") -> None:
        """Answer by the application of *successor*, which has been set up.

        What is under way ends with what it began with. The next request on any
        connection, and the next connection, meet the other one. This runner goes on
        with its connections, and the successor never has one of its own.
        """
        server, other = self.server, successor.server
        if isinstance(server, _Server) and isinstance(other, _Server):
            server.change_over(other)

    async def _make_server(self) -> web.Server:
        """Return aiohttp's server of the application, with our protocol in its place.

        A private name of aiohttp, as there is no public one.
        """
        server = await super()._make_server()
        return _Server(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            limits=self._limits,
            short_way=self._app.get(keys.SHORT_WAY),
        )


class _Server(web.Server):
    """Makes the protocol of each connection, and counts those that go on."""

    def __init__(
        self, *args: Any, limits: Limits, short_way: ShortWay | None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._short_way = short_way
        self._is_ending = False
        # aiohttp's own list still holds what has been ended a moment ago.
        self._open: set[Protocol] = set()

    def __call__(self) -> Protocol:
        if self._short_way is None:
            return Protocol(self, self._limits)
        if isinstance(self._short_way, AwaitedWay):
            return AwaitedProtocol(self, self._limits, self._short_way)
        return ShortProtocol(self, self._limits, self._short_way)

    def change_over(self, other: "_Server") -> None:
        """Answer by what *other* has; see ``ServiceRunner``."""
        self.request_handler = other.request_handler
        self.request_factory = other.request_factory
        self._short_way = other._short_way  # noqa: SLF001 - one of our kind
        self._tell_crowd()
        for connection in self._open:
            self._hand_over(connection)

    def _hand_over(self, connection: Protocol) -> None:
        connection.answer_by(self.request_handler, self.request_factory)
        if isinstance(connection, ShortProtocol) and self._short_way is not None:
            connection.ask(self._short_way)

    def end_soon(self) -> None:
        """See ``ServiceRunner``; who comes from now on has one request as well."""
        self._is_ending = True
        for connection in self._open:
            connection.end_soon()

    @property
    def is_quiet(self) -> bool:
        """See ``ServiceRunner``."""
        seconds = self._limits.quiet_seconds
        return all(connection.is_quiet(seconds) for connection in self._open)

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Count a connection; where there is no room for it, make some or end it."""
        super().connection_made(handler, transport)
        connection = cast("Protocol", handler)
        # Between its making and this there may have been a change.
        self._hand_over(connection)
        if self._is_ending:
            connection.end_soon()
        self._open.add(connection)
        self._tell_crowd()
        if len(self._open) > self._limits.max_connections:
            self._make_room(connection)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count a connection no longer."""
        self._open.discard(cast("Protocol", handler))
        self._tell_crowd()
        super().connection_lost(handler, exc)

    def _tell_crowd(self) -> None:
        if self._short_way is not None:
            self._short_way.tell_crowd(is_crowded=len(self._open) >= self._limits.crowd)

    def _make_room(self, newcomer: Protocol) -> None:
        count = self._limits.max_connections // _CLOSED_AT_ONCE + 1
        idle = (each for each in self._open if each.is_idle)
        ended = heapq.nsmallest(count, idle, key=attrgetter("idle_until"))
        _log.warning("too many connections: %d idle ones are closed", len(ended))
        for each in ended or [newcomer]:
            self._open.discard(each)
            each.abort()
