"""The parent domains that people sign in on, and the portal of each.

A *cookie domain* is the parent domain that the session cookie is set for. Requests
choose their cookie domain by their host; the first one configured is the home.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Scheme, host and port; two origins are equal when a browser says so.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case, without port.
        port: ``None`` for the scheme's default port, never that port itself.
    """

    scheme: str
    host: str
    port: int | None = None

    @property
    def effective_port(self) -> int:
        """The port that is connected to."""
        return DEFAULT_PORTS[self.scheme] if self.port is None else self.port

    def __str__(self) -> str:
        """Return the origin as the ``Origin`` header spells it."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieDomain:
    """One parent domain with its portal.

    Attributes:
        name: Lower case, without leading dot, for instance ``example.com``.
        portal: Where people sign in; its host is at or below *name*.
        base_path: Empty, or starts with ``/`` and does not end with one.
    """

    name: str
    portal: Origin
    base_path: str = ""

    def covers(self, host: str) -> bool:
        """Whether *host* (lower case, no port) is this domain or dot-bounded below."""
        return host == self.name or host.endswith("." + self.name)

    def portal_url(self, path: str) -> str:
        """Return the absolute URL of *path*, which starts with ``/``, on the portal."""
        return f"{self.portal}{self.base_path}{path}"

    @property
    def is_secure(self) -> bool:
        """Whether cookies carry ``Secure``; only ``*.localhost`` may go without."""
        return self.portal.scheme == "https"


@dataclass(frozen=True, kw_only=True)
class CookieDomains:
    """All configured cookie domains, none nested in another, at least one."""

    entries: tuple[CookieDomain, ...]

    @property
    def home(self) -> CookieDomain:
        """The first one: where a login on another domain is asked for."""
        return self.entries[0]

    @cached_property
    def _by_name(self) -> dict[str, CookieDomain]:
        return {entry.name: entry for entry in self.entries}

    def lookup(self, host: str) -> CookieDomain | None:
        """Return the domain that *host* (lower case, no port) is at or below.

        Costs one dictionary look-up for each label of *host*.
        """
        name = host
        while name:
            found = self._by_name.get(name)
            if found is not None:
                return found
            _, _, name = name.partition(".")
        return None
