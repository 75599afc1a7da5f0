"""The headers that one adapter goes by: each exactly once, and under one name.

Laws: a header of the family is there once, or the request is refused; the first of
several is never taken. A header that is called almost like one of them, or like an
identity header, refuses the request: this program tells the two apart, and the one that
comes after it may not (CVE-2026-39858, CVE-2025-64484).

    X_Forwarded_Host   X.Forwarded.Host   Remote_User      refused, as ``header_alias``
    x-forwarded-host   REMOTE-USER                         the names themselves
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from forwardauth.adapters.headers import (
    X_FORWARDED_FOR,
    HeaderSource,
    PlainHeaders,
    get_header,
)
from forwardauth.errors import ProxyRequestError

_FOLD: Final = str.maketrans(dict.fromkeys("!#$%&'*+.^_`|~", "-"))
"""Every mark that a header name may hold (RFC 9110 5.6.2) is a hyphen here. CGI and
what descends from it tell hyphen and underscore apart no more (RFC 3875 4.1.18); some
servers write an underscore for each mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLine:
    """Where a proxy configuration of ours sets a header.

    Attributes:
        file: Below the top of the repository.
        text: The line, or the part that matters; several spaces in it are one.
    """

    file: str
    text: str

    def __str__(self) -> str:
        """Return half a sentence, for who sets up the proxy."""
        return f"{self.file} sets it with `{self.text}`"


class HeaderFamily:
    """Reads the headers of one adapter and refuses what could pass for one."""

    def __init__(
        self, proxy: str, sources: Mapping[str, ShippedLine], *, identity: Iterable[str]
    ) -> None:
        """Keep what is read, and what nothing may be called almost like.

        Args:
            proxy: The adapter's name, which its page in ``docs/proxies`` has too.
            sources: For each header of the family, in the order in which they are
                read, the line that sets it.
            identity: Names of the identity headers.
        """
        self._proxy = proxy
        self._hints = {name: str(line) for name, line in sources.items()}
        guarded = (*sources, X_FORWARDED_FOR, *identity)
        self._names = {name.lower(): name for name in guarded}

    def read(self, headers: HeaderSource) -> dict[str, str]:
        """Return the value of each header of the family by its name.

        Raises:
            ProxyRequestError: One is missing, empty or repeated; the message has the
                line that sets it. Or a header is an alias of one of them, of
                ``X-Forwarded-For`` or of an identity header.
        """
        # Nearly every request has plain names alone, and is done with after one look.
        if not have_plain_names(headers):
            self._check_aliases(headers)
        return {
            name: get_header(headers, name, hint=hint)
            for name, hint in self._hints.items()
        }

    def _check_aliases(self, headers: HeaderSource) -> None:
        for name in headers:
            if _is_plain(name):
                continue
            meant = self._names.get(name.lower().translate(_FOLD))
            if meant is not None:
                raise ProxyRequestError(
                    name,
                    "header_alias",
                    f"could be taken for {meant}; the proxy has to drop it, see"
                    f" docs/proxies/{self._proxy}.md",
                )


def have_plain_names(headers: HeaderSource) -> bool:
    """Whether no name in *headers* could be an alias of another."""
    return isinstance(headers, PlainHeaders) or _is_plain("".join(headers))


def _is_plain(name: str) -> bool:
    """Whether *name* has no mark but hyphens, and so is nothing but itself."""
    return name.replace("-", "").isalnum()
