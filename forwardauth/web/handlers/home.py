"""The portal's front page: "my sessions" for who is signed in, else the login page."""

from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.sessions.manager import LiveSession
from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from forwardauth.web.answers import page, portal_url, see_other
from forwardauth.web.cookies import clear_lines, read_cookies
from forwardauth.web.forms import read_form
from forwardauth.web.forwarded import get_portal_domain
from forwardauth.web.handlers.login import check_own_form, login_page
from forwardauth.web.identity import Identity
from forwardauth.web.languages import negotiate
from forwardauth.web.pages import SessionRow
from forwardauth.web.termination import Termination, pending_page

OTHERS: Final = "others"
ALL: Final = "all"


async def home(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /``."""
    domain = get_portal_domain(request, request.app[keys.SETTINGS].domains)
    identity = await _lookup_identity(request, domain)
    if identity is None:
        return await login_page(request)
    username = identity.user.username
    found = await request.app[keys.SESSIONS].list_user(username)
    token = request.app[keys.TOKENS].token_for_session(identity.live.digest)
    html = request.app[keys.PAGES].home(
        language=negotiate(request.headers.get("Accept-Language")),
        csrf_token=token,
        username=username,
        display_name=identity.user.display_name,
        sessions=[_row(live, identity) for live in found],
        logout_action=domain.portal_url("/logout"),
    )
    return page(html, referrer="same-origin", origin=domain.portal)


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /sessions``: end one, all others or all, then show what is left."""
    settings = request.app[keys.SETTINGS]
    domain = get_portal_domain(request, settings.domains)
    form = await read_form(request)
    identity = await _lookup_identity(request, domain)
    if identity is None:
        return see_other(portal_url(domain, "/login"))
    token = form.only("csrf_token")
    check_own_form(request, domain, token, session=identity.live.digest)
    wanted = form.only("end")
    revoker, username = request.app[keys.REVOKER], identity.user.username
    if wanted in {OTHERS, ALL}:
        keep = identity.live.session.login if wanted == OTHERS else None
        await revoker.revoke_user(username, cause=EndCause.REVOKED, keep_login=keep)
    else:
        for live in await request.app[keys.SESSIONS].list_user(username):
            if live.session.handle == wanted:
                ended = await revoker.revoke_digest(live.digest, cause=EndCause.REVOKED)
                if ended.is_pending:
                    nothing = Termination(is_pending=True, count=0, cookies=())
                    return pending_page(request, nothing, domain)
    if wanted != ALL:
        return see_other(portal_url(domain, "/"))
    lines = clear_lines([settings.cookie_name], domain, settings.same_site)
    return see_other(portal_url(domain, "/signed-out"), cookies=lines)


async def _lookup_identity(
    request: web.Request, domain: CookieDomain
) -> Identity | None:
    name = request.app[keys.SETTINGS].cookie_name
    presented = read_cookies(request.headers, name)
    return await request.app[keys.IDENTITIES].lookup(presented, domain)


def _row(live: LiveSession, identity: Identity) -> SessionRow:
    session = live.session
    return SessionRow(
        handle=session.handle,
        created=session.created,
        seen=session.seen,
        address=session.address,
        user_agent=session.user_agent,
        is_current=session.login == identity.live.session.login,
        remembered=session.remembered,
    )
