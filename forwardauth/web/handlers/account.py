"""The account page, at the home portal: ``/account``, and the change of the password.

    POST /account/password ─► identity ─► form token ─► change_password ─► the page

Laws: only a form of our own, made for the session that asks, changes anything. No
password is shown, logged, or kept in an answer.
"""

from datetime import timedelta
from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import CsrfError, ThrottledError
from forwardauth.web import keys
from forwardauth.web.account_pages import PasswordFailure
from forwardauth.web.answers import (
    RETRY_AFTER_SECONDS,
    ko,
    ok,
    page,
    portal_url,
    see_other,
)
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.form_proof import check_own_form
from forwardauth.web.forms import read_form, read_query
from forwardauth.web.identity import Identity
from forwardauth.web.linking import go_on, is_home, lacks_strict_cookie
from forwardauth.web.login_destination import lookup_login_target
from forwardauth.web.notices import FIELD, Notice
from forwardauth.web.own_logins import list_sign_ins, person_of
from forwardauth.web.password_change import (
    NewPassword,
    change_password,
    judge_password,
)
from forwardauth.web.preferences import language_of

_STATUS: Final = {
    PasswordFailure.CREDENTIALS: 403,
    PasswordFailure.THROTTLED: 429,
    PasswordFailure.CONFLICT: 409,
    PasswordFailure.NOT_WRITTEN: 503,
}
"""What was refused for other reasons is 422: the form can be mended."""

_REFUSED: Final = 422
_PATH: Final = "/account"


async def account(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /account``."""
    domain = get_portal(request)
    at_home = request.app[keys.SETTINGS].domains.home
    if not is_home(request, domain):
        return see_other(portal_url(at_home, _PATH))
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, _PATH))
    identity = await lookup_identity(request, domain)
    if identity is None:
        return _to_sign_in(request, domain)
    told = read_query(request).only(FIELD)
    notice = request.app[keys.NOTICES].lookup(told, identity.live.digest)
    return await _show(request, domain, identity, notice=notice)


async def new_password(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /account/password``: changed, or the page with what is wrong."""
    domain = get_portal(request)
    form = await read_form(request)
    identity = await lookup_identity(request, domain)
    if identity is None or not is_home(request, domain):
        return _to_sign_in(request, domain)
    token = form.only("csrf_token")
    check_own_form(request, domain, token, session=identity.live.digest)
    typed = NewPassword(
        current=form.only("current_password"),
        new=form.only("new_password"),
        repeated=form.only("new_password_again"),
    )
    try:
        changed = await change_password(request, domain, identity, typed)
    except ThrottledError as exc:
        failure, wait = PasswordFailure.THROTTLED, exc.retry_after
        return await _show(request, domain, identity, failure=failure, wait=wait)
    if isinstance(changed, PasswordFailure):
        return await _show(request, domain, identity, failure=changed)
    if changed.digest is None:
        html = request.app[keys.PAGES].password_changed(language=language_of(request))
        wait_line = ("Retry-After", str(RETRY_AFTER_SECONDS))
        return page(html, status=503, headers=(wait_line,), origin=domain.portal)
    url = portal_url(domain, _PATH)
    notices = request.app[keys.NOTICES]
    url = notices.add_to(url, Notice.PASSWORD_CHANGED, changed.digest)
    return see_other(url, cookies=changed.cookies)


async def way_to_account(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /account/password``: lead to the form.

    The address stays in the browser where a change was refused, and is visited from its
    bar, or when a phone loads again what it had let go.
    """
    return see_other(portal_url(get_portal(request), _PATH))


async def strength(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /account/strength`` with what the typed password is worth.

    For the meter, which goes by the same judgement as the change itself. The form
    token goes along, so that nobody else can have passwords judged here.
    """
    domain = get_portal(request)
    form = await read_form(request)
    identity = await lookup_identity(request, domain)
    if identity is None:
        return ko("sign-in needed", status=401)
    token = form.only("csrf_token")
    if not token:
        raise CsrfError("the form has no token")
    check_own_form(request, domain, token, session=identity.live.digest)
    judgement = await judge_password(request, identity.user, form.only("new_password"))
    return ok({"score": judgement.score, "weakness": judgement.weakness})


async def _show(
    request: web.Request,
    domain: CookieDomain,
    identity: Identity,
    *,
    notice: Notice | None = None,
    failure: PasswordFailure | None = None,
    wait: timedelta | None = None,
) -> web.Response:
    """Return the page; what was typed is never in it."""
    app = request.app
    html = app[keys.PAGES].account(
        language=language_of(request),
        person=person_of(request, identity),
        policy=app[keys.SETTINGS].password_policy,
        is_writable=app[keys.USERS].looks_writable,
        sign_ins=await list_sign_ins(request, identity),
        notice=notice,
        failure=failure,
        retry_after=wait,
    )
    status = 200 if failure is None else _STATUS.get(failure, _REFUSED)
    headers: list[tuple[str, str]] = []
    if wait is not None:
        headers.append(("Retry-After", str(int(wait.total_seconds()) + 1)))
    return page(
        html,
        status=status,
        headers=headers,
        referrer="same-origin",
        origin=domain.portal,
        has_script=True,
    )


def _to_sign_in(request: web.Request, domain: CookieDomain) -> web.Response:
    """Lead to the login page, and from there to the account."""
    here = request.app[keys.SETTINGS].domains.home.portal_url(_PATH)
    target = lookup_login_target(request, (here,))
    return see_other(portal_url(domain, "/login", target=target))
