"""Signing in by the page: ``GET`` and ``POST /login``.

Laws: the form counts only with a token bound to the pre-session cookie, or when the
browser itself says that our own page posts. Only a checked target is gone to.
"""

from aiohttp import web

from forwardauth.errors import (
    CredentialsError,
    CsrfError,
    StoreUnavailableError,
    ThrottledError,
)
from forwardauth.redirects import SafeTarget
from forwardauth.web import keys
from forwardauth.web.answers import (
    portal_url,
    see_other,
)
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.credentials import sign_in
from forwardauth.web.form_proof import (
    check_own_form,
)
from forwardauth.web.forms import read_form, read_query
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
    try:
        check_own_form(request, domain, fields.only("csrf_token"))
        signed_in = await sign_in(
            request,
            domain,
            username=form.username,
            password=fields.only("password"),
            remember_me=form.remember_me,
        )
    except CsrfError:
        return show_login_form(request, domain, form, LoginFailure.EXPIRED)
    except CredentialsError:
        return show_login_form(request, domain, form, LoginFailure.CREDENTIALS)
    except ThrottledError as exc:
        failure, wait = LoginFailure.THROTTLED, exc.retry_after
        return show_login_form(request, domain, form, failure, wait)
    except StoreUnavailableError:
        return show_login_form(request, domain, form, LoginFailure.UNAVAILABLE)
    url = destination_of(request, domain, target)
    if form.link:
        url = home_link(request, form.link)
    return see_other(url, cookies=signed_in.cookies)


def _target_of(request: web.Request, state: LinkState | None) -> SafeTarget | None:
    return None if state is None else lookup_login_target(request, (state.target,))
