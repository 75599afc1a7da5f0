"""Our cookies: read from a request, set, and cleared.

Laws: one function builds the line that sets a cookie and the line that clears it, so
that their attributes cannot drift apart. Every line is a ``Set-Cookie`` header of its
own. All values of a name are read, from every ``Cookie`` header, since a sibling host
can plant one; nobody may rely on their order.

Source: RFC 6265bis 5.7 (a cookie is replaced only by one of the same name, domain,
host-only flag and path), 4.2 (several headers), 4.1.3 (prefixes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from forwardauth.adapters.headers import HeaderSource
from forwardauth.domains import CookieDomain

_PAST: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
HOST_PREFIX: Final = "__Host-"
"""Of a name that browsers take from the host itself alone, over https."""

_SECURE_PREFIXES: Final = ("__Secure-", HOST_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieShape:
    """Name and attributes of a cookie, whatever its value.

    Attributes:
        name: As configured, prefix included.
        is_secure: Whether it carries ``Secure``.
        same_site: ``Lax`` or ``Strict``; never ``None``, by whose deletion a page of
            another site could sign people out.
        domain: Parent domain that it is sent to, ``None`` for this host only.
    """

    name: str
    is_secure: bool
    same_site: str
    domain: str | None = None

    def set_line(self, value: str, *, max_age: timedelta | None) -> str:
        """Return the header value that sets the cookie.

        Args:
            value: Cookie octets of RFC 6265, not quoted.
            max_age: ``None`` for a cookie that goes when the browser closes.
        """
        seconds = None if max_age is None else int(max_age.total_seconds())
        return self._line(value, seconds, expires=None)

    def clear_line(self) -> str:
        """Return the header value that makes a browser forget the cookie."""
        return self._line("", 0, expires=_PAST)

    def _line(self, value: str, max_age: int | None, *, expires: str | None) -> str:
        parts = [f"{self.name}={value}", "Path=/"]
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        if max_age is not None:
            parts.append(f"Max-Age={max_age}")
        if expires is not None:
            parts.append(f"Expires={expires}")
        if self.is_secure:
            parts.append("Secure")
        parts += ["HttpOnly", f"SameSite={self.same_site}"]
        return "; ".join(parts)


def session_cookie(name: str, domain: CookieDomain, same_site: str) -> CookieShape:
    """Return the shape of the session cookie, which all hosts of *domain* share."""
    return CookieShape(
        name=name, is_secure=domain.is_secure, same_site=same_site, domain=domain.name
    )


def presession_cookie(name: str, domain: CookieDomain) -> CookieShape:
    """Return the shape of the pre-session cookie, for the portal's host alone.

    The prefix keeps sibling hosts from planting one; it needs ``Secure``, so a portal
    on ``*.localhost`` goes without.
    """
    return _host_cookie(f"{name}_login", domain)


def language_cookie(name: str, domain: CookieDomain) -> CookieShape:
    """Return the shape of the cookie that keeps a language, for the portal's host."""
    return _host_cookie(f"{name}_language", domain)


def _host_cookie(name: str, domain: CookieDomain) -> CookieShape:
    prefix = HOST_PREFIX if domain.is_secure else ""
    return CookieShape(
        name=f"{prefix}{name}", is_secure=domain.is_secure, same_site="Lax"
    )


def clear_lines(
    names: Sequence[str], domain: CookieDomain, same_site: str
) -> Iterator[str]:
    """Yield a line for each of *names* in each variant that the host could hold.

    Without ``Secure`` a browser ignores the line of a prefixed name altogether, so such
    a name has it on ``*.localhost`` too.

    Args:
        names: Of the session cookie, and of cookies that applications have set.
        domain: The cookie domain that the request's host is at or below.
        same_site: As at creation.
    """
    for name in names:
        variants = [None] if name.startswith(HOST_PREFIX) else [domain.name, None]
        for variant in variants:
            yield CookieShape(
                name=name,
                is_secure=domain.is_secure or name.startswith(_SECURE_PREFIXES),
                same_site=same_site,
                domain=variant,
            ).clear_line()


def read_cookies(headers: HeaderSource, name: str) -> tuple[str, ...]:
    """Return every value that the request gives for cookie *name*, each once.

    None is left out, however many there are: a logout that did not see a session would
    be told as done. The server bounds the headers; a look-up bounds what it considers.
    A value in double quotes is returned with them: ours are never quoted.
    """
    found: list[str] = []
    for header in headers.getall("Cookie", []):
        found += _values(header, name)
    return tuple(dict.fromkeys(found) if len(found) > 1 else found)


def _values(header: str, name: str) -> list[str]:
    """Return every value of cookie *name*; pairs without that text are skipped at once.

    A loop over all pairs would hold every other request up: a header has room for a
    hundred thousand of them.
    """
    values: list[str] = []
    end = -1
    while (found := header.find(name, end + 1)) >= 0:
        start = max(end, header.rfind(";", end + 1, found)) + 1
        end = header.find(";", found)
        if end < 0:
            end = len(header)
        key, separator, value = header[start:end].partition("=")
        if separator and key.strip(" \t") == name:
            values.append(value.strip(" \t"))
    return values
