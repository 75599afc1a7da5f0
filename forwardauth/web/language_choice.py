"""The language that a browser gets: the one that was chosen in it, else by its wish.

The switch keeps the choice in a cookie of the portal's host, so pages that are shown on
a protected host go by what the browser prefers.

Law: the cookie says one of the languages that are offered, which tells no two people
apart. Whatever else it holds is no choice.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from forwardauth.adapters.headers import HeaderSource
from forwardauth.domains import CookieDomain
from forwardauth.language_tags import negotiate
from forwardauth.web.cookies import HOST_PREFIX, language_cookie, read_cookies

LIFETIME: Final = timedelta(days=365)
"""How long a browser keeps the choice."""


class LanguageChoice:
    """The languages that are offered, and which of them a request gets."""

    def __init__(self, offered: Sequence[str], *, cookie_name: str) -> None:
        """Offer *offered*; the first one is for who wants none of them.

        Args:
            offered: At least one tag of ``LANGUAGES``.
            cookie_name: Name of the session cookie; that of the choice starts with it.
        """
        self.offered = tuple(offered)
        self._cookie_name = cookie_name

    def get(self, headers: HeaderSource) -> str:
        """Return the tag for a request with these header fields."""
        return self._lookup_chosen(headers) or negotiate(
            ", ".join(headers.getall("Accept-Language", [])), self.offered
        )

    def set_line(self, tag: str, domain: CookieDomain) -> str:
        """Return the ``Set-Cookie`` line that keeps *tag*, a member of *offered*."""
        shape = language_cookie(self._cookie_name, domain)
        return shape.set_line(tag, max_age=LIFETIME)

    def _lookup_chosen(self, headers: HeaderSource) -> str | None:
        """Return the one choice; two that differ are none.

        The name with the prefix comes first: no sibling host can plant that one.
        """
        name = f"{self._cookie_name}_language"
        for each in (HOST_PREFIX + name, name):
            values = read_cookies(headers, each)
            if len(values) == 1 and values[0] in self.offered:
                return values[0]
        return None
