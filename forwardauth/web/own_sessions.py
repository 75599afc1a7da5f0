"""The sessions of the one who asks, and their end: for the page and for JSON alike.

Laws: the sessions of one login end together. Who ends the current one is signed out as
by a logout. What the store did not confirm is never told as done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, log_name
from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from forwardauth.web.forwarded import lookup_browser_address
from forwardauth.web.identity import Identity
from forwardauth.web.own_logins import is_current
from forwardauth.web.termination import Termination, cleared_cookies

PENDING_ELSEWHERE: Final = (
    "the session store does not answer: the session is refused here already, and will "
    "be ended on the server as soon as it does"
)
"""For the end of another session; ``termination`` has the words for one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What was ended.

    Attributes:
        is_current: Whether the session that asked is among it.
        termination: Its result; it clears cookies where *is_current*.
    """

    is_current: bool
    termination: Termination


async def end_one(
    request: web.Request, domain: CookieDomain, identity: Identity, handle: str
) -> Ending | None:
    """End the session of that *handle* with those linked to it.

    Returns:
        ``None`` when *identity* has no such session.

    Raises:
        StoreUnavailableError: It could not be looked for; nothing has ended.
    """
    live = identity.live
    if handle != live.session.handle:
        found = await request.app[keys.SESSIONS].list_user(identity.user.username)
        named = [each for each in found if each.session.handle == handle]
        if not named:
            return None
        if not is_current(named[0].session, identity):
            live = named[0]
        # Else the one that asks: its cookie is to be refused in an outage, too.
    ended = await request.app[keys.REVOKER].revoke_session(
        live.session, live.digest, cause=EndCause.REVOKED
    )
    return _ending(
        request,
        domain,
        "one",
        identity,
        is_current=live is identity.live,
        is_pending=ended.is_pending,
        count=len(ended.sessions),
    )


async def end_others(
    request: web.Request, domain: CookieDomain, identity: Identity
) -> Ending:
    """End all sessions of *identity* but the current one.

    Raises:
        StoreUnavailableError: Some may be left, and nobody will end them unasked.
    """
    ended = await request.app[keys.REVOKER].revoke_user(
        identity.user.username,
        cause=EndCause.REVOKED,
        keep_login=identity.live.session.login,
    )
    return _ending(
        request,
        domain,
        "others",
        identity,
        is_current=False,
        is_pending=False,
        count=len(ended),
    )


async def end_all(
    request: web.Request, domain: CookieDomain, identity: Identity
) -> Ending:
    """End all sessions of *identity*, the current one first."""
    live = identity.live
    ended = await request.app[keys.REVOKER].revoke_session(
        live.session, live.digest, cause=EndCause.REVOKED, is_for_user=True
    )
    return _ending(
        request,
        domain,
        "all",
        identity,
        is_current=True,
        is_pending=ended.is_pending,
        count=len(ended.sessions),
    )


async def end_all_unseen(
    request: web.Request, domain: CookieDomain, digests: Iterable[Digest]
) -> Ending:
    """End all sessions of whoever *digests* belong to: nobody can look that up.

    For an outage: who asked to be signed out everywhere is refused here from now on.

    Raises:
        StoreUnavailableError: The store is back, and knows none of them: of which user
            all were to end, nobody can tell.
    """
    is_pending, count = False, 0
    for digest in digests:
        ended = await request.app[keys.REVOKER].revoke_digest(
            digest, cause=EndCause.REVOKED, is_for_user=True
        )
        is_pending = is_pending or ended.is_pending
        count += len(ended.sessions)
    if not is_pending and not count:
        raise StoreUnavailableError("the session store did not answer at first")
    return _ending(
        request,
        domain,
        "all",
        None,
        is_current=True,
        is_pending=is_pending,
        count=count,
    )


def _ending(
    request: web.Request,
    domain: CookieDomain,
    which: str,
    identity: Identity | None,
    *,
    is_current: bool,
    is_pending: bool,
    count: int,
) -> Ending:
    """Tell the audit log who ended what, and return it."""
    trusted = request.app[keys.SETTINGS].trusted_proxies
    request.app[keys.AUDIT].sessions_revoked(
        which,
        result="pending" if is_pending else "done",
        ended=count,
        user=None if identity is None else identity.user.username,
        session=None if identity is None else log_name(identity.live.digest),
        address=lookup_browser_address(request, trusted),
    )
    cookies = cleared_cookies(request, domain, domain.portal.host) if is_current else ()
    termination = Termination(is_pending=is_pending, count=count, cookies=cookies)
    return Ending(is_current=is_current, termination=termination)
