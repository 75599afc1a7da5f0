"""The identity headers: under which names an application is told who asks, and how.

    Remote-User: zoë                letters beyond ASCII are the bytes of UTF-8
    Remote-Groups: admins,staff     sorted, separated by commas; no name holds one
    Remote-Name: Zoë Example
    Remote-Email:                   what is not known is sent as empty

Laws: all four are always sent, since some proxies let the client's own copy through
where one is missing (CVE-2026-30851). What arrives is what was meant, byte for byte: a
value that a header line would end, trim or merge is refused, never mended or cut.
"""

import re
from dataclasses import dataclass
from typing import Final

from forwardauth.errors import UnfitIdentityError
from forwardauth.request import Subject

MAX_VALUE_BYTES: Final = 4096
"""The longest value. Proxies hold all header lines of an answer in 8 to 32 kB."""

MAX_TOTAL_BYTES: Final = 8192
"""The longest that the four values may be together."""

_BREAKS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line separators, lone surrogates: none fits a line of UTF-8."""

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityHeaders:
    """The names of the four headers, which differ in more than case."""

    user: str = "Remote-User"
    groups: str = "Remote-Groups"
    name: str = "Remote-Name"
    email: str = "Remote-Email"

    @property
    def names(self) -> tuple[str, str, str, str]:
        """All four, in the order in which they are sent."""
        return self.user, self.groups, self.name, self.email

    def lines(self, subject: Subject) -> Lines:
        """Return the four header lines that tell who *subject* is.

        Raises:
            UnfitIdentityError: A value holds a control character or space around it, a
                group is empty or holds a comma, a value is above 4096 bytes, or all are
                above 8192 bytes. The request must not pass.
        """
        for group in subject.groups:
            _check_group(self.groups, group)
        lines = (
            (self.user, subject.username),
            (self.groups, ",".join(sorted(subject.groups))),
            (self.name, subject.display_name),
            (self.email, subject.email),
        )
        total = 0
        for name, value in lines:
            total += _check_value(name, value)
        if total > MAX_TOTAL_BYTES:
            raise UnfitIdentityError(
                "identity_too_long",
                f"{total} bytes of identity are more than {MAX_TOTAL_BYTES}",
            )
        return lines


def _check_group(header: str, group: str) -> None:
    if not group or "," in group or group != group.strip():
        raise UnfitIdentityError(
            "identity_unsafe",
            f"{header}: a group is empty, holds a comma or has space around it",
        )


def _check_value(header: str, value: str) -> int:
    """Return how many bytes *value* is long when a header line can carry it."""
    if _BREAKS.search(value) or value != value.strip():
        raise UnfitIdentityError(
            "identity_unsafe",
            f"{header}: holds a control character or has space around it",
        )
    size = len(value.encode())
    if size > MAX_VALUE_BYTES:
        raise UnfitIdentityError(
            "identity_too_long",
            f"{header}: is {size} bytes long, more than {MAX_VALUE_BYTES}",
        )
    return size
