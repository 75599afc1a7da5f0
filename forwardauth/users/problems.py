"""A mistake in the users file: where it stands, what it is, what to do about it."""

from dataclasses import dataclass

from forwardauth.masking import mask_text

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, as ``ConfigError`` carries them.

    Attributes:
        place: The file, and the line where one is known: ``users.yaml:7``.
        reason: What is wrong: lower case, no full stop.
        remedy: What to do about it, in the imperative.
    """

    place: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        """Return ``place: reason; remedy``, on one line."""
        return f"{self.place}: {self.reason}; {self.remedy}"


class RefusedValueError(ValueError):
    """A text is not a value of its field."""

    def __init__(self, reason: str, remedy: str) -> None:
        """Keep *reason* and *remedy*, both as in ``Problem``."""
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")


def quote(text: str) -> str:
    """Return *text* for a message: masked, in quotes, escaped, cut at 80 characters."""
    shown = mask_text(text)
    cut = shown if len(shown) <= _LONGEST_QUOTE else shown[:_LONGEST_QUOTE] + "…"
    return f"'{cut}'" if cut.isprintable() else ascii(cut)
