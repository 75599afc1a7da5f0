"""What must hold for the answers to a hostile conversation, whatever it was."""

from dataclasses import dataclass
from typing import Final

from tests.fuzz.grammar import SECRET

IDENTITY: Final = b"\r\nremote-user:"
"""In the answer of verify that lets a request pass, and in no other."""

_STATUSES: Final = frozenset(
    (200, 204, 302, 303, 400, 401, 403, 404, 405, 413, 415, 417, 429)
)
_NO_BODY: Final = frozenset((100, 204, 304))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it came."""

    status: int
    head: bytes
    body: bytes


class BrokenAnswerError(AssertionError):
    """What came back is not a sequence of whole answers."""


def read_answers(received: bytes) -> list[Answer]:
    """Return the answers that *received* consists of.

    The answer to HEAD names a length and has no body, so both are allowed for each.

    Raises:
        BrokenAnswerError: Something stands before, between or in the middle of answers.
    """
    answers = []
    rest = received
    while rest:
        head, end, rest = rest.partition(b"\r\n\r\n")
        if not (end and head.startswith(b"HTTP/1.")):
            raise BrokenAnswerError(head[:200])
        status = int(head[9:12])
        named = head.lower().partition(b"\r\ncontent-length: ")[2]
        length = int(named.partition(b"\r\n")[0] or 0)
        if status in _NO_BODY or rest[:7] == b"HTTP/1." or not rest:
            length = 0
        body, rest = rest[:length], rest[length:]
        if len(body) != length:
            raise BrokenAnswerError(head[:200])
        answers.append(Answer(status=status, head=head, body=body))
    return answers


def check_answers(received: bytes) -> list[Answer]:
    """Return the answers in *received* when an anonymous client may get them.

    Raises:
        AssertionError: One of them lets a request pass, quotes a secret, admits a fault
            of ours, or is no answer.
    """
    assert SECRET not in received, "an answer quotes the cookie"
    answers = read_answers(received)
    for answer in answers:
        assert answer.status in _STATUSES | {100}, answer.head
        assert IDENTITY not in answer.head.lower(), answer.head
        if answer.status >= 400:
            lowered = answer.head.lower()
            assert b"\r\ncache-control: no-store" in lowered, answer.head
    return answers
