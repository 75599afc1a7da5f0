"""Names of requests: whose word counts, and which name is used."""

import asyncio
import re

import pytest
from multidict import CIMultiDict

from forwardauth.web.request_ids import (
    RequestIds,
    RequestName,
    enter,
    leave,
    lookup_current_id,
    lookup_given_id,
    tell_current_id,
)

GOOD = [
    "1",
    "7b3a1a1e-5c0f-4f5e-9d70-0d0b7f3f0a11",
    "7F000001:8296_7F00001E:1F90_4F7B0A69_0003:790",
    "Root=1-67891233-abcdef012345678912345678",
    "a" * 128,
]
BAD = [
    "",
    "a" * 129,
    "a b",
    "a;b",
    'a"b',
    "a%0Ab",
    "<b>",
    "/a?b=secret",
    "ä",
    "a\tb",
    "\x1b[2J",
]


@pytest.mark.parametrize("value", GOOD)
def test_plain_name_counts(value: str) -> None:
    """What proxies send is taken as it is, from either form of the request."""
    ids = RequestIds("X-Request-ID")
    head = f"GET / HTTP/1.1\r\nHost: a\r\nx-request-id: {value}\r\n\r\n".encode()

    assert ids.lookup(CIMultiDict({"x-request-id": value})) == value
    assert ids.find(head) == value


@pytest.mark.parametrize("value", BAD, ids=ascii)
def test_other_name_does_not_count(value: str) -> None:
    """What could break a line, hold a secret or fill the log is not taken."""
    ids = RequestIds("X-Request-ID")
    head = f"GET / HTTP/1.1\r\nX-Request-ID: {value}\r\n\r\n".encode()

    assert ids.lookup(CIMultiDict({"X-Request-ID": value})) is None
    assert ids.find(head) is None


@pytest.mark.parametrize("second", ["a", "b"])
def test_name_that_is_there_twice_does_not_count(second: str) -> None:
    """Nobody can tell which of them the proxy meant."""
    ids = RequestIds("X-Request-ID")
    headers = CIMultiDict([("X-Request-ID", "a"), ("X-Request-ID", second)])
    head = f"GET / HTTP/1.1\r\nX-Request-ID: a\r\nX-Request-ID: {second}\r\n\r\n"

    assert ids.lookup(headers) is None
    assert ids.find(head.encode()) is None


@pytest.mark.parametrize(
    "line", ["X-Request-ID-2: a", "My-X-Request-ID: a", "X-Other: X-Request-ID: a"]
)
def test_other_headers_name_nothing(line: str) -> None:
    """A header that holds the name of the header is not that header."""
    assert (
        RequestIds("X-Request-ID").find(f"GET / X\r\n{line}\r\n\r\n".encode()) is None
    )


def test_header_is_the_one_that_is_configured() -> None:
    """Another name, or none at all."""
    headers = CIMultiDict({"X-Request-ID": "a", "CF-Ray": "b"})
    head = b"GET / HTTP/1.1\r\nX-Request-ID: a\r\nCF-Ray: b\r\n\r\n"

    assert RequestIds("CF-Ray").lookup(headers) == "b"
    assert RequestIds("CF-Ray").find(head) == "b"
    assert RequestIds(None).lookup(headers) is None
    assert RequestIds(None).find(head) is None


def test_name_of_the_proxy_comes_first() -> None:
    """A reference of ours is for requests without a name."""
    given, without = RequestName(lambda: "7f00"), RequestName(lambda: None)

    assert given.tell("12345678") == "7f00"
    assert without.tell("12345678") == "12345678"
    assert re.fullmatch("[0-9a-f]{8}", RequestName(lambda: None).tell())


def test_name_is_settled_once() -> None:
    """Page, line and answer say the same, whoever asks first."""
    name = RequestName(lambda: None)

    first = name.tell()

    assert name.tell("12345678") == first
    assert name.told == first


def test_name_that_nobody_uses_is_not_made() -> None:
    """To ask what the proxy says tells nobody anything."""
    name = RequestName(lambda: None)

    assert name.lookup_given() is None
    assert name.told is None


async def test_each_request_has_its_own_name() -> None:
    """Requests that are answered at the same time do not mix."""

    async def answer(given: str) -> str | None:
        token = enter(RequestName(lambda: given))
        await asyncio.sleep(0)
        try:
            return lookup_current_id()
        finally:
            leave(token)

    told = await asyncio.gather(*(answer(str(number)) for number in range(3)))

    assert told == ["0", "1", "2"]
    assert lookup_current_id() is None


def test_without_a_request_there_is_no_name() -> None:
    """What the service does of itself names no request; a page has a reference."""
    assert lookup_current_id() is None
    assert lookup_given_id() is None
    assert tell_current_id("12345678") == "12345678"
    assert re.fullmatch("[0-9a-f]{8}", tell_current_id())
