"""What a page can be told: the states that its texts are written for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from forwardauth.sessions.ids import Handle
from forwardauth.web.devices import Device

DEFAULT_TITLE: Final = "Sign in"
"""The title that is no name of a site."""

_LARGEST_COUNT: Final = 90


class LoginFailure(StrEnum):
    """Why the login page is shown again."""

    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"


class EndedScope(StrEnum):
    """What a logout has ended, as the logout page states it.

    ``BROWSER`` is the session of this browser, ``USER`` every session of the user.
    ``NOTHING`` claims no logout: this browser had no session.
    """

    BROWSER = "browser"
    USER = "user"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is signed in where an error page is shown.

    Attributes:
        username: As in the users file.
        logout_url: Signs out.
        switch_url: Signs out, and leads to the sign-in form.
    """

    username: str
    logout_url: str
    switch_url: str


class ErrorKind(StrEnum):
    """The texts of the error page; the statuses they go with are in brackets."""

    BAD_REQUEST = "bad_request"  # 400
    UNKNOWN_HOST = "unknown_host"  # 400, the host is below no cookie domain
    FORM_EXPIRED = "form_expired"  # 403, no valid CSRF token
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not_found"  # 404
    METHOD_NOT_ALLOWED = "method_not_allowed"  # 405
    TOO_LARGE = "too_large"  # 413
    UNSUPPORTED_TYPE = "unsupported_type"  # 415
    THROTTLED = "throttled"  # 429
    INTERNAL = "internal"  # 500
    UNAVAILABLE = "unavailable"  # 503


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One line of "my sessions".

    Attributes:
        handle: What ends it.
        created: When the user signed in, aware.
        seen: Last recorded use, aware.
        address: The client's, at login.
        user_agent: The client's, at login, as sent.
        device: What that says, for people.
        domains: The cookie domains that it reaches.
        is_current: Whether it is the session that asks.
        remembered: Whether the user asked to stay signed in.
    """

    handle: Handle
    created: datetime
    seen: datetime
    address: str
    user_agent: str
    device: Device
    domains: tuple[str, ...]
    is_current: bool
    remembered: bool


def round_up(wait: timedelta) -> timedelta:
    """Return *wait* in whole seconds up to 90, in whole minutes up to 90, or hours."""
    for unit in (timedelta(seconds=1), timedelta(minutes=1)):
        count = max(1, -(-wait // unit))
        if count <= _LARGEST_COUNT:
            return count * unit
    return -(-wait // timedelta(hours=1)) * timedelta(hours=1)
