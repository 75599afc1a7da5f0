"""The parameters of a request: query and form, read once, strictly, within limits."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http import HttpProcessingError

TARGET_NAMES: Final = ("rd", "redirect_uri", "targetURL")
"""Spellings of the redirect target, in the words of the programs people come from."""

MAX_BODY_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 64
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_UNREADABLE: Final = (
    web.HTTPRequestEntityTooLarge,
    web.RequestPayloadError,
    HttpProcessingError,
    ConnectionError,
)
_TOO_MANY: Final = (("rd", "\0"), ("rd", "\0"))
"""What stands for more fields than anybody needs: a target that is refused."""


class Fields:
    """Names and values in the order of arrival; a name may repeat."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        """Keep *pairs*."""
        self._pairs = tuple(pairs)

    def only(self, name: str) -> str:
        """Return the value of *name* if it is there exactly once, else ``""``."""
        values = [value for key, value in self._pairs if key == name]
        return values[0] if len(values) == 1 else ""

    def targets(self) -> tuple[str, ...]:
        """Return every value of every spelling of the redirect target."""
        return tuple(value for key, value in self._pairs if key in TARGET_NAMES)


def parse_fields(text: str) -> Fields:
    """Return the fields of a query or of an urlencoded form.

    Bytes that are not UTF-8 become lone surrogates, which no check accepts. Too many
    fields count as a repeated target, never as none.
    """
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        return Fields(_TOO_MANY)
    return Fields(pairs)


def read_query(request: web.BaseRequest) -> Fields:
    """Return the fields of the request's own query, decoded once."""
    return parse_fields(request.rel_url.raw_query_string)


async def read_form(request: web.BaseRequest) -> Fields:
    """Return the fields of an urlencoded form; another type or size has none."""
    if request.content_type != _FORM_TYPE:
        return Fields()
    body = await read_body(request)
    return (
        Fields()
        if body is None
        else parse_fields(body.decode("utf-8", "surrogateescape"))
    )


async def read_body(request: web.BaseRequest) -> bytes | None:
    """Return the body.

    Returns:
        ``None`` when it is longer than 64 KiB, when it breaks off, and when it is
        packed: no browser packs a body, and a few kilobytes can unpack to gigabytes.
    """
    encodings = request.headers.getall("Content-Encoding", [])
    if any(each.lower() != "identity" for each in encodings):
        return None
    try:
        return await request.read()
    except _UNREADABLE:
        return None
