"""Bodies that have to be one JSON object."""

from typing import Any

import pytest
from aiohttp import web

from forwardauth.web.forms import MAX_BODY_BYTES
from forwardauth.web.json_body import read_object
from tests.support.probe import Probe

HOST = ("Host", "auth.example.com")
JSON = ("Content-Type", "application/json")


async def read(
    body: bytes, headers: tuple[tuple[str, str], ...] = (JSON,)
) -> dict[str, Any]:
    """Return the object in *body*."""
    async with Probe(read_object) as probe:
        return await probe.ask(method="POST", headers=[HOST, *headers], body=body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", {}),
        (b' \r\n\t{"uri": "https://a"} ', {"uri": "https://a"}),
        (b'{"a": null, "b": [1, {"c": true}]}', {"a": None, "b": [1, {"c": True}]}),
        ('{"ü": "ü"}'.encode(), {"ü": "ü"}),
    ],
    ids=["empty", "space", "nested", "utf-8"],
)
async def test_object_is_returned(body: bytes, expected: dict[str, Any]) -> None:
    """An object is handed on as it is; what it may hold is for others to say."""
    assert await read(body) == expected


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "Application/JSON"],
)
async def test_type_is_known_however_it_is_spelled(kind: str) -> None:
    """Case and parameters of the type make no difference."""
    assert await read(b'{"a": 1}', (("Content-Type", kind),)) == {"a": 1}


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Content-Type", "text/plain"),),
        (("Content-Type", "application/x-www-form-urlencoded"),),
        (("Content-Type", "multipart/form-data; boundary=x"),),
        (("Content-Type", "text/plain; a=application/json"),),
        (("Content-Type", "application/json-patch+json"),),
        (("Content-Type", "application/jsonx"),),
        (("Content-Type", ""),),
    ],
    ids=["none", "text", "form", "multipart", "hidden", "patch", "longer", "empty"],
)
async def test_other_type_is_415(headers: tuple[tuple[str, str], ...]) -> None:
    """What a form of another site can send is not read (L-21)."""
    with pytest.raises(web.HTTPUnsupportedMediaType):
        await read(b'{"a": 1}', headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b'[{"a": 1}]',
        b"{",
        b'{"a": 1}}',
        b'{"a": 1}{"b": 2}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} // comment',
        b'{"a": "\xff"}',
        b'{"a": "\n"}',
        b'{"a": \x00}',
        b"\x00\x00\x00",
        b"uri=https://a",
        b"<xml/>",
        b"[" * (MAX_BODY_BYTES - 1),
        b'{"a":' * 10_000,
        b'{"a": ' + b"9" * 60_000 + b"}",
        b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}',
    ],
    ids=lambda body: ascii(body)[:24],
)
async def test_junk_is_400(body: bytes) -> None:
    """Whatever is no object, too deep or too long is refused, and no fault (V-42)."""
    with pytest.raises(web.HTTPBadRequest):
        await read(body)


async def test_body_that_cannot_be_unpacked_is_400() -> None:
    """A body that is not packed as it says is refused like other junk."""
    with pytest.raises(web.HTTPBadRequest):
        await read(b"{}", (JSON, ("Content-Encoding", "gzip")))
