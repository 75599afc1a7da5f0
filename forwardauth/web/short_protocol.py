"""A connection on which plain verify requests are answered the short way.

Law: an answer leaves here only when nothing is under way on the connection, so that
answers stand in the order of their requests. A fault of the short way ends in 500 and
in the log, as any other; it is no reason to try another way until somebody passes.
"""

import asyncio
import logging
from typing import Final

from aiohttp import web

from forwardauth.web.answers import SERVER_NAME
from forwardauth.web.limits import Limits
from forwardauth.web.protocol import Protocol
from forwardauth.web.short_way import ShortWay

_FAULT: Final = (
    "HTTP/1.1 500 Internal Server Error\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Length: 0\r\n"
    f"Server: {SERVER_NAME}\r\n"
    "Connection: close\r\n\r\n"
).encode("ascii")

_log = logging.getLogger(__name__)


class ShortProtocol(Protocol):
    """Asks the short way before aiohttp parses anything.

    The private names are aiohttp's.
    """

    __slots__ = ("_answered", "_goes_on", "_is_at_rest", "_peer", "_short_way")

    def __init__(
        self, manager: web.Server, limits: Limits, short_way: ShortWay
    ) -> None:
        """Wait for the connection; see ``Protocol``."""
        super().__init__(manager, limits)
        self._short_way = short_way
        self._peer = ""
        """Who is connected; empty unless it is a trusted proxy."""
        self._is_at_rest = False
        """Whether nothing has come or changed since an answer was sent from here."""
        self._answered = 0
        """How many of the requests that aiohttp has parsed have been answered."""
        self._goes_on = True
        """Whether another one may follow the last of them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; who is connected does not change, whether it is trusted may."""
        super().connection_made(transport)
        self._peer = self._short_way.lookup_peer(transport) or ""

    def ask(self, short_way: ShortWay) -> None:
        """Ask *short_way*, of the same kind as before, about the next request.

        Who may be asked for by this connection is for its settings to say.
        """
        if short_way is self._short_way:
            return
        self._short_way = short_way
        self._is_at_rest = False
        if self._connection is not None:
            self._peer = short_way.lookup_peer(self._connection) or ""

    def data_received(self, data: bytes) -> None:
        """Answer the one request that *data* is if that can be done, else parse it.

        aiohttp sees nothing of what is answered here: its parser stands between two
        requests before and after, and its task sleeps.
        """
        if not (self._is_at_rest or self._may_begin()):
            super().data_received(data)
            return
        answer = self._lookup_answer(data, self._peer)
        if answer is None:
            self._is_at_rest = False
            super().data_received(data)
        elif answer:
            self._send(answer)

    def end_soon(self) -> None:
        """See ``Protocol``; the normal way says what comes next."""
        self._is_at_rest = False
        super().end_soon()

    def _may_begin(self) -> bool:
        """Whether nothing is under way on a connection with a proxy."""
        return (
            bool(self._peer)
            and not self._is_ending
            and not self._messages
            and not self._paused
            and (self.is_idle or self._is_done)
            and self._meter.is_between
        )

    def pause_writing(self) -> None:
        """Leave it to aiohttp what comes until everything has been sent."""
        self._is_at_rest = False
        super().pause_writing()

    def close(self) -> None:
        """Take no further request."""
        self._is_at_rest = False
        super().close()

    def force_close(self) -> None:
        """Take nothing any more."""
        self._is_at_rest = False
        super().force_close()

    @property
    def _is_done(self) -> bool:
        """Whether all that came has been answered, though aiohttp's task does not wait.

        It does a turn of the loop later, when the next request has often arrived: once
        on the normal way, a busy connection would stay there.
        """
        return (
            self._waiter is None
            and self._answered == self._request_count
            and self._goes_on
            and not (self._close or self._force_close or self._upgraded)
        )

    async def finish_response(
        self,
        request: web.BaseRequest,
        resp: web.StreamResponse,
        start_time: float | None,
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*, and count it; see ``Protocol``."""
        resp, reset = await super().finish_response(request, resp, start_time)
        self._answered += 1
        self._goes_on = bool(resp.keep_alive) and not reset
        return resp, reset

    def _lookup_answer(self, data: bytes, peer: str) -> bytes | None:
        """Return what is sent, ``None`` where the application is to answer.

        Nothing is sent where it is empty: the answer is still to come.
        """
        try:
            return self._short_way.answer(data, peer)
        except Exception:  # noqa: BLE001 - outermost, like the one for applications
            return self._fail()

    def _fail(self) -> bytes:
        """Log the fault that is being handled, and return what is sent last."""
        _log.exception("verify failed")
        self._close = True
        return _FAULT

    def _send(self, answer: bytes) -> None:
        """Send the whole *answer*, and wait for the next request or end, as aiohttp."""
        if self._connection is None:
            return
        self._is_at_rest = not self._is_ending
        # If it cannot be sent at once, ``pause_writing`` is called meanwhile.
        self._connection.write(answer)
        if self._close:
            self._connection.close()
            return
        self._keepalive = True
        closing = self._loop.time() + self._keepalive_timeout
        self._next_keepalive_close_time = closing
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                closing, self._process_keepalive
            )
