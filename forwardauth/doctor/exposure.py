"""Whether strangers can ask verify itself, by way of the portal.

The portal is the whole service to the proxy, verify included. Headers make a question
of a request, and a proxy that passes on those of a client lets anybody ask what the
rules say of any address.
"""

from typing import Final

from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    X_ORIGINAL_METHOD,
    X_ORIGINAL_URL,
)
from forwardauth.doctor.case import Case
from forwardauth.doctor.exchange import NAVIGATION, Exchange, Reply
from forwardauth.doctor.findings import Finding, fail, ok
from forwardauth.doctor.proxies import Fault, guess_proxy, remedy_for
from forwardauth.doctor.verdicts import leads_to_login, message_of
from forwardauth.domains import CookieDomain

_ALLOWED: Final = 200
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_VERDICT: Final = "Cookie, Authorization"
"""What each verdict says in ``Vary``, and nothing else of ours."""


async def check_exposure(
    case: Case, exchange: Exchange, domain: CookieDomain
) -> Finding:
    """Return whether a question that comes from outside is answered."""
    check = f"verify at {domain.portal}"
    host = domain.portal.host
    questions: tuple[tuple[str, tuple[tuple[str, str], ...], Fault], ...] = (
        (
            "/verify/nginx",
            ((X_ORIGINAL_URL, f"https://{host}/"), (X_ORIGINAL_METHOD, "GET")),
            Fault.ORIGINAL_PASSED,
        ),
        (
            "/verify/traefik",
            (
                (X_FORWARDED_PROTO, "https"),
                (X_FORWARDED_HOST, host),
                (X_FORWARDED_URI, "/"),
                (X_FORWARDED_METHOD, "GET"),
            ),
            Fault.FORWARDED_PASSED,
        ),
    )
    for path, headers, fault in questions:
        url = domain.portal_url(path)
        reply = await exchange.send("GET", url, headers=(*NAVIGATION, *headers))
        if isinstance(reply, Reply) and _is_verdict(reply, domain):
            proxy = case.proxy or guess_proxy(reply.header("Server"))
            detail = f"whoever sends {headers[0][0]} is told what the rules say"
            return fail(check, detail, remedy_for(fault, proxy))
    return ok(check, "strangers get no answer")


def _is_verdict(reply: Reply, domain: CookieDomain) -> bool:
    """Whether *reply* tells what the rules say, and not that nobody understands."""
    if leads_to_login(reply, domain):
        return True
    is_ours = _VERDICT in reply.lines("Vary")
    if reply.status in {_ALLOWED, _UNAUTHORIZED}:
        return is_ours
    return is_ours and reply.status == _FORBIDDEN and not message_of(reply)
