"""An answer of an adapter as the bytes that aiohttp would send for it.

Law: what aiohttp adds by itself is added here in the same places: the length, the time
and the server. The date is that of the moment, not of when the answer was made.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import Final

from aiohttp.helpers import rfc822_formatted_time

from forwardauth.adapters.base import Answer
from forwardauth.web.answers import SERVER_NAME

_AFTER_DATE: Final = f"\r\nServer: {SERVER_NAME}\r\n\r\n".encode("ascii")


class AnswerBytes:
    """An answer to anything but HEAD, ready but for its date."""

    __slots__ = ("_after_date", "_until_date")

    def __init__(self, answer: Answer) -> None:
        """Write *answer* down.

        Raises:
            ValueError: There is a line break in a header.
        """
        status = HTTPStatus(answer.status)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if any(not {"\r", "\n", "\0"}.isdisjoint(line) for line in lines):
            raise ValueError("a header cannot hold a line break")
        lines += [f"Content-Length: {len(answer.body)}", "Date: "]
        self._until_date = "\r\n".join(lines).encode()
        self._after_date = _AFTER_DATE + answer.body

    def now(self) -> bytes:
        """Return the bytes, with the date of this moment."""
        return self._until_date + _encoded(rfc822_formatted_time()) + self._after_date


@lru_cache(1)
def _encoded(date: str) -> bytes:
    return date.encode("ascii")
