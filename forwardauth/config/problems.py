"""What is wrong with a configuration, where it stands, and what to do about it.

Law: reading never stops at the first mistake. Everything found is gathered in one
``Findings``, and a single ``ConfigError`` carries all of it. No message ever holds the
value of a key that may be secret, and none of another key unmasked; see ``masking``.
"""

from dataclasses import dataclass, field
from pathlib import Path

from forwardauth.errors import ConfigError
from forwardauth.masking import mask_text

_LONGEST_QUOTE = 80
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value was written.

    Attributes:
        key: Dotted path; entries of a list by their index from 0, as in
            ``cookies.0.domain``. Empty for the file as a whole.
        source: The file as it was named, or the environment variable.
        line: From 1; ``None`` outside a file.
    """

    key: str = ""
    source: str = ""
    line: int | None = None

    def below(self, name: str) -> "Place":
        """Return the place of the key *name* inside this one, on the same line.

        Of a value that ended up where a key belongs, nothing secret is kept.
        """
        name = mask_text(name)
        key = f"{self.key}.{name}" if self.key else name
        return Place(key=key, source=self.source, line=self.line)

    def __str__(self) -> str:
        """Return ``config.yaml:12: session.store``, leaving out what is unknown."""
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (where, self.key) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, or one thing that works but is seldom meant.

    Attributes:
        place: Where it stands.
        reason: What is wrong: lower case, no full stop.
        remedy: What to do about it, in the imperative.
    """

    place: Place
    reason: str
    remedy: str

    def __str__(self) -> str:
        """Return ``place: reason; remedy``, on one line."""
        return f"{self.place}: {self.reason}; {self.remedy}"


class RefusedValueError(ValueError):
    """A text is not a value of its key; the section that reads it notes a problem."""

    def __init__(self, reason: str, remedy: str) -> None:
        """Keep *reason* and *remedy*, both as in ``Problem``."""
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects problems, which stop the start, and warnings, which do not."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def refuse(self, place: Place, reason: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(place=place, reason=reason, remedy=remedy))

    def warn(self, place: Place, reason: str, remedy: str) -> None:
        """Note a warning."""
        self.warnings.append(Problem(place=place, reason=reason, remedy=remedy))

    def is_sound(self, key: str) -> bool:
        """Whether nothing is wrong with *key*, nor with anything below it."""
        below = f"{key}."
        keys = (problem.place.key for problem in self.problems)
        return not any(each == key or each.startswith(below) for each in keys)

    def is_told(self, place: Place) -> bool:
        """Whether a problem at exactly *place* has been noted."""
        return any(problem.place == place for problem in self.problems)

    def problems_in_order(self) -> tuple[Problem, ...]:
        """Return every problem, in the order in which ``check`` tells them."""
        return _in_order(self.problems)

    def check(self) -> tuple[Problem, ...]:
        """Return the warnings when there is no problem.

        Raises:
            ConfigError: Carries every problem, in the order of the file's lines, those
                of the environment last.
        """
        if self.problems:
            raise ConfigError(_in_order(self.problems))
        return _in_order(self.warnings)


def _position(problem: Problem) -> tuple[bool, int]:
    line = problem.place.line
    return line is None, line or 0


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=_position))


def quote(text: str) -> str:
    """Return *text* for a message: masked, in quotes, escaped, cut at 80 characters."""
    shown = mask_text(text)
    cut = shown if len(shown) <= _LONGEST_QUOTE else shown[:_LONGEST_QUOTE] + "…"
    return ascii(cut) if not cut.isprintable() else f"'{cut}'"


def show_path(path: Path) -> str:
    """Return *path* for a message: masked, escaped where needed, its end when long."""
    text = mask_text(str(path))
    cut = text if len(text) <= _LONGEST_PATH else "…" + text[-_LONGEST_PATH:]
    return cut if cut.isprintable() else ascii(cut)
