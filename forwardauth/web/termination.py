"""What every logout has in common, whichever way it was asked for.

    revoke ─► clear cookies ─► check target ─► answer

Law: that order. No target, body, template or client can keep a session alive once its
end was asked for, and an end that the store did not confirm is never told as done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import SafeTarget, check_only_target
from forwardauth.sessions.ids import digests_of, log_name
from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, PortalUrl, ko, page, portal_url
from forwardauth.web.cookies import clear_lines, presession_cookie, read_cookies
from forwardauth.web.forwarded import lookup_browser_address
from forwardauth.web.preferences import language_of

PENDING_MESSAGE = (
    "this browser is signed out here, but the session store does not answer: "
    "the session on the server will be ended as soon as it does"
)

_MAX_TOLD: Final = 4
"""Sessions of one request that are named in the log; a browser presents one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """What was ended, and the lines that make the browser forget it.

    Attributes:
        is_pending: Whether the store has still to end something.
        count: How many sessions the store has ended.
        cookies: Values of ``Set-Cookie``.
        sessions: The sessions presented, in the form that logs may hold.
        username: Whose they were; ``None`` where the store did not tell.
    """

    is_pending: bool
    count: int
    cookies: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    username: str | None = None


async def terminate(
    request: web.Request, domain: CookieDomain, host: str
) -> Termination:
    """End what the request's cookies name, first of all and whatever follows.

    Args:
        request: Its cookies are those of the browser, through the proxy.
        domain: The cookie domain that *host* is at or below.
        host: The host that the browser asked.
    """
    settings = request.app[keys.SETTINGS]
    presented = read_cookies(request.headers, settings.cookie_name)
    ended = await request.app[keys.REVOKER].revoke(
        presented,
        cause=EndCause.USER,
        is_for_user=settings.logout.is_for_user,
    )
    return Termination(
        is_pending=ended.is_pending,
        count=len(ended.sessions),
        cookies=cleared_cookies(request, domain, host),
        sessions=tuple(map(log_name, digests_of(presented)))[:_MAX_TOLD],
        username=ended.sessions[0].username if ended.sessions else None,
    )


def cleared_cookies(
    request: web.Request, domain: CookieDomain, host: str
) -> tuple[str, ...]:
    """Return the lines by which a logout makes a browser forget, for *host*."""
    settings = request.app[keys.SETTINGS]
    same_site = settings.same_site
    lines = [*clear_lines([settings.cookie_name], domain, same_site)]
    if host == domain.portal.host:
        lines.append(presession_cookie(settings.cookie_name, domain).clear_line())
    lines += clear_lines(settings.logout.clear_cookies, domain, same_site)
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a logout leads.

    Attributes:
        url: Checked, or a page of ours.
        kind: ``accepted``, ``refused`` or ``none``, for the audit log and for JSON.
    """

    url: SafeTarget | PortalUrl
    kind: str


def choose_destination(
    request: web.Request, values: Sequence[str], domain: CookieDomain
) -> Destination:
    """Return the first that counts: a valid target, the default, a page of ours."""
    target, kind = lookup_target(request, values)
    if target is not None:
        return Destination(url=target, kind=kind)
    logout = request.app[keys.SETTINGS].logout
    if logout.default_target is not None:
        return Destination(url=logout.default_target, kind=kind)
    path = "/login" if logout.default_to_login else "/signed-out"
    return Destination(url=portal_url(domain, path), kind=kind)


def lookup_target(
    request: web.Request, values: Sequence[str]
) -> tuple[SafeTarget | None, str]:
    """Return the one valid target of a logout and what became of it, see ``kind``.

    A refused target is no error and is never shown; the log says why.
    """
    try:
        target = check_only_target(values, request.app[keys.SETTINGS].targets)
    except UnsafeTargetError as exc:
        request.app[keys.AUDIT].target_refused("logout", exc.reason, values[0])
        return None, "refused"
    return target, "none" if target is None else "accepted"


def clear_site_data(request: web.Request) -> tuple[tuple[str, str], ...]:
    """Return the ``Clear-Site-Data`` header of a logout, if the operator wants one.

    Its values are quoted strings; browsers ignore others without a word.
    Source: W3C Clear Site Data 3.1.
    """
    values = request.app[keys.SETTINGS].logout.clear_site_data
    if not values:
        return ()
    return (("Clear-Site-Data", ", ".join(f'"{value}"' for value in values)),)


def tell(
    request: web.Request,
    *,
    host: str,
    target: str,
    termination: Termination | None = None,
) -> None:
    """Write the audit line of a logout request.

    Args:
        request: Its address is told.
        host: The host that was asked.
        target: As ``Destination.kind``.
        termination: What was ended; ``None`` for a page that asks for confirmation.
    """
    trusted = request.app[keys.SETTINGS].trusted_proxies
    result = "confirm"
    if termination is not None:
        result = "pending" if termination.is_pending else "done"
    request.app[keys.AUDIT].logout_answered(
        result=result,
        ended=0 if termination is None else termination.count,
        user=None if termination is None else termination.username,
        sessions=() if termination is None else termination.sessions,
        address=lookup_browser_address(request, trusted),
        host=host,
        target=target,
    )


def pending_page(
    request: web.Request, termination: Termination, domain: CookieDomain
) -> web.Response:
    """Return 503: what is done, what is pending, and that it is being retried."""
    html = request.app[keys.PAGES].logout_pending(
        language=language_of(request),
        portal=domain.portal,
    )
    return page(
        html,
        status=503,
        cookies=termination.cookies,
        headers=(("Retry-After", str(RETRY_AFTER_SECONDS)),),
        origin=domain.portal,
    )


def pending_json(
    termination: Termination, headers: Sequence[tuple[str, str]] = ()
) -> web.Response:
    """Return the same as JSON."""
    return ko(
        PENDING_MESSAGE,
        status=503,
        data={"pending": True},
        cookies=termination.cookies,
        headers=(("Retry-After", str(RETRY_AFTER_SECONDS)), *headers),
    )
