"""What a password that a user chooses has to be: long enough, and hard to guess.

How hard it is to guess is told by zxcvbn, which knows common passwords, words, names,
dates and keyboard patterns, rather than by counting kinds of characters.

Law: what is known of the user counts as known to who guesses.
Source: NIST SP 800-63B-4 3.1.1.2 (length, a list of what is common or expected, and no
rules of composition).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from forwardauth.users.model import User
from forwardauth.users.passwords import secret_of

BEST_SCORE: Final = 4
"""The scores are 0 (guessed at once) to 4 (out of reach of who has stolen the hash)."""

MOST_MIN_LENGTH: Final = 128
"""What a policy can ask for, in characters: more fits into no manager's form."""

_JUDGED_CHARACTERS: Final = 32
"""Judging takes more than the square of the length; what is good so far stays good."""

_DISGUISES: Final = frozenset("([{<!|@$+%")
_MOST_DISGUISES: Final = 4
_CHARACTERS_BEYOND: Final = 16
"""What is judged of a password with more: every way to read all of them as letters is
tried on every part of it, hundreds of ways, and none of them is common."""

_WORDS: Final = re.compile(r"\w+")


class Weakness(StrEnum):
    """Why a password will not do."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_EASY = "too_easy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a password is worth.

    Attributes:
        score: 0 to ``BEST_SCORE``.
        weakness: ``None`` when the policy takes it.
    """

    score: int
    weakness: Weakness | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """What is asked of a new password.

    Attributes:
        min_length: In characters, 1 to ``MOST_MIN_LENGTH``.
        min_score: 0 to ``BEST_SCORE``; 0 leaves it at the length.
        known: What a guesser tries first, whose password it may be: names of the site.
    """

    min_length: int = 8
    min_score: int = 3
    known: tuple[str, ...] = ()

    def judge(self, password: str, *, user: User | None = None) -> Judgement:
        """Return what *password* is worth.

        It takes some milliseconds, and some hundred the first time: call it off the
        event loop.

        Args:
            password: As typed; any text.
            user: Whose it is to be; the names of that user count as known, too.
        """
        secret = secret_of(password)
        if secret is None:
            return Judgement(score=0, weakness=Weakness.TOO_LONG)
        text = secret.decode()
        known = () if user is None else words_of(*_names_of(user))
        score = _score(_judged_part(text), (*self.known, *known))
        if len(text) < self.min_length:
            return Judgement(score=score, weakness=Weakness.TOO_SHORT)
        is_easy = score < self.min_score
        return Judgement(score=score, weakness=Weakness.TOO_EASY if is_easy else None)


def words_of(*texts: str) -> tuple[str, ...]:
    """Return *texts* and the words in them, each once."""
    words = (word for text in texts for word in (text, *_WORDS.findall(text)))
    return tuple(dict.fromkeys(word for word in words if word))


def _names_of(user: User) -> tuple[str, ...]:
    return (user.username, user.display_name, user.email, *user.groups)


def _judged_part(text: str) -> str:
    """Return the beginning of *text* that is judged within a moment.

    The meter asks again and again, by the threads that signing in waits for.
    """
    part = text[:_JUDGED_CHARACTERS]
    is_hidden = len(_DISGUISES.intersection(part)) > _MOST_DISGUISES
    return part[:_CHARACTERS_BEYOND] if is_hidden else part


def _score(text: str, known: Sequence[str]) -> int:
    if not text:
        return 0
    # Its word lists take 15 MB and a tenth of a second: for whom changes a password.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    return int(zxcvbn(text, user_inputs=list(known))["score"])
