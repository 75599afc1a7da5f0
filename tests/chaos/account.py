"""What was answered, to whom and when: the books of a run, from which all is judged.

Law: nothing is taken from the service's word but what it has acknowledged. A session
counts as ended from the answer to its logout on, and as alive until that was asked for.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is asked for."""

    VERIFY = "verify"
    LOGIN = "login"
    LOGOUT = "logout"


class Lost(StrEnum):
    """Why a request has no answer."""

    CONNECTION = "no connection"
    TIMEOUT = "no answer"


Status = int | Lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request and what came of it; times are of the monotonic clock."""

    kind: Kind
    began: float
    ended: float
    status: Status

    @property
    def is_good(self) -> bool:
        """Whether it is what a service without trouble answers."""
        return self.status == 200


@dataclass(slots=True, kw_only=True)
class Token:
    """A session, by its cookie.

    Attributes:
        value: Of the cookie.
        leaves: When its end was first asked for; ``None`` while it is to live.
        ended: When that was acknowledged, as done or as promised.
    """

    value: str
    leaves: float | None = None
    ended: float | None = None


class Account:
    """The books; written by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self.accepted_after_end: set[str] = set()
        """Sessions that passed after their end had been acknowledged."""

        self.denied_alive: set[str] = set()
        """Sessions that were told to sign in although nobody had ended them."""

        self.accepted_strangers = 0
        """Requests without a session that passed."""

    def note(self, answer: Answer) -> None:
        """Write down one answer."""
        with self._lock:
            self._answers.append(answer)

    def note_verify(self, token: Token | None, answer: Answer) -> None:
        """Write down what verify said about *token*, ``None`` for nobody's.

        Only the session of somebody who stays is among what is counted.
        """
        with self._lock:
            if token is None:
                self.accepted_strangers += answer.is_good
                return
            if token.ended is not None and token.ended < answer.began:
                if answer.is_good:
                    self.accepted_after_end.add(token.value)
                return
            if token.leaves is None:
                self._answers.append(answer)
                if answer.status == 401:
                    self.denied_alive.add(token.value)

    def answers(self, since: float, until: float) -> list[Answer]:
        """Return the answers to what was asked in a span of time."""
        with self._lock:
            return [each for each in self._answers if since <= each.began < until]

    def under_way(self, since: float, until: float) -> list[Answer]:
        """Return the answers to what was not over by *since*, and asked by *until*."""
        with self._lock:
            return [e for e in self._answers if e.ended > since and e.began < until]


def now() -> float:
    """Return the time by which all is written down."""
    return time.monotonic()


def statuses(answers: Iterable[Answer], kind: Kind) -> Counter[Status]:
    """Return how often each status was answered to requests of *kind*."""
    return Counter(each.status for each in answers if each.kind is kind)


def recovery_seconds(answers: Iterable[Answer], healed: float) -> Iterator[float]:
    """Yield for each kind after what time it was answered well, and well only.

    An infinite time for one that never was.
    """
    found = sorted((a for a in answers if a.began >= healed), key=lambda a: a.began)
    for kind in Kind:
        of_kind = [each for each in found if each.kind is kind]
        last_bad = max((e.began for e in of_kind if not e.is_good), default=healed)
        good = [each for each in of_kind if each.began >= last_bad and each.is_good]
        yield good[0].ended - healed if good else float("inf")
