"""What a client sends to be taken for somebody else, and how that is known again.

    REMOTE-USER: …            an identity header, whatever it is called in `headers`; in
    REMOTE-USER: …            another case and twice, for who removes one spelling alone
    Remote_User, Remote.User  another header to most proxies, the same one to many
                              applications; in a request of their own, since the service
                              refuses those that ask with them

Law: each line has a value of its own, so that whatever shows values tells which of the
lines have come through.
"""

from dataclasses import dataclass, field
from secrets import token_hex

from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    X_ORIGINAL_METHOD,
    X_ORIGINAL_URL,
)
from forwardauth.doctor.exchange import NAVIGATION, Headers
from forwardauth.domains import CookieDomain

_MARK_HEADER = "Forwardauth-Doctor-Mark"
"""Passes every proxy, so an application that shows its headers shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """One request that claims to come from somebody.

    Attributes:
        names: Of the headers that claim it, in the order of their lines.
        mark: What it is known by.
    """

    names: tuple[str, ...]
    mark: str = field(default_factory=lambda: token_hex(8))

    def lines(self) -> Headers:
        """Return the headers of a navigation, the mark, and what is claimed."""
        return (
            *NAVIGATION,
            (_MARK_HEADER, f"seen-{self.mark}"),
            *((name, self._value(n)) for n, name in enumerate(self.names)),
        )

    def is_shown(self, body: bytes) -> bool:
        """Whether *body* shows the headers that reached the application."""
        return f"seen-{self.mark}".encode() in body

    def names_in(self, body: bytes) -> list[str]:
        """Return the headers that reached the application, as *body* tells."""
        reached = (
            name
            for number, name in enumerate(self.names)
            if self._value(number).encode() in body
        )
        return list(dict.fromkeys(reached))

    def _value(self, number: int) -> str:
        return f"forged-{self.mark}-{number:02}"


def forge(names: tuple[str, ...]) -> Forgery:
    """Return the claim by *names*, the identity headers."""
    return Forgery(names=tuple(map(str.upper, names)) * 2)


def forge_aliases(names: tuple[str, ...]) -> Forgery:
    """Return the claim by what applications take for *names*; maybe by nothing."""
    spellings = (
        spelling
        for name in names
        for spelling in (
            name.replace("-", "_"),
            name.replace("-", "_", 1),
            name.replace("-", "."),
        )
    )
    others = dict.fromkeys(each for each in spellings if each not in names)
    return Forgery(names=tuple(others))


def misleading_lines(domain: CookieDomain, mark: str) -> Headers:
    """Return the headers by which a client asks about another host of *domain*."""
    host = f"{mark}.{domain.name}"
    return (
        (X_FORWARDED_HOST, host),
        (X_FORWARDED_URI, f"/{mark}"),
        (X_FORWARDED_PROTO, "https"),
        (X_FORWARDED_METHOD, "HEAD"),
        (X_ORIGINAL_URL, f"https://{host}/{mark}"),
        (X_ORIGINAL_METHOD, "HEAD"),
    )
