"""A connection on which plain verify requests wait for the store, without a task.

    request ─► asked ┄┄ whatever comes is kept, unread ┄┄► told ─► answer ─► what came

Laws: those of ``short_protocol``. While an answer is waited for, nothing that comes is
read, so answers stand in the order of their requests, and aiohttp has seen nothing of
the one that waits: it can still be handed over as it came. The connection is not idle
meanwhile, neither for its keep-alive time nor for a stop; it is over when it is lost.
"""

from typing import Final, cast

from aiohttp import web

from forwardauth.sessions.awaited_glances import Seen
from forwardauth.web.awaited_way import AwaitedWay
from forwardauth.web.limits import Limits
from forwardauth.web.protocol import Protocol
from forwardauth.web.reading import Reading
from forwardauth.web.short_protocol import ShortProtocol
from forwardauth.web.short_way import ShortWay

_NOTHING: Final = b""


class AwaitedProtocol(ShortProtocol):
    """Asks the short way, and answers when that is told.

    The private names are aiohttp's.
    """

    __slots__ = ("_held", "_later", "_way")

    def __init__(self, manager: web.Server, limits: Limits, way: AwaitedWay) -> None:
        """Wait for the connection; see ``Protocol``."""
        super().__init__(manager, limits, way)
        self._way = way
        self._held = _NOTHING
        """The request whose answer is waited for."""
        self._later = _NOTHING
        """What has come after it."""

    def ask(self, short_way: ShortWay) -> None:
        """Ask *short_way*; the answer that is waited for is that of the one before."""
        super().ask(short_way)
        self._way = cast("AwaitedWay", short_way)

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request, of which a part may have come."""
        return not self._held and super().is_idle

    def data_received(self, data: bytes) -> None:
        """Answer or ask about the one request that *data* is, else parse it."""
        if not self._held:
            super().data_received(data)
            return
        if not self._later and self._connection is not None:
            self._connection.pause_reading()
        self._later += data

    def _lookup_answer(self, data: bytes, peer: str) -> bytes | None:
        """Return what is sent; empty where that is waited for. See the base."""
        self._held = data
        try:
            answer = self._way.ask(data, peer, self._take)
        except Exception:  # noqa: BLE001 - outermost, like the one for applications
            answer = self._fail()
        if answer is None or answer:
            self._held = _NOTHING
        return answer

    def _take(self, way: AwaitedWay, reading: Reading, data: bytes, seen: Seen) -> None:
        """Send the answer to *data*, and go on with what has come since."""
        if self._held is not data:
            return  # The connection is lost, or the application has been asked.
        try:
            answer = way.find(reading, data, seen)
        except Exception:  # noqa: BLE001 - outermost, like the one for applications
            answer = self._fail()
        if answer is None:
            self._hand_over()
            return
        self._held = _NOTHING
        self._send(answer)
        later = self._resume()
        if later and not self._close:
            self.data_received(later)

    def _hand_over(self) -> None:
        """Let the application answer what is waited for, as if it came just now."""
        held, self._held = self._held, _NOTHING
        later = self._resume()
        # Who has been told to close takes no requests, but this one came before.
        is_closing, self._close = self._close, False
        Protocol.data_received(self, held + later)
        if is_closing:
            super().close()

    def _resume(self) -> bytes:
        """Let the connection be read again; return what has come meanwhile."""
        later, self._later = self._later, _NOTHING
        if later and self._connection is not None:
            self._connection.resume_reading()
        return later

    def close(self) -> None:
        """Take no further request; the one that waits is answered first."""
        if self._held:
            self._close = True
        else:
            super().close()

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109
        """Stop; who waits is answered the normal way, which a stop waits for."""
        if self._held:
            self._hand_over()
        await super().shutdown(timeout)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End, whoever ended it; nobody waits any more."""
        self._held = self._later = _NOTHING
        super().connection_lost(exc)

    def _process_keepalive(self) -> None:
        """End a connection that is idle for too long; one that waits is not."""
        if not self._held:
            super()._process_keepalive()
            return
        again = self._loop.time() + self._keepalive_timeout
        self._keepalive_handle = self._loop.call_at(again, self._process_keepalive)
