"""aiohttp's parser of requests with a meter before it.

The parser limits each line by itself, so a head of many long lines, and what stands
around the data of a body (sizes and extensions of chunks, trailers), are as long as a
client likes. The meter counts what arrives, whatever it is.

Laws: a head beyond ``MAX_HEAD_BYTES`` and a body beyond ``MAX_RAW_BODY_BYTES`` end the
connection. No handler goes on waiting for a body that cannot be completed.
"""

from typing import Any, Final, Protocol, TypeAlias

from aiohttp import StreamReader, web
from aiohttp.http import (
    HttpProcessingError,
    HttpVersion10,
    HttpVersion11,
    RawRequestMessage,
)
from aiohttp.streams import EMPTY_PAYLOAD

from forwardauth.web.limits import MAX_HEAD_BYTES, MAX_RAW_BODY_BYTES

Messages: TypeAlias = "tuple[tuple[RawRequestMessage, StreamReader], ...]"

_BAD_REQUEST: Final = 400
_END_OF_HEAD: Final = b"\r\n\r\n"
_VERSIONS: Final = (HttpVersion11, HttpVersion10)


class RequestParser(Protocol):
    """What the protocol of aiohttp needs of its parser, compiled or not."""

    def feed_data(self, data: bytes) -> tuple[Any, bool, bytes]:
        """Return the requests whose heads end in *data*; see aiohttp."""

    def feed_eof(self) -> Any:
        """Learn that nothing more comes."""

    def pause_reading(self) -> None:
        """Stop in the middle of a body that fills up."""

    def message_consumed(self) -> None:
        """Learn that a request has been taken from the queue."""

    def set_upgraded(self, val: bool) -> None:
        """Learn whether what comes is in another protocol."""


class TooLargeError(HttpProcessingError):
    """A head or a body is longer than any that we read."""

    def __init__(self) -> None:
        super().__init__(code=_BAD_REQUEST, message="too large")


class UnknownVersionError(HttpProcessingError):
    """A request is in no version that is answered here.

    aiohttp's compiled parser reads HTTP/0.9 and HTTP/2.0 as if they looked the same.
    """

    def __init__(self) -> None:
        super().__init__(code=_BAD_REQUEST, message="unknown version")


class MeteredParser:
    """Hands on what it is fed, and says what the connection is in the middle of."""

    __slots__ = ("_body", "_is_at_end", "_is_broken", "_parser", "_size")

    def __init__(self, parser: RequestParser) -> None:
        """Stand before *parser*."""
        self._parser = parser
        self._body: StreamReader | None = None
        self._is_at_end = True
        self._is_broken = False
        self._size = 0

    @property
    def is_between(self) -> bool:
        """Whether the last request has ended, and of the next one nothing has come.

        Said only where it is certain. The parser keeps what stands behind a request in
        the same data, and does not tell; a head of which a part is kept has no end yet,
        so there is no such part behind data that ends as a head does.
        """
        return (
            self._is_at_end
            and self._size == 0
            and self._body is None
            and not self._is_broken
        )

    @property
    def is_in_head(self) -> bool:
        """Whether a request has begun whose head has not ended."""
        return self._size > 0 and self._body is None

    @property
    def is_in_body(self) -> bool:
        """Whether a body has begun that has not ended."""
        return self._body is not None

    def break_body(self) -> None:
        """Tell whoever waits for the body that the rest of it will not be read."""
        if self._body is not None:
            self._body.set_exception(web.RequestPayloadError())

    def feed_data(self, data: bytes) -> tuple[Any, bool, bytes]:
        """Return the requests whose heads end in *data*; see aiohttp.

        Raises:
            HttpProcessingError: Nothing more of the connection can be read. aiohttp's
                compiled parser does not tell the reader of a body that has broken.
        """
        room = MAX_HEAD_BYTES - self._size
        if self._body is not None or len(data) <= room:
            return self._feed(data)
        messages, upgraded, tail = self._feed(data[:room])
        if upgraded:
            return messages, upgraded, tail + data[room:]
        more, upgraded, tail = self._feed(data[room:])
        return (*messages, *more), upgraded, tail

    def _feed(self, data: bytes) -> tuple[Any, bool, bytes]:
        if self._is_broken:
            raise TooLargeError
        self._is_at_end = data.endswith(_END_OF_HEAD)
        try:
            messages, upgraded, tail = self._parser.feed_data(data)
            self._measure(messages, data)
        except HttpProcessingError:
            self._is_broken = True
            self.break_body()
            raise
        return messages, upgraded, tail

    def _measure(self, messages: Messages, data: bytes) -> None:
        if messages:
            for message, _ in messages:
                if message.version not in _VERSIONS:
                    raise UnknownVersionError
            body = messages[-1][1]
            self._body = None if body.is_eof() else body
            # What stands behind a body in the same data is not counted: at most what is
            # read at once.
            self._size = _size_of_begun(data) if body is EMPTY_PAYLOAD else 0
        elif self._body is None:
            self._size += len(data)
            if self._size >= MAX_HEAD_BYTES:
                raise TooLargeError
        elif self._body.is_eof():
            self._size = 0
            self._body = None
        else:
            self._size += len(data)
            if self._size > MAX_RAW_BODY_BYTES:
                raise TooLargeError

    def feed_eof(self) -> Any:
        """Learn that nothing more comes."""
        return self._parser.feed_eof()

    def pause_reading(self) -> None:
        """Stop in the middle of a body that fills up."""
        self._parser.pause_reading()

    def message_consumed(self) -> None:
        """Learn that a request has been taken from the queue."""
        self._parser.message_consumed()

    def set_upgraded(self, val: bool) -> None:
        """Learn whether what comes is in another protocol."""
        self._parser.set_upgraded(val)


def _size_of_begun(data: bytes) -> int:
    """Return how much of a further head stands behind the last one in *data*."""
    _, end, begun = data.rpartition(_END_OF_HEAD)
    return len(begun.lstrip(b"\r\n")) if end else 0
