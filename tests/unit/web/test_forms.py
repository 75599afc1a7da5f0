"""Fields of queries and forms, and bodies within their limits."""

import gzip

import pytest
from aiohttp import web

from forwardauth.web.forms import (
    MAX_BODY_BYTES,
    TARGET_NAMES,
    Fields,
    parse_fields,
    read_body,
    read_form,
    read_query,
)
from tests.support.probe import Probe

FORM = "application/x-www-form-urlencoded"
HOST = ("Host", "app.example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", "b"),
        ("a=", ""),
        ("a", ""),
        ("", ""),
        ("a=b&a=b", ""),
        ("a=b&A=c", "b"),
        ("a=b%26a%3Dc", "b&a=c"),
        ("a=%2561", "%61"),
        ("a=b+c", "b c"),
        ("a=b;a=c", "b;a=c"),
        ("%61=b", "b"),
        ("a=%zz", "%zz"),
        ("a=%C3%BC", "ü"),
        ("a=%FF", "\udcff"),
        ("a=%00", "\0"),
    ],
)
def test_field_counts_only_when_it_is_there_once(text: str, expected: str) -> None:
    """A value is decoded once, and a repeated field has none."""
    assert parse_fields(text).only("a") == expected


@pytest.mark.parametrize("name", TARGET_NAMES)
def test_every_spelling_is_a_target(name: str) -> None:
    """``rd``, ``redirect_uri`` and ``targetURL`` mean the same (L-32)."""
    assert parse_fields(f"x=1&{name}=https%3A%2F%2Fa").targets() == ("https://a",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rd=a&rd=a", ("a", "a")),
        ("rd=a&targetURL=b&redirect_uri=c", ("a", "b", "c")),
        ("rd=&targetURL=b", ("", "b")),
        ("rd", ("",)),
        ("RD=a&target_url=b&rd[]=c&rd%00=d", ()),
    ],
)
def test_all_targets_are_told(text: str, expected: tuple[str, ...]) -> None:
    """None of several is chosen or dropped here: the check has to see them (L-32)."""
    assert parse_fields(text).targets() == expected


def test_too_many_fields_count_as_a_repeated_target() -> None:
    """Nobody hides a second target behind the limit (L-32, V-42)."""
    at_limit = parse_fields("rd=a&" + "&".join("x=1" for _ in range(63)))
    above = parse_fields("rd=a&" + "&".join("x=1" for _ in range(64)))

    assert at_limit.targets() == ("a",)
    assert len(above.targets()) == 2
    assert "a" not in above.targets()
    assert above.only("rd") == ""


def test_no_fields_have_no_target() -> None:
    """What is empty holds nothing, whatever is asked for."""
    assert Fields().targets() == ()
    assert Fields().only("rd") == ""


async def ask_query(request: web.Request) -> Fields:
    """Read the query, asynchronously for the probe's sake."""
    return read_query(request)


async def test_query_is_decoded_once() -> None:
    """What arrives encoded twice is still encoded: no second look differs."""
    async with Probe(ask_query) as probe:
        fields = await probe.ask(target="/x?rd=https%253A%252F%252Fa&b=%2B+")

    assert fields.targets() == ("https%3A%2F%2Fa",)
    assert fields.only("b") == "+ "


@pytest.mark.parametrize(
    "kind",
    [FORM, f"{FORM}; charset=utf-8", f"{FORM};charset=utf-16", FORM.upper()],
)
async def test_form_of_the_right_type_is_read(kind: str) -> None:
    """Parameters of the type change nothing; it is always UTF-8."""
    async with Probe(read_form) as probe:
        fields = await probe.ask(
            method="POST",
            headers=[HOST, ("Content-Type", kind)],
            body=b"username=%C3%BC&password=a%26b",
        )

    assert fields.only("username") == "ü"
    assert fields.only("password") == "a&b"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "text/plain")],
        [("Content-Type", "multipart/form-data; boundary=x")],
        [("Content-Type", "application/json")],
        [("Content-Type", "")],
        [("Content-Type", f"{FORM}, text/plain")],
    ],
    ids=["none", "text", "multipart", "json", "empty", "list"],
)
async def test_other_types_have_no_fields(headers: list[tuple[str, str]]) -> None:
    """A body that only looks like a form is none."""
    async with Probe(read_form) as probe:
        fields = await probe.ask(
            method="POST", headers=[HOST, *headers], body=b"rd=a&username=b"
        )

    assert fields.targets() == ()
    assert fields.only("username") == ""


async def test_bytes_that_are_no_text_are_kept_as_such() -> None:
    """Junk becomes lone surrogates, which no check takes for text."""
    async with Probe(read_form) as probe:
        fields = await probe.ask(
            method="POST",
            headers=[HOST, ("Content-Type", FORM)],
            body=b"rd=\xff\xfe&username=\x00%FF",
        )

    assert fields.targets() == ("\udcff\udcfe",)
    assert fields.only("username") == "\0\udcff"


async def test_body_has_a_limit() -> None:
    """A body of 64 KiB is read, one byte more is none (V-42)."""
    async with Probe(read_body) as probe:
        at_limit = await probe.ask(method="POST", body=b"x" * MAX_BODY_BYTES)
        above = await probe.ask(method="POST", body=b"x" * (MAX_BODY_BYTES + 1))

    assert at_limit is not None
    assert len(at_limit) == MAX_BODY_BYTES
    assert above is None


async def test_limit_holds_for_what_is_unpacked() -> None:
    """A few packed kilobytes cannot become megabytes in memory (V-42)."""
    bomb = gzip.compress(b"\0" * 50_000_000, compresslevel=1)

    async with Probe(read_body) as probe:
        body = await probe.ask(
            method="POST", headers=[HOST, ("Content-Encoding", "gzip")], body=bomb
        )

    assert body is None


async def test_body_that_cannot_be_unpacked_is_none() -> None:
    """A body that is not packed as it says is junk like any other, and no fault."""
    async with Probe(read_body) as probe:
        body = await probe.ask(
            method="POST", headers=[HOST, ("Content-Encoding", "gzip")], body=b"junk"
        )

    assert body is None


async def test_body_that_breaks_off_is_none() -> None:
    """A client that goes away in the middle has sent no form."""
    async with Probe(read_body) as probe:
        body = await probe.ask(method="POST", body=b"rd=a", length=100)

    assert body is None


async def test_no_body_is_empty() -> None:
    """Nothing at all is an empty body, not a broken one."""
    async with Probe(read_body) as probe:
        body = await probe.ask(method="POST")

    assert body == b""
