"""HTTP below the applications: answers to what cannot be read, an end to who is late.

Some requests never reach an application: no middleware of ours sees what the parser of
aiohttp refuses. Its own answer quotes the request, and so hands a script of a page the
session cookie that it must not read; its log lines quote it, too.

Laws: nothing of a request that could not be read stands in its answer or in the log. A
fault of a client is one line and never a traceback. Nothing is taken for a request that
follows one which did not end before its answer, or one that asks for another protocol.
"""

import asyncio
import logging
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from forwardauth.web.answers import SERVER_NAME, ko
from forwardauth.web.deadline import Deadline
from forwardauth.web.limits import (
    MAX_HEADERS,
    MAX_LINE_BYTES,
    MAX_WAITING,
    READ_BUFFER_BYTES,
    Limits,
)
from forwardauth.web.metered_parser import MeteredParser, RequestParser
from forwardauth.web.pages import ErrorKind

_CLIENT_FAULTS: Final = (HttpProcessingError, web.RequestPayloadError)

_log = logging.getLogger(__name__)


class Protocol(web.RequestHandler):
    """A connection; what it says by itself is said here.

    Some names of aiohttp that are used here are private, as there are no public ones.
    """

    __slots__ = (
        "_answer_deadline",
        "_body_deadline",
        "_connection",
        "_head_deadline",
        "_is_ending",
        "_meter",
    )

    def __init__(self, manager: web.Server, limits: Limits) -> None:
        """Wait for the connection.

        Args:
            manager: Knows the application.
            limits: Of time; those of size are constants.
        """
        loop = asyncio.get_running_loop()
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # as aiohttp's own runner does
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            read_bufsize=READ_BUFFER_BYTES,
            keepalive_timeout=limits.idle_seconds,
            lingering_time=limits.drain_seconds,
            # A body is unpacked by nobody: ``read_body`` refuses what is packed.
            auto_decompress=False,
        )
        self._max_msg_queue_size = MAX_WAITING
        self._msg_queue_resume_size = MAX_WAITING - 1
        # aiohttp forgets its own before the system has sent everything.
        self._connection: asyncio.Transport | None = None
        self._is_ending = False
        self._meter = MeteredParser(cast("RequestParser", self._parser))
        self._parser = cast("Any", self._meter)
        self._head_deadline = Deadline(loop, limits.head_seconds, self._end_slow_head)
        self._body_deadline = Deadline(loop, limits.body_seconds, self._end_slow_body)
        self._answer_deadline = Deadline(loop, limits.answer_seconds, self._abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; from here on every byte that the client does not take is noticed."""
        self._connection = cast("asyncio.Transport", transport)
        self._connection.set_write_buffer_limits(high=0)
        super().connection_made(transport)

    def answer_by(self, handler: Any, factory: Any) -> None:
        """Let *handler* answer the next request, which *factory* makes.

        What is under way has been given to whoever answers it.
        """
        self._request_handler = handler
        self._request_factory = factory

    def end_soon(self) -> None:
        """Let the answer to the next request say that it is the last one."""
        self._is_ending = True

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing is under way, nor has been for the last *seconds*."""
        idle_since = self.idle_until - self._keepalive_timeout
        is_long_ago = self._loop.time() >= idle_since + seconds
        return is_long_ago and self.is_idle and not self._meter.is_in_head

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request, of which a part may have come."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def idle_until(self) -> float:
        """When the loop's clock says that it has been idle for too long."""
        return self._next_keepalive_close_time

    def abort(self) -> None:
        """End at once, whatever has not been sent yet."""
        if self._connection is not None:
            self._connection.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End, whoever ended it."""
        for deadline in (
            self._head_deadline,
            self._body_deadline,
            self._answer_deadline,
        ):
            deadline.stop()
        self._connection = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse *data*, and watch the time that the rest of the request takes."""
        before = self._request_count
        self._receive(data)
        if self._request_count != before:
            self._head_deadline.stop()
            self._body_deadline.stop()
        if self._meter.is_in_head:
            self._head_deadline.start()
        elif self._meter.is_in_body:
            self._body_deadline.start()
        else:
            self._body_deadline.stop()

    def _receive(self, data: bytes) -> None:
        """Parse *data*, and wake whoever answers."""
        super().data_received(data)

    def pause_writing(self) -> None:
        """Watch the time that the client takes for what could not be sent at once."""
        super().pause_writing()
        self._answer_deadline.start()

    def resume_writing(self) -> None:
        """Stop watching: everything has been sent."""
        self._answer_deadline.stop()
        super().resume_writing()

    def _end_slow_head(self) -> None:
        if self._messages or self._request_in_progress:
            # Pipelined: what is late may be our answer to the request before it.
            self._head_deadline.start()
            return
        _log.info("a request was too slow; its connection is closed")
        self.force_close()

    def _end_slow_body(self) -> None:
        _log.info("a body was too slow; its connection is closed")
        self._meter.break_body()

    def _abort(self) -> None:
        _log.info("an answer was not taken in time; its connection is closed")
        self.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Return the answer to a request that no application has answered."""
        if isinstance(exc, UnicodeEncodeError) and _expects_bytes(request):
            status = web.HTTPExpectationFailed.status_code
            _tell(request.remote, exc)
        elif isinstance(exc, _CLIENT_FAULTS):
            _tell(request.remote, exc)
        else:
            self.log_exception("a request was not answered", exc_info=exc)
        if request.writer.output_size > 0:
            reason = "the answer has begun, so there is no room for another"
            raise ConnectionError(reason)
        return _refusal(status)

    async def finish_response(
        self,
        request: web.BaseRequest,
        resp: web.StreamResponse,
        start_time: float | None,
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*, and end the connection where it is not sure what comes next.

        Where aiohttp quotes an ``Expect`` that it cannot meet, the answer is ours.
        """
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = _refusal(resp.status)
        is_last = self._is_ending and not self._messages
        if is_last or _asks_for_other_protocol(request) or not request.content.is_eof():
            # A proxy that has passed on the length of a body and kept the body would
            # send its next request where we still expect this one to go on.
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what went wrong between a request and its answer."""
        exc = kw.get("exc_info")
        if isinstance(exc, _CLIENT_FAULTS):
            _tell(None, exc)
        else:
            super().log_exception(*args, **kw)


def _asks_for_other_protocol(request: web.BaseRequest) -> bool:
    return request.method == "CONNECT" or "Upgrade" in request.headers


def _expects_bytes(request: web.BaseRequest) -> bool:
    """Whether aiohttp has failed to quote an ``Expect``, before any handler of ours."""
    return not request.headers.get("Expect", "").isascii()


def _refusal(status: int) -> web.Response:
    """Return the one answer for *status*, after which the connection closes."""
    is_ours = status >= web.HTTPInternalServerError.status_code
    kind = ErrorKind.INTERNAL if is_ours else ErrorKind.BAD_REQUEST
    response = ko(kind.value, status=status)
    response.headers["Server"] = SERVER_NAME
    response.force_close()
    return response


def _tell(peer: str | None, fault: BaseException) -> None:
    """Log the kind of *fault*; its text quotes the request."""
    _log.info("unreadable request from %s: %s", peer or "-", type(fault).__name__)
