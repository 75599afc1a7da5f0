"""What a proxy's answer tells of the verdict of verify behind it."""

from typing import Final
from urllib.parse import parse_qs

from forwardauth.doctor.exchange import Reply
from forwardauth.domains import CookieDomain

_REDIRECTS: Final = frozenset({302, 303})
_UNAUTHORIZED: Final = 401


def leads_to_login(reply: Reply, domain: CookieDomain) -> bool:
    """Whether *reply* sends a browser, or a program, to the login page of *domain*."""
    login = domain.portal_url("/login")
    if reply.status in _REDIRECTS:
        return reply.header("Location").partition("?")[0] == login
    is_told = _redirect_in(reply).partition("?")[0] == login
    return reply.status == _UNAUTHORIZED and is_told


def target_of(reply: Reply) -> str:
    """Return what the service was asked about, as its answer says."""
    location = reply.header("Location") or _redirect_in(reply)
    query = parse_qs(location.partition("?")[2])
    return "".join(query.get("rd", []))


def message_of(reply: Reply) -> str:
    """Return what an answer of ours says, empty for any other."""
    data = reply.data()
    return str(data.get("message", ""))[:300] if data.get("status") == "KO" else ""


def _redirect_in(reply: Reply) -> str:
    data = reply.data().get("data")
    return str(data.get("redirect", "")) if isinstance(data, dict) else ""
