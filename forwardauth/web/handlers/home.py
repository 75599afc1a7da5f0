"""The portal's front page: "my sessions" for who is signed in, else the login page."""

from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import CsrfError, StoreUnavailableError
from forwardauth.sessions.ids import Digest, digests_of
from forwardauth.sessions.model import Session
from forwardauth.web import keys
from forwardauth.web.answers import page, portal_url, see_other
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.cookies import read_cookies
from forwardauth.web.form_proof import check_own_form
from forwardauth.web.forms import Fields, read_form
from forwardauth.web.handlers.login import login_page
from forwardauth.web.identity import Identity
from forwardauth.web.linking import go_on, lacks_strict_cookie
from forwardauth.web.own_sessions import (
    PENDING_ELSEWHERE,
    Ending,
    end_all,
    end_all_unseen,
    end_one,
    end_others,
    is_current,
    list_own,
)
from forwardauth.web.pages import SessionRow
from forwardauth.web.preferences import language_of
from forwardauth.web.termination import clear_site_data, pending_page

OTHERS: Final = "others"
ALL: Final = "all"


async def home(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /``."""
    domain = get_portal(request)
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, "/"))
    identity = await lookup_identity(request, domain)
    if identity is None:
        return await login_page(request)
    found = await list_own(request, identity)
    token = request.app[keys.TOKENS].token_for_session(identity.live.digest)
    html = request.app[keys.PAGES].home(
        language=language_of(request),
        csrf_token=token,
        username=identity.user.username,
        display_name=identity.user.display_name,
        sessions=[_row(session, identity) for session in found],
        logout_action=domain.portal_url("/logout"),
    )
    return page(html, referrer="same-origin", origin=domain.portal)


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /sessions``: end one, all others or all, then show what is left."""
    domain = get_portal(request)
    form = await read_form(request)
    try:
        identity = await lookup_identity(request, domain)
    except StoreUnavailableError:
        digests = _proven_digests(request, domain, form)
        if form.only("end") != ALL or not digests:
            raise
        return _answer(request, domain, await end_all_unseen(request, domain, digests))
    if identity is None:
        return see_other(portal_url(domain, "/login"))
    token, wanted = form.only("csrf_token"), form.only("end")
    check_own_form(request, domain, token, session=identity.live.digest)
    if wanted == OTHERS:
        ending: Ending | None = await end_others(request, domain, identity)
    elif wanted == ALL:
        ending = await end_all(request, domain, identity)
    else:
        ending = await end_one(request, domain, identity, wanted)
    return _answer(request, domain, ending)


def _proven_digests(
    request: web.Request, domain: CookieDomain, form: Fields
) -> list[Digest]:
    """Return the sessions presented that the form was made for, live or not."""
    name = request.app[keys.SETTINGS].cookie_name
    proven: list[Digest] = []
    for digest in digests_of(read_cookies(request.headers, name)):
        try:
            check_own_form(request, domain, form.only("csrf_token"), session=digest)
        except CsrfError:
            continue
        proven.append(digest)
    return proven


def _answer(
    request: web.Request, domain: CookieDomain, ending: Ending | None
) -> web.StreamResponse:
    """Lead to what is left, or to where a logout leads; tell what is pending.

    Raises:
        StoreUnavailableError: Another session has still to be ended in the store. The
            page of a pending logout would say that this browser is signed out.
    """
    if ending is None:
        return see_other(portal_url(domain, "/"))
    termination = ending.termination
    if termination.is_pending:
        if ending.is_current:
            return pending_page(request, termination, domain)
        raise StoreUnavailableError(PENDING_ELSEWHERE, told=PENDING_ELSEWHERE)
    if not ending.is_current:
        return see_other(portal_url(domain, "/"))
    return see_other(
        portal_url(domain, "/signed-out"),
        cookies=termination.cookies,
        headers=clear_site_data(request),
    )


def _row(session: Session, identity: Identity) -> SessionRow:
    return SessionRow(
        handle=session.handle,
        created=session.created,
        seen=session.seen,
        address=session.address,
        user_agent=session.user_agent,
        is_current=is_current(session, identity),
        remembered=session.remembered,
    )
