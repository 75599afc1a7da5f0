"""Answers as bytes: what aiohttp would send."""

import re

import pytest

from forwardauth.adapters.base import Answer
from forwardauth.web.answer_bytes import AnswerBytes


def test_answer_has_its_lines_in_order() -> None:
    """Status, the adapter's headers, then length, date and server."""
    answer = Answer(status=401, headers=(("Location", "https://a/"), ("X", "1")))

    sent = AnswerBytes(answer).now()

    assert re.fullmatch(
        rb"HTTP/1\.1 401 Unauthorized\r\nLocation: https://a/\r\nX: 1\r\n"
        rb"Content-Length: 0\r\nDate: [A-Z][a-z]{2}, [^\r\n]+ GMT\r\n"
        rb"Server: forwardauth\r\n\r\n",
        sent,
    )


def test_letters_beyond_ascii_are_utf8() -> None:
    """A name arrives as it stands in the users file (V-27)."""
    answer = Answer(status=200, headers=(("Remote-Name", "Zo\u00eb"),))

    assert "\r\nRemote-Name: Zo\u00eb\r\n".encode() in AnswerBytes(answer).now()


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX: 1", "a\0b"])
def test_value_cannot_break_out_of_its_line(value: str) -> None:
    """What would be a second line is refused, whoever let it through (V-27)."""
    with pytest.raises(ValueError, match="line break"):
        AnswerBytes(Answer(status=200, headers=(("Remote-User", value),)))


def test_body_goes_with_its_length() -> None:
    """It stands after the head, as it is."""
    sent = AnswerBytes(Answer(status=503, body=b"{}")).now()

    assert b"\r\nContent-Length: 2\r\nDate: " in sent
    assert sent.endswith(b"\r\nServer: forwardauth\r\n\r\n{}")
