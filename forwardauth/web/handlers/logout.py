"""The logout flow on the portal, for people: ``/logout`` and ``/signed-out``.

    request ─► who asks, and how ─► revoke ─► clear cookies ─► check target ─► answer

Laws: only a deliberate navigation, or a post that proves where it comes from, ends
anything. Once it may, termination comes first. The page is always there and says no
more than what has happened.
"""

from aiohttp import web

from forwardauth.adapters.kinds import is_prefetch
from forwardauth.domains import CookieDomain
from forwardauth.errors import StoreUnavailableError
from forwardauth.request import OriginalRequest
from forwardauth.web import keys
from forwardauth.web.answers import ko, ok, page, portal_url, see_other
from forwardauth.web.caller import lookup_identity
from forwardauth.web.cookies import presession_cookie
from forwardauth.web.form_proof import get_form_token, has_form_token
from forwardauth.web.forms import Fields, read_form, read_query
from forwardauth.web.forwarded import (
    comes_by_plain_http,
    get_domain,
    get_host,
    lookup_browser_address,
)
from forwardauth.web.handlers.takeover import take_over_logout
from forwardauth.web.intent import (
    Provenance,
    is_deliberate_navigation,
    judge_provenance,
)
from forwardauth.web.linking import go_on, lacks_strict_cookie
from forwardauth.web.login_destination import sessions_login_url
from forwardauth.web.pages import EndedScope
from forwardauth.web.preferences import language_of, wants_json
from forwardauth.web.termination import (
    choose_destination,
    clear_site_data,
    lookup_target,
    pending_json,
    pending_page,
    tell,
    terminate,
)


async def logout(request: web.Request) -> web.StreamResponse:
    """Answer ``GET`` and ``POST /logout`` on a portal, or on a protected host."""
    settings = request.app[keys.SETTINGS]
    domain = get_domain(request, settings.domains)
    if get_host(request) != domain.portal.host:
        return await take_over_logout(request, _as_original(request), domain)
    provenance = judge_provenance(
        request.headers, host=get_host(request), domains=settings.domains
    )
    if request.method != "POST":
        may_ask = (
            request.method == "GET"
            and provenance is not Provenance.FOREIGN
            and is_deliberate_navigation(request.headers)
        )
        return await _logout(request, domain, Fields(), may_ask=may_ask)
    if provenance is Provenance.PROVEN and not is_prefetch(request.headers):
        return await _logout(request, domain, None, may_ask=True)
    form = await read_form(request)
    may_ask = has_form_token(request, domain, form.only("csrf_token"))
    return await _logout(request, domain, form, may_ask=may_ask)


async def _logout(
    request: web.Request, domain: CookieDomain, form: Fields | None, *, may_ask: bool
) -> web.StreamResponse:
    """End the session or ask for confirmation; ``None`` is a form not read yet."""
    query = read_query(request).targets()
    if not may_ask:
        return await _confirm(request, domain, (*query, *(form or Fields()).targets()))
    termination = await terminate(request, domain, domain.portal.host)
    if form is None:
        form = await read_form(request)
    destination = choose_destination(request, (*query, *form.targets()), domain)
    tell(
        request,
        host=domain.portal.host,
        target=destination.kind,
        termination=termination,
    )
    if termination.is_pending:
        if wants_json(request):
            return pending_json(termination)
        return pending_page(request, termination, domain)
    cookies, headers = termination.cookies, clear_site_data(request)
    if wants_json(request):
        data = {"safeTargetURL": destination.kind == "accepted"}
        return ok(data, cookies=cookies, headers=headers)
    return see_other(destination.url, cookies=cookies, headers=headers)


async def _confirm(
    request: web.Request, domain: CookieDomain, values: tuple[str, ...]
) -> web.StreamResponse:
    """Show the page with one button; nothing ends, and nothing is cleared.

    A request of another site may come without its cookie although there is one. So the
    page neither claims a logout nor makes the browser forget what it did not send.
    """
    target, kind = lookup_target(request, values)
    tell(request, host=domain.portal.host, target=kind)
    if wants_json(request):
        return ko("confirmation needed", status=403)
    token = get_form_token(request, domain)
    html = request.app[keys.PAGES].confirm_logout(
        language=language_of(request),
        csrf_token=token.value,
        target=target,
        action=domain.portal_url("/logout"),
        username=await _lookup_username(request, domain),
    )
    return page(html, cookies=token.cookies, origin=domain.portal)


async def _lookup_username(request: web.Request, domain: CookieDomain) -> str | None:
    """Return who is signed in; the page is there without a store as well."""
    try:
        identity = await lookup_identity(request, domain)
    except StoreUnavailableError:
        return None
    return None if identity is None else identity.user.username


async def signed_out(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /signed-out``: where a logout without a target leads.

    Somebody who is signed in, or may be without our knowing, is told nothing else.
    """
    settings = request.app[keys.SETTINGS]
    domain = get_domain(request, settings.domains)
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, "/"))
    identity = await lookup_identity(request, domain)
    if identity is not None:
        return see_other(portal_url(domain, "/"))
    provenance = judge_provenance(
        request.headers, host=get_host(request), domains=settings.domains
    )
    ended = EndedScope.USER if settings.logout.is_for_user else EndedScope.BROWSER
    cookies: tuple[str, ...] = ()
    if provenance is Provenance.FOREIGN:
        ended = EndedScope.NOTHING
    elif get_host(request) == domain.portal.host:
        # A logout on another host could not clear what is the portal's alone.
        shape = presession_cookie(settings.cookie_name, domain)
        cookies = (shape.clear_line(),)
    html = request.app[keys.PAGES].signed_out(
        language=language_of(request),
        ended=ended,
        login_url=portal_url(domain, "/login"),
        everywhere_url=sessions_login_url(domain),
    )
    return page(html, cookies=cookies)


def _as_original(request: web.Request) -> OriginalRequest:
    """Return a request that a proxy sent on whole, with the host it was made for."""
    settings = request.app[keys.SETTINGS]
    domain = get_domain(request, settings.domains)
    return OriginalRequest(
        scheme=domain.portal.scheme,
        host=get_host(request),
        port=None,
        method=request.method,
        path=request.rel_url.raw_path,
        query=request.rel_url.raw_query_string,
        client=lookup_browser_address(request, settings.trusted_proxies),
        is_plain_http=comes_by_plain_http(request, domain, settings.trusted_proxies),
    )
