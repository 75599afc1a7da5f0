"""What the meter says, and refuses, before both parsers of aiohttp."""

import asyncio
from collections import deque

import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from forwardauth.web.limits import (
    MAX_HEAD_BYTES,
    MAX_LINE_BYTES,
    MAX_RAW_BODY_BYTES,
)
from forwardauth.web.metered_parser import MeteredParser, TooLargeError

HEAD = b"POST / HTTP/1.1\r\nHost: app.example.com\r\n"
GET = b"GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n"
LINE = b"x: " + b"a" * (MAX_LINE_BYTES // 2) + b"\r\n"
PARSERS = {"compiled": HttpRequestParser, "pure": HttpRequestParserPy}


@pytest.fixture(params=tuple(PARSERS.values()), ids=tuple(PARSERS))
async def meter(request: pytest.FixtureRequest) -> MeteredParser:
    """The meter before a parser with our limits."""
    loop = asyncio.get_running_loop()
    return MeteredParser(
        request.param(
            BaseProtocol(loop),
            loop,
            2**16,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            payload_exception=web.RequestPayloadError,
        )
    )


async def test_meter_tells_head_and_body(meter: MeteredParser) -> None:
    """What a connection is in the middle of decides how long it may take."""
    seen = []
    for data in (HEAD, b"Content-Length: 4\r\n\r\n", b"bo", b"dy", HEAD):
        meter.feed_data(data)
        seen.append((meter.is_between, meter.is_in_head, meter.is_in_body))

    assert seen == [
        (False, True, False),
        (False, False, True),
        (False, False, True),
        (False, False, False),
        (False, True, False),
    ]


@pytest.mark.parametrize(
    ("pieces", "is_between"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param([GET], True, id="whole"),
        pytest.param([GET + GET], True, id="two"),
        pytest.param([GET + b"GET /"], False, id="part of a line behind it"),
        pytest.param([GET + GET[:-2]], False, id="all but the end behind it"),
        pytest.param([GET + b"\r\n"], True, id="empty line behind it"),
        pytest.param([GET[:9], GET[9:]], True, id="in pieces"),
        pytest.param([GET[:9], GET[9:] + b"GET /"], False, id="part behind pieces"),
        pytest.param([GET + GET[:9], GET[9:]], True, id="part ended"),
        pytest.param([GET + b"GET /", b""], False, id="asked again"),
        pytest.param(
            [HEAD + b"Content-Length: 4\r\n\r\nbo", b"dyGET /"],
            False,
            id="part behind a body",
        ),
        pytest.param(
            [HEAD + b"Content-Length: 4\r\n\r\nbody", GET], True, id="whole behind it"
        ),
    ],
)
async def test_between_requests_is_where_nothing_of_the_next_has_come(
    meter: MeteredParser, pieces: list[bytes], is_between: bool
) -> None:
    """What the parser has kept is the beginning of what comes."""
    for data in pieces:
        meter.feed_data(data)

    assert meter.is_between is is_between


async def test_head_that_begins_behind_another_has_its_time(
    meter: MeteredParser,
) -> None:
    """Who stops in the middle of it is not taken for somebody who is idle."""
    seen = []
    for data in (GET + b"GET /", b"x HTTP/1.1\r\nHost: a\r\n\r\n", GET + b"\r\n"):
        meter.feed_data(data)
        seen.append(meter.is_in_head)

    assert seen == [True, False, False]


async def test_nothing_is_between_requests_that_cannot_be_read(
    meter: MeteredParser,
) -> None:
    """Where the next request begins is known to nobody after a fault."""
    with pytest.raises(HttpProcessingError):
        meter.feed_data(b"no request\r\n\r\n")

    assert not meter.is_between


async def test_request_in_one_piece_leaves_nothing_open(meter: MeteredParser) -> None:
    """It comes out as it went in, and no time counts after it."""
    messages, upgraded, tail = meter.feed_data(HEAD + b"Content-Length: 1\r\n\r\nb")

    assert [message.method for message, _ in messages] == ["POST"]
    assert (upgraded, tail) == (False, b"")
    assert (meter.is_in_head, meter.is_in_body) == (False, False)


async def test_long_head_is_refused_before_its_end(meter: MeteredParser) -> None:
    """Lines that are short enough by themselves add up."""
    meter.feed_data(HEAD)
    for _ in range(3):
        meter.feed_data(LINE)

    with pytest.raises(TooLargeError):
        meter.feed_data(LINE)


async def test_long_head_is_refused_at_its_end(meter: MeteredParser) -> None:
    """What arrives with the end of the head counts as well."""
    with pytest.raises(TooLargeError):
        meter.feed_data(HEAD + LINE * (MAX_HEAD_BYTES // len(LINE) + 1) + b"\r\n")


async def test_data_behind_a_head_does_not_count_against_it(
    meter: MeteredParser,
) -> None:
    """A long body in the same piece as a short head is a body."""
    meter.feed_data(HEAD)

    messages, _, _ = meter.feed_data(
        b"Content-Length: 1000000\r\n\r\n" + b"b" * MAX_HEAD_BYTES
    )

    assert len(messages) == 1


@pytest.mark.parametrize("framing", [b"1;", b"0\r\nx: "], ids=["extension", "trailer"])
async def test_framing_of_a_body_is_bounded(
    meter: MeteredParser, framing: bytes
) -> None:
    """Its reader is told, for nothing of the connection is read any more."""
    messages, _, _ = meter.feed_data(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    body = messages[0][1]
    meter.feed_data(framing)
    pieces = (b"a" * 1000 for _ in range(MAX_RAW_BODY_BYTES // 1000 + 1))

    with pytest.raises(HttpProcessingError):
        deque(map(meter.feed_data, pieces), maxlen=0)

    with pytest.raises(web.RequestPayloadError):
        await body.read()


async def test_each_body_has_the_whole_limit(meter: MeteredParser) -> None:
    """What a connection has sent before does not count."""
    piece = b"b" * 2**16
    count = MAX_RAW_BODY_BYTES // len(piece) // 2
    head = HEAD + f"Content-Length: {len(piece) * count}\r\n\r\n".encode()
    sizes = []

    for _ in range(4):
        messages, _, _ = meter.feed_data(head)
        for _ in range(count):
            meter.feed_data(piece)
            sizes.append(len(await messages[0][1].readany()))

    assert sizes == [len(piece)] * 4 * count


async def test_broken_body_is_told_to_its_reader(meter: MeteredParser) -> None:
    """The rest will never come, so the handler must not wait for it."""
    messages, _, _ = meter.feed_data(HEAD + b"Content-Length: 4\r\n\r\n")

    meter.break_body()

    with pytest.raises(web.RequestPayloadError):
        await messages[0][1].read()
