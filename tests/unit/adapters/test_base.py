"""Answers that adapters share, and how a denial is spelled that a proxy passes on."""

import json
from typing import Final

import pytest

from forwardauth.adapters.base import (
    Answer,
    Forbidden,
    RequestKind,
    Unavailable,
    Verdict,
    answer_allowed,
    answer_forbidden,
    answer_forwarded,
    answer_json,
    answer_unavailable,
)
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.request import ANONYMOUS, Subject
from tests.support.access import ALICE, DENIALS, LOGIN_URL, PASSES, sign_in_needed

NAMES: Final = IdentityHeaders()
IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")


def _lines(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers if key.lower() == name.lower()]


def _assert_never_kept(answer: Answer) -> None:
    """Check that nothing in between may keep the answer for another request."""
    assert _lines(answer, "Cache-Control") == ["no-store"]
    assert _lines(answer, "Vary") == ["Cookie, Authorization"]


def test_pass_tells_who_asks() -> None:
    """Exactly 200, no body, and the four headers (V-25, V-26)."""
    answer = answer_allowed(ALICE, NAMES)

    assert (answer.status, answer.body) == (200, b"")
    assert [_lines(answer, name) for name in IDENTITY] == [
        ["alice"],
        ["dev,ops"],
        ["Alice Liddell"],
        ["alice@example.com"],
    ]
    _assert_never_kept(answer)


@pytest.mark.parametrize(
    ("subject", "values"),
    [
        (ANONYMOUS, ["", "", "", ""]),
        (Subject(username="bob", level=1), ["bob", *3 * [""]]),
    ],
    ids=["nobody", "name alone"],
)
def test_unknown_is_sent_as_empty(subject: Subject, values: list[str]) -> None:
    """A header that is left out would let the client's own copy through (V-26)."""
    answer = answer_allowed(subject, NAMES)

    assert [_lines(answer, name) for name in IDENTITY] == [[value] for value in values]


def test_groups_are_always_in_the_same_order() -> None:
    """A set has none of its own, and applications compare texts."""
    names = [f"group-{letter}" for letter in "jihgfedcba"]
    subject = Subject(username="alice", groups=frozenset(names), level=1)

    assert _lines(answer_allowed(subject, NAMES), "Remote-Groups") == [
        ",".join(sorted(names))
    ]


def test_pass_sets_no_cookie() -> None:
    """A verify answer that lets pass changes nothing in the browser (V-32)."""
    assert _lines(answer_allowed(ALICE, NAMES), "Set-Cookie") == []


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303), ("PUT", 303)]
)
def test_navigation_is_sent_to_the_portal(method: str, status: int) -> None:
    """After anything but GET and HEAD the browser must not repeat the body (V-28)."""
    answer = answer_forwarded(sign_in_needed(method=method), NAMES)

    assert (answer.status, answer.body) == (status, b"")
    assert _lines(answer, "Location") == [LOGIN_URL]


def test_program_is_told_where_to_sign_in() -> None:
    """401 with JSON, and no redirect or password prompt (V-28, V-29, V-35)."""
    answer = answer_forwarded(sign_in_needed(RequestKind.FETCH), NAMES)

    content = json.loads(answer.body)
    assert answer.status == 401
    assert (content["status"], content["data"]) == ("KO", {"redirect": LOGIN_URL})
    assert _lines(answer, "Content-Type") == ["application/json"]
    assert _lines(answer, "Location") == _lines(answer, "WWW-Authenticate") == []


def test_forbidden_page_keeps_its_policy() -> None:
    """The page goes out as HTML under the policy it was made for (V-31, V-36)."""
    answer = answer_forbidden(
        Forbidden(page=b"<p>No</p>", content_policy="default-src 'none'")
    )

    assert (answer.status, answer.body) == (403, b"<p>No</p>")
    assert _lines(answer, "Content-Type") == ["text/html; charset=utf-8"]
    assert _lines(answer, "Content-Security-Policy") == ["default-src 'none'"]
    assert _lines(answer, "Location") == []


def test_forbidden_program_gets_json() -> None:
    """Without a page there is a constant word, and nothing about who asked (V-34)."""
    answer = answer_forbidden(Forbidden())

    assert answer.status == 403
    assert json.loads(answer.body) == {"status": "KO", "message": "forbidden"}
    assert _lines(answer, "Content-Type") == ["application/json"]


def test_forbidden_program_is_told_what_to_do_where_that_is_known() -> None:
    """The message is a constant of ours, in place of the word (V-34)."""
    answer = answer_forbidden(Forbidden(message="use https"))

    assert json.loads(answer.body) == {"status": "KO", "message": "use https"}


def test_malformed_request_names_its_header() -> None:
    """400 with the name of the header, for whoever sets up the proxy (V-13)."""
    answer = answer_forwarded(DENIALS["malformed"], NAMES)

    assert answer.status == 400
    assert "X-Forwarded-Host" in json.loads(answer.body)["message"]


def test_outage_is_told_with_the_wait() -> None:
    """503 with ``Retry-After``, and nobody is told that they are signed out (V-2)."""
    answer = answer_unavailable(Unavailable(retry_after_seconds=7))

    assert answer.status == 503
    assert _lines(answer, "Retry-After") == ["7"]
    assert _lines(answer, "Location") == _lines(answer, "Set-Cookie") == []


def test_json_has_no_data_without_a_redirect() -> None:
    """What is not known is left out, and not null."""
    assert "data" not in json.loads(answer_json(403, "forbidden").body)


def test_json_escapes_what_it_repeats() -> None:
    """A quotation mark cannot end the text it is in (V-36)."""
    message = 'a"}<script>\r\né'

    answer = answer_json(400, message)

    assert json.loads(answer.body)["message"] == message
    assert answer.body.isascii()
    assert b"\n" not in answer.body


@pytest.mark.parametrize("verdict", DENIALS.values(), ids=DENIALS)
def test_forwarded_denial_is_never_a_success(verdict: Verdict) -> None:
    """Only ``Allowed`` is 2xx, and no denial tells who asks (V-2, V-34)."""
    answer = answer_forwarded(verdict, NAMES)

    assert answer.status >= 300
    assert [_lines(answer, name) for name in IDENTITY] == [[]] * 4
    _assert_never_kept(answer)


@pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
def test_forwarded_pass_is_200(verdict: Verdict) -> None:
    """A pass is exactly 200, for somebody and for nobody in particular (V-25)."""
    answer = answer_forwarded(verdict, NAMES)

    assert (answer.status, answer.body) == (200, b"")
    _assert_never_kept(answer)
