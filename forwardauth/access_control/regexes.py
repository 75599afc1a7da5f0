"""Regular expressions of rules: the one place that knows their engine.

RE2 matches in time linear in the text, whatever the expression, so that no request can
be made that takes a rule minutes to read. What cannot be done so, lookaround and
backreferences, RE2 does not compile.

Law: an expression matches a whole value or does not match. A rule for ``/admin`` must
not be one for ``/x?back=/admin``. Source: CVE-2025-54576.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import re2

_PATH_START = b"/"
_GROUP_OF_SUBJECT = re.compile(r"\(\?P?<(?:User|Group)>")


@dataclass(frozen=True, slots=True)
class Regex:
    """An expression that has been compiled; equal to another of the same text.

    Attributes:
        text: As it was written.
        ignores_case: Whether letters match in either case.
    """

    text: str
    ignores_case: bool = False
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile.

        Raises:
            ValueError: RE2 does not read it; says why.
        """
        compiled = _compile(self.text, ignores_case=self.ignores_case)
        object.__setattr__(self, "_compiled", compiled)

    def __reduce__(self) -> tuple[type["Regex"], tuple[str, bool]]:
        """Return what to compile it from again, in another process."""
        return Regex, (self.text, self.ignores_case)

    def matches(self, value: str) -> bool:
        """Whether the whole of *value* matches; a dot is any character."""
        # As bytes: nobody asks where it matched, and places in text cost more than it.
        return self._compiled.fullmatch(value.encode()) is not None

    @property
    def can_match_path(self) -> bool:
        """Whether some match starts with ``/``, as every path does."""
        anchored = _compile(f"^(?:{self.text})", ignores_case=self.ignores_case)
        low, high = anchored.possiblematchrange(1)
        return bool(low[:1] <= _PATH_START <= high[:1])

    @property
    def names_subject(self) -> bool:
        """Whether a group is called ``User`` or ``Group``.

        Authelia compares what such a group matched with whoever asks; we do not.
        """
        return _GROUP_OF_SUBJECT.search(self.text) is not None

    def __str__(self) -> str:
        """Return the expression as it was written."""
        return self.text


def _compile(text: str, *, ignores_case: bool) -> Any:
    options = re2.Options()
    # Otherwise RE2 writes to standard error by itself.
    options.log_errors = False
    options.never_capture = True
    options.dot_nl = True
    options.case_sensitive = not ignores_case
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as exc:
        raise ValueError(_explain(exc)) from exc


def _explain(exc: Exception) -> str:
    said = exc.args[0]
    message = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(exc)
    if "invalid perl operator: (?" in message:
        return f"{message}, which is no part of RE2: it has no lookaround"
    if re.search(r"invalid escape sequence: \\[0-9]", message):
        return f"{message}, which is no part of RE2: it has no backreferences"
    return message
