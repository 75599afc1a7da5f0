"""Signing in by the page: ``GET`` and ``POST /login``.

Laws: the form counts only with a token bound to the pre-session cookie, or when the
browser itself says that our own page posts. Only a checked target is gone to. Who is
signed in already as the form says, by another tab, goes on to where this form leads,
whatever became of its token or password: that opens nothing, and asks nobody again.
"""

from datetime import timedelta

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import (
    CredentialsError,
    CsrfError,
    StoreUnavailableError,
    ThrottledError,
)
from forwardauth.redirects import SafeTarget
from forwardauth.web import keys
from forwardauth.web.answers import PortalUrl, portal_url, see_other
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.credentials import sign_in
from forwardauth.web.form_proof import check_own_form
from forwardauth.web.forms import Fields, read_form, read_query
from forwardauth.web.link_state import LinkState
from forwardauth.web.linking import (
    ask_home,
    go_on,
    home_link,
    is_home,
    lacks_strict_cookie,
)
from forwardauth.web.login_destination import destination_of, lookup_login_target
from forwardauth.web.login_form import LoginForm, lookup_method, show_login_form
from forwardauth.web.pages import LoginFailure


async def login_page(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /login``: straight on for who is signed in, else the form.

    On another portal than home it is the way there: people sign in at home.
    """
    domain = get_portal(request)
    fields = read_query(request)
    target = lookup_login_target(request, fields.targets())
    form = LoginForm(target=target, method=lookup_method(fields.only("rm")))
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, "/login", target=target))
    try:
        if await lookup_identity(request, domain) is not None:
            return see_other(destination_of(request, domain, target))
    except StoreUnavailableError:
        return show_login_form(request, domain, form, LoginFailure.UNAVAILABLE)
    if not is_home(request, domain):
        return ask_home(request, domain, target=target, method=form.method)
    return show_login_form(request, domain, form, None)


async def login(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /login``: 303 to the target, or the form with what is wrong."""
    domain = get_portal(request)
    fields = await read_form(request)
    target = lookup_login_target(request, fields.targets())
    method = lookup_method(fields.only("rm"))
    if not is_home(request, domain):
        return ask_home(request, domain, target=target, method=method)
    link = fields.only("link")
    state = request.app[keys.LINK_STATES].lookup(link)
    form = LoginForm(
        target=target or _target_of(request, state),
        method=method,
        username=fields.only("username"),
        remember_me=fields.only("remember_me") != "",
        link="" if state is None else link,
    )
    url: SafeTarget | PortalUrl = destination_of(request, domain, target)
    if form.link:
        url = home_link(request, form.link)
    try:
        return see_other(url, cookies=await _sign_in(request, domain, form, fields))
    except (CsrfError, CredentialsError, ThrottledError) as exc:
        return await _answer_refused(request, domain, form, url, exc)
    except StoreUnavailableError:
        return show_login_form(request, domain, form, LoginFailure.UNAVAILABLE)


async def _sign_in(
    request: web.Request, domain: CookieDomain, form: LoginForm, fields: Fields
) -> tuple[str, ...]:
    """Return the cookie lines of a new session."""
    check_own_form(request, domain, fields.only("csrf_token"))
    signed_in = await sign_in(
        request,
        domain,
        username=form.username,
        password=fields.only("password"),
        remember_me=form.remember_me,
    )
    return signed_in.cookies


async def _answer_refused(
    request: web.Request,
    domain: CookieDomain,
    form: LoginForm,
    url: SafeTarget | PortalUrl,
    error: CsrfError | CredentialsError | ThrottledError,
) -> web.StreamResponse:
    """Lead on who is signed in already; else show the form with what is wrong."""
    failure, wait = _failure_of(error)
    try:
        if await _is_signed_in(request, domain, form.username):
            return see_other(url)
    except StoreUnavailableError:
        failure, wait = LoginFailure.UNAVAILABLE, None
    return show_login_form(request, domain, form, failure, wait)


def _failure_of(
    error: CsrfError | CredentialsError | ThrottledError,
) -> tuple[LoginFailure, timedelta | None]:
    if isinstance(error, ThrottledError):
        return LoginFailure.THROTTLED, error.retry_after
    if isinstance(error, CsrfError):
        return LoginFailure.EXPIRED, None
    return LoginFailure.CREDENTIALS, None


async def _is_signed_in(
    request: web.Request, domain: CookieDomain, username: str
) -> bool:
    """Whether the browser has a live session of the user called *username*."""
    identity = await lookup_identity(request, domain)
    return (
        identity is not None and request.app[keys.USERS].get(username) == identity.user
    )


def _target_of(request: web.Request, state: LinkState | None) -> SafeTarget | None:
    return None if state is None else lookup_login_target(request, (state.target,))
