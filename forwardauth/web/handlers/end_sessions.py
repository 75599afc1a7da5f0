"""Ending one's own sessions by the page: ask, end, tell.

    GET /sessions/end ─► what would end ─► POST /sessions ─► revoke ─► what is left
    identity             the confirmation   form token                 with a notice

Laws: a GET ends nothing. What a form asks for and we do not know ends nothing. A form
that is sent twice ends nothing more, and says so. The end of all is told by the answer
to the form, since no visit that comes later can show who it was.
"""

from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import CsrfError, StoreUnavailableError
from forwardauth.sessions.ids import Digest, digests_of
from forwardauth.web import keys
from forwardauth.web.account_pages import EndChoice
from forwardauth.web.answers import page, portal_url, see_other
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.cookies import read_cookies
from forwardauth.web.form_proof import FormToken, check_own_form, get_form_token
from forwardauth.web.forms import Fields, read_form, read_query
from forwardauth.web.identity import Identity
from forwardauth.web.notices import Notice
from forwardauth.web.own_logins import OwnLogin, list_own, name_devices
from forwardauth.web.own_sessions import (
    PENDING_ELSEWHERE,
    Ending,
    end_all,
    end_all_unseen,
    end_one,
    end_others,
)
from forwardauth.web.pages import EndedScope
from forwardauth.web.preferences import language_of
from forwardauth.web.termination import clear_site_data, pending_page

FIELD: Final = "end"
"""What is to end: a session's handle, ``others`` or ``all``."""


async def confirm_end(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /sessions/end``: say what would end, and end nothing."""
    domain = get_portal(request)
    wanted = read_query(request).only(FIELD)
    try:
        identity = await lookup_identity(request, domain)
        if identity is None:
            return see_other(portal_url(domain, "/login"))
        found = await list_own(request, identity)
    except StoreUnavailableError:
        if wanted != EndChoice.ALL:
            raise
        # Who wants to be signed out everywhere is refused here at once, seen or not.
        token = get_form_token(request, domain)
        return await _show(request, domain, token, wanted, ())
    choice = _choice_of(wanted)
    sessions = tuple(each for each in found if _is_meant(each, choice, wanted))
    if not sessions:
        # Who comes from an old list of ours is told; a link of others tells nothing.
        is_listed = request.headers.getall("Sec-Fetch-Site", []) == ["same-origin"]
        is_gone = is_listed and choice is EndChoice.ONE
        notice = Notice.GONE if is_gone else None
        return _back(request, domain, identity, None, notice)
    value = request.app[keys.TOKENS].token_for_session(identity.live.digest)
    return await _show(request, domain, FormToken(value=value), wanted, sessions)


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /sessions``: end one, all others or all, then show what is left."""
    domain = get_portal(request)
    form = await read_form(request)
    try:
        identity = await lookup_identity(request, domain)
    except StoreUnavailableError:
        digests = _proven_digests(request, domain, form)
        if form.only(FIELD) != EndChoice.ALL or not digests:
            raise
        ending = await end_all_unseen(request, domain, digests)
        return _signed_out(request, domain, ending, EndedScope.USER)
    if identity is None:
        return see_other(portal_url(domain, "/login"))
    token, wanted = form.only("csrf_token"), form.only(FIELD)
    check_own_form(request, domain, token, session=identity.live.digest)
    ended, notice = await _end(request, domain, identity, wanted)
    if ended is not None and ended.is_current:
        is_all = _choice_of(wanted) is EndChoice.ALL
        scope = EndedScope.USER if is_all else EndedScope.BROWSER
        return _signed_out(request, domain, ended, scope)
    return _back(request, domain, identity, ended, notice)


async def _end(
    request: web.Request, domain: CookieDomain, identity: Identity, wanted: str
) -> tuple[Ending | None, Notice]:
    """End what is *wanted*; return what has ended, and the words for it."""
    match _choice_of(wanted):
        case EndChoice.OTHERS:
            ended = await end_others(request, domain, identity)
            return ended, Notice.OTHERS_ENDED
        case EndChoice.ALL:
            return await end_all(request, domain, identity), Notice.ENDED
        case EndChoice.ONE:
            one = await end_one(request, domain, identity, wanted)
            return one, Notice.GONE if one is None else Notice.ENDED


def _choice_of(wanted: str) -> EndChoice:
    """Return what *wanted* names; what it does not know is the handle of one."""
    if wanted in {EndChoice.OTHERS, EndChoice.ALL}:
        return EndChoice(wanted)
    return EndChoice.ONE


def _is_meant(login: OwnLogin, choice: EndChoice, wanted: str) -> bool:
    if choice is EndChoice.ONE:
        return login.handle == wanted
    return choice is EndChoice.ALL or not login.is_current


async def _show(
    request: web.Request,
    domain: CookieDomain,
    token: FormToken,
    wanted: str,
    sessions: tuple[OwnLogin, ...],
) -> web.Response:
    html = request.app[keys.PAGES].confirm_end(
        language=language_of(request),
        csrf_token=token.value,
        choice=_choice_of(wanted),
        wanted=wanted,
        sessions=await name_devices(sessions),
    )
    return page(
        html, cookies=token.cookies, referrer="same-origin", origin=domain.portal
    )


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


def _back(
    request: web.Request,
    domain: CookieDomain,
    identity: Identity,
    ended: Ending | None,
    notice: Notice | None,
) -> web.Response:
    """Lead to what is left, which says what has happened, if anything has.

    Raises:
        StoreUnavailableError: Another session has still to be ended in the store. The
            page of a pending logout would say that this browser is signed out.
    """
    if ended is not None and ended.termination.is_pending:
        raise StoreUnavailableError(PENDING_ELSEWHERE, told=PENDING_ELSEWHERE)
    url = portal_url(domain, "/")
    if notice is not None:
        url = request.app[keys.NOTICES].add_to(url, notice, identity.live.digest)
    return see_other(url)


def _signed_out(
    request: web.Request, domain: CookieDomain, ending: Ending, scope: EndedScope
) -> web.Response:
    """Tell what has ended, by the page that a logout leads to, or what is pending."""
    termination = ending.termination
    if termination.is_pending:
        return pending_page(request, termination, domain)
    headers = clear_site_data(request)
    if scope is not EndedScope.USER:
        url = portal_url(domain, "/signed-out")
        return see_other(url, cookies=termination.cookies, headers=headers)
    html = request.app[keys.PAGES].signed_out(
        language=language_of(request),
        ended=scope,
        login_url=portal_url(domain, "/login"),
        is_at_home=False,
    )
    return page(html, cookies=termination.cookies, headers=headers)
