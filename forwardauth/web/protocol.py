"""HTTP below the applications: limits of what is read, and answers to what cannot be.

Some requests never reach an application: no middleware of ours sees what the parser of
aiohttp refuses. Its own answer quotes the request, and so hands a script of a page the
session cookie that it must not read; its log lines quote it, too.

Laws: nothing of a request that could not be read stands in its answer or in the log. A
fault of a client is one line and never a traceback.
"""

import asyncio
import logging
from typing import Any, Final

from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError

from forwardauth.web.answers import ko
from forwardauth.web.pages import ErrorKind

SERVER_NAME: Final = "forwardauth"
"""Without versions: whoever looks for a hole need not be helped."""

MAX_LINE_BYTES: Final = 128 * 1024
"""Limit of the request line, and of each header.

More than nginx and HAProxy pass on as they are shipped (the cookies of HTTP/2, which
arrive in pieces, are one header of up to 64 KiB), so that a jar which somebody has
stuffed with cookies is read, and its owner can sign out.
"""

_CLIENT_FAULTS: Final = (HttpProcessingError, web.RequestPayloadError)

_log = logging.getLogger(__name__)


class ServiceRunner(web.AppRunner):
    """Runs an application on our protocol; the sites are aiohttp's."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        """Serve *app*.

        Args:
            app: Not started yet.
            options: Of ``web.AppRunner``: how it stops.
        """
        super().__init__(app, access_log=None, **options)

    async def _make_server(self) -> web.Server:
        """Return aiohttp's server of the application, with our protocol in its place.

        A private name of aiohttp, as there is no public one; so is the queue of
        messages below.
        """
        server = await super()._make_server()
        return _Server(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
        )


class _Server(web.Server):
    """Makes the protocol of each connection."""

    def __call__(self) -> web.RequestHandler:
        return _Protocol(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            # A body is unpacked by nobody: ``read_body`` refuses what is packed.
            auto_decompress=False,
        )


class _Protocol(web.RequestHandler):
    """A connection; what it says by itself is said here."""

    __slots__ = ("_body",)

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._body: StreamReader | None = None

    def data_received(self, data: bytes) -> None:
        """Parse *data*, and tell the handler that waits for a body which has broken.

        aiohttp's compiled parser queues the fault behind the request that it is in, and
        leaves that one waiting until the client goes away.
        """
        super().data_received(data)
        for message, body in self._messages:
            if not isinstance(getattr(message, "exc", None), HttpProcessingError):
                self._body = body
            elif self._body is not None and not self._body.is_eof():
                self._body.set_exception(web.RequestPayloadError())

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Return the answer to a request that no application has answered."""
        if isinstance(exc, _CLIENT_FAULTS):
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
        """Send *resp*; ours where aiohttp quotes an ``Expect`` that it cannot meet."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = _refusal(resp.status)
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what went wrong between a request and its answer."""
        exc = kw.get("exc_info")
        if isinstance(exc, _CLIENT_FAULTS):
            _tell(None, exc)
        else:
            super().log_exception(*args, **kw)


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
