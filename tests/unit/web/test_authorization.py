"""The ``Authorization`` header: one well-formed Basic, or nothing."""

from base64 import b64encode

import pytest

from forwardauth.adapters.base import RequestKind
from forwardauth.web.authorization import challenge_for, lookup_basic
from tests.support.client import FETCH, NAVIGATION
from tests.support.headers import FakeHeaders


def encoded(text: str | bytes) -> str:
    """Return *text* in base64."""
    raw = text if isinstance(text, bytes) else text.encode()
    return b64encode(raw).decode()


@pytest.mark.parametrize(
    ("value", "username", "password"),
    [
        (f"Basic {encoded('alice:secret')}", "alice", "secret"),
        (f"bAsIc {encoded('alice:secret')}", "alice", "secret"),
        (f"Basic   {encoded('alice:secret')}", "alice", "secret"),
        (f"Basic {encoded('alice:a:b:')}", "alice", "a:b:"),
        (f"Basic {encoded('alice:')}", "alice", ""),
        (f"Basic {encoded('Zoë:pässword €')}", "Zoë", "pässword €"),
    ],
    ids=["plain", "any case", "spaces", "colons", "empty password", "beyond ASCII"],
)
def test_basic_is_read(value: str, username: str, password: str) -> None:
    """The first colon ends the name (RFC 7617 2), and the text is UTF-8."""
    found = lookup_basic(FakeHeaders(("authorization", value)))

    assert found is not None
    assert (found.username, found.password) == (username, password)
    assert "secret" not in repr(found)


NONE = {
    "no header": [],
    "empty": [""],
    "scheme alone": ["Basic"],
    "scheme and space": ["Basic "],
    "bearer": ["Bearer abcdef"],
    "negotiate": ["Negotiate YWxpY2U6c2VjcmV0"],
    "scheme runs on": ["Basics YWxpY2U6c2VjcmV0"],
    "no space": ["BasicYWxpY2U6c2VjcmV0"],
    "tab": ["Basic\tYWxpY2U6c2VjcmV0"],
    "no base64": ["Basic alice:secret"],
    "url alphabet": ["Basic YTpfX18_"],
    "line break": ["Basic YWxpY2U6\nc2VjcmV0"],
    "text behind": ["Basic YWxpY2U6c2VjcmV0 x"],
    "comma": ["Basic YWxpY2U6c2VjcmV0, Basic YWxpY2U6c2VjcmV0"],
    "bad padding": ["Basic YWxpY2U6c2VjcmV0="],
    "no padding": ["Basic YWxpY2U6c2VjcmU"],
    "no colon": ["Basic " + encoded("alice")],
    "no name": ["Basic " + encoded(":secret")],
    "blank name": ["Basic " + encoded("  :secret")],
    "no UTF-8": ["Basic " + encoded(b"ali\xffce:secret")],
    "NUL": ["Basic " + encoded("alice:sec\0ret")],
    "line break inside": ["Basic " + encoded("ali\r\nce:secret")],
    "twice": ["Basic YWxpY2U6c2VjcmV0", "Basic YWxpY2U6c2VjcmV0"],
    "beside another": ["Bearer x", "Basic YWxpY2U6c2VjcmV0"],
}


@pytest.mark.parametrize("values", NONE.values(), ids=NONE)
def test_anything_else_is_nothing(values: list[str]) -> None:
    """Other schemes and malformed ones fall through, and nothing is guessed (V-13)."""
    headers = FakeHeaders(*(("Authorization", value) for value in values))

    assert lookup_basic(headers) is None


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        (RequestKind.NAVIGATION, NAVIGATION),
        (RequestKind.NAVIGATION, [("Accept", "text/html")]),
        (RequestKind.FETCH, FETCH),
        (RequestKind.FETCH, [("Sec-Fetch-Dest", "image")]),
        (RequestKind.FETCH, [("sec-fetch-site", "cross-site")]),
        (RequestKind.FETCH, [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Mode", "cors")]),
        (RequestKind.FETCH, [("X-Requested-With", "XMLHttpRequest")]),
    ],
    ids=["window", "old browser", "fetch", "image", "site", "twice", "old script"],
)
def test_no_browser_is_challenged(
    kind: RequestKind, headers: list[tuple[str, str]]
) -> None:
    """It would ask for a password that no logout takes back (V-35)."""
    assert challenge_for("app.example.com", kind, FakeHeaders(*headers)) == ""


@pytest.mark.parametrize(
    "headers",
    [[], [("Accept", "*/*"), ("User-Agent", "Mozilla/5.0")]],
    ids=["nothing", "by user agent"],
)
def test_program_is_challenged(headers: list[tuple[str, str]]) -> None:
    """The realm is the host, and the text is to be UTF-8 (RFC 7617 2.1, V-35)."""
    challenge = challenge_for(
        "app.example.com", RequestKind.FETCH, FakeHeaders(*headers)
    )

    assert challenge == 'Basic realm="app.example.com", charset="UTF-8"'
