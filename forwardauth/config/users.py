"""``users``: where the users are kept, and what they may choose as a password."""

import re
from pathlib import Path
from typing import Final

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import UsersSettings
from forwardauth.config.section import Section
from forwardauth.users.policy import BEST_SCORE, MOST_MIN_LENGTH

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)


def read_users(section: Section) -> UsersSettings:
    """Return the settings of ``users``, noting what is wrong with them."""
    return UsersSettings(
        file=section.path("file") or Path(),
        min_password_length=section.text("min_password_length", parse_min_length),
        min_password_score=section.text("min_password_score", parse_min_score),
    )


def parse_min_length(text: str) -> int:
    """Return how many characters a new password needs.

    Raises:
        RefusedValueError: No number from 1 to ``MOST_MIN_LENGTH``.
    """
    return _parse_number(text, "a length", 1, MOST_MIN_LENGTH)


def parse_min_score(text: str) -> int:
    """Return the score that a new password needs.

    Raises:
        RefusedValueError: No number from 0 to ``BEST_SCORE``.
    """
    return _parse_number(text, "a score", 0, BEST_SCORE)


def _parse_number(text: str, what: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise RefusedValueError(
            f"{quote(text)} is not {what} of a password",
            f"write a number from {least} to {most}",
        )
    return int(text)
