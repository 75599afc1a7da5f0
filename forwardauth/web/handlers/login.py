"""Signing in by the page: ``GET`` and ``POST /login``.

Laws: the form counts only with a token bound to the pre-session cookie, or when the
browser itself says that our own page posts. Only a checked target is gone to.
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import (
    CredentialsError,
    CsrfError,
    ProxyRequestError,
    StoreUnavailableError,
    ThrottledError,
    UnsafeTargetError,
)
from forwardauth.redirects import SafeTarget, check_only_target
from forwardauth.request import parse_method
from forwardauth.sessions.ids import Digest
from forwardauth.web import keys
from forwardauth.web.answers import (
    RETRY_AFTER_SECONDS,
    PortalUrl,
    page,
    portal_url,
    see_other,
)
from forwardauth.web.cookies import read_cookies
from forwardauth.web.credentials import sign_in
from forwardauth.web.form_proof import (
    get_login_token,
    has_login_token,
    has_session_token,
)
from forwardauth.web.forms import read_form, read_query
from forwardauth.web.forwarded import get_host, get_portal_domain
from forwardauth.web.intent import Provenance, judge_provenance
from forwardauth.web.languages import negotiate
from forwardauth.web.link_state import LinkState
from forwardauth.web.linking import (
    ask_home,
    go_on,
    home_link,
    is_home,
    lacks_strict_cookie,
)
from forwardauth.web.pages import LoginFailure


async def login_page(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /login``: straight on for who is signed in, else the form.

    On another portal than home it is the way there: people sign in at home.
    """
    settings = request.app[keys.SETTINGS]
    domain = get_portal_domain(request, settings.domains)
    fields = read_query(request)
    target = _check_targets(request, fields.targets())
    form = _Form(target=target, method=_method(fields.only("rm")))
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, "/login", target=target))
    presented = read_cookies(request.headers, settings.cookie_name)
    try:
        if await request.app[keys.IDENTITIES].lookup(presented, domain) is not None:
            return see_other(destination_of(request, domain, target))
    except StoreUnavailableError:
        return _show(request, domain, form, LoginFailure.UNAVAILABLE)
    if not is_home(request, domain):
        return ask_home(request, domain, target=target, method=form.method)
    return _show(request, domain, form, None)


async def login(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /login``: 303 to the target, or the form with what is wrong."""
    domain = get_portal_domain(request, request.app[keys.SETTINGS].domains)
    fields = await read_form(request)
    target = _check_targets(request, fields.targets())
    method = _method(fields.only("rm"))
    if not is_home(request, domain):
        return ask_home(request, domain, target=target, method=method)
    link = fields.only("link")
    state = request.app[keys.LINK_STATES].lookup(link)
    form = _Form(
        target=target or (state and lookup_state_target(request, state)) or None,
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
        return _show(request, domain, form, LoginFailure.EXPIRED)
    except CredentialsError:
        return _show(request, domain, form, LoginFailure.CREDENTIALS)
    except ThrottledError as exc:
        return _show(request, domain, form, LoginFailure.THROTTLED, exc.retry_after)
    except StoreUnavailableError:
        return _show(request, domain, form, LoginFailure.UNAVAILABLE)
    url = destination_of(request, domain, target)
    if form.link:
        url = home_link(request, form.link)
    return see_other(url, cookies=signed_in.cookies)


def check_own_form(
    request: web.Request,
    domain: CookieDomain,
    token: str,
    *,
    session: Digest | None = None,
) -> None:
    """Return when the post comes from a form of ours.

    A token that is missing or has run out is made up for by a browser that says itself
    where the post comes from; an older browser shows the form once more. Nothing makes
    up for the token of another session: the form shows what somebody else might do.

    Args:
        request: The post.
        domain: Whose portal was asked.
        token: What the form holds.
        session: The live session that the form was made for; ``None`` for the login
            form, which is bound to the pre-session.

    Raises:
        CsrfError: It does not show that. Source: OWASP, login CSRF.
    """
    domains = request.app[keys.SETTINGS].domains
    provenance = judge_provenance(
        request.headers, host=get_host(request), domains=domains
    )
    is_same_origin = request.headers.getall("Sec-Fetch-Site", []) == ["same-origin"]
    is_vouched_for = is_same_origin and provenance is Provenance.PROVEN
    if session is None:
        is_ours = is_vouched_for or has_login_token(request, domain, token)
    elif token:
        is_ours = has_session_token(request, session, token)
    else:
        is_ours = is_vouched_for
    if not is_ours:
        raise CsrfError("the form has no valid token")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the form keeps when it is shown again."""

    target: SafeTarget | None
    method: str | None
    username: str = ""
    remember_me: bool = False
    link: str = ""


_STATUS = {
    LoginFailure.CREDENTIALS: 401,
    LoginFailure.EXPIRED: 403,
    LoginFailure.THROTTLED: 429,
    LoginFailure.UNAVAILABLE: 503,
}


def _show(
    request: web.Request,
    domain: CookieDomain,
    form: _Form,
    failure: LoginFailure | None,
    retry_after: timedelta | None = None,
) -> web.StreamResponse:
    token = get_login_token(request, domain)
    html = request.app[keys.PAGES].login(
        language=negotiate(request.headers.get("Accept-Language")),
        csrf_token=token.value,
        target=form.target,
        method=form.method,
        username=form.username,
        failure=failure,
        retry_after=retry_after,
        destination_host=form.target and urlsplit(form.target).hostname,
        remembered=form.remember_me,
        link=form.link,
    )
    headers: list[tuple[str, str]] = []
    if retry_after is not None:
        headers.append(("Retry-After", str(int(retry_after.total_seconds()) + 1)))
    elif failure is LoginFailure.UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    status = 200 if failure is None else _STATUS[failure]
    return page(
        html,
        status=status,
        cookies=token.cookies,
        headers=headers,
        referrer="same-origin",
        origin=domain.portal,
    )


def show_link_form(
    request: web.Request, domain: CookieDomain, state: LinkState, link: str
) -> web.StreamResponse:
    """Return the login form that goes on with *link*, the text of *state*."""
    target = lookup_state_target(request, state)
    form = _Form(target=target, method=_method(state.method), link=link)
    return _show(request, domain, form, None)


def lookup_state_domain(request: web.Request, state: LinkState) -> CookieDomain | None:
    """Return the domain whose portal asks, ``None`` if it is configured no more."""
    entries = request.app[keys.SETTINGS].domains.entries
    return next((entry for entry in entries if entry.name == state.domain), None)


def lookup_state_target(request: web.Request, state: LinkState) -> SafeTarget | None:
    """Return the target that *state* carries, checked here once more."""
    return _check_targets(request, (state.target,))


def _check_targets(request: web.Request, values: tuple[str, ...]) -> SafeTarget | None:
    """Return the one valid target; a refused one is dropped, and the log says why."""
    try:
        return check_only_target(values, request.app[keys.SETTINGS].targets)
    except UnsafeTargetError as exc:
        request.app[keys.AUDIT].target_refused("login", exc.reason, values[0])
        return None


def destination_of(
    request: web.Request, domain: CookieDomain, target: SafeTarget | None
) -> SafeTarget | PortalUrl:
    """Return where a login leads: the target, else the default of *domain*."""
    defaults = request.app[keys.SETTINGS].default_targets
    return target or defaults.get(domain.name) or portal_url(domain, "/")


def _method(text: str) -> str | None:
    try:
        return parse_method(text, header="rm")
    except ProxyRequestError:
        return None
