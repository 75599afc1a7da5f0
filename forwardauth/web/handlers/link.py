"""One login for all cookie domains: the home portal's part, and the asking one's.

Laws: nothing is stored for a browser that is not signed in. A code is made for the
portal that the signed state names and for the browser that the state was made for. A
step that fails begins anew only when the person asks for it, so that nothing goes
round in circles. What the browser presents is ended before the linked session begins,
as at every sign-in.
"""

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS, EndCause
from forwardauth.web import keys
from forwardauth.web.answers import page, portal_url, see_other
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.cookies import presession_cookie, read_cookies
from forwardauth.web.credentials import session_line
from forwardauth.web.form_proof import lookup_presession
from forwardauth.web.forms import read_query
from forwardauth.web.forwarded import lookup_browser_address
from forwardauth.web.link_state import LinkState
from forwardauth.web.linking import (
    finish_link_url,
    go_on,
    home_link,
    is_home,
    lacks_strict_cookie,
    lookup_state_domain,
)
from forwardauth.web.login_destination import destination_of, lookup_login_target
from forwardauth.web.login_form import LoginForm, lookup_method, show_login_form
from forwardauth.web.preferences import language_of


async def link(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /link`` at home: a code for who is signed in, else the form."""
    domain = get_portal(request)
    text = read_query(request).only("state")
    state = request.app[keys.LINK_STATES].lookup(text)
    asking = None if state is None else lookup_state_domain(request, state)
    if state is None or asking is None or not is_home(request, domain):
        return see_other(portal_url(domain, "/login"))
    if lacks_strict_cookie(request):
        return go_on(request, home_link(request, text))
    identity = await lookup_identity(request, domain)
    code = None
    if identity is not None:
        code = await request.app[keys.HANDOVERS].issue(
            identity.live, domain=asking.name, nonce=state.nonce
        )
    if code is None:
        return _show_form(request, domain, state, text)
    return see_other(finish_link_url(asking, code=code, state=text))


def _show_form(
    request: web.Request, domain: CookieDomain, state: LinkState, text: str
) -> web.Response:
    """Return the login form that goes on with *text*, the signed *state*."""
    target = lookup_login_target(request, (state.target,))
    method = lookup_method(state.method)
    form = LoginForm(target=target, method=method, link=text)
    return show_login_form(request, domain, form, None)


async def finish_link(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /link/finish``: take the code for a session, and lead on."""
    domain = get_portal(request)
    query = read_query(request)
    state = request.app[keys.LINK_STATES].lookup(query.only("state"))
    if state is None or lookup_state_domain(request, state) != domain:
        return see_other(portal_url(domain, "/login"))
    url = destination_of(request, domain, lookup_login_target(request, (state.target,)))
    if await lookup_identity(request, domain) is not None:
        return see_other(url)
    cookies = await _redeem(request, domain, state, query.only("code"))
    if not cookies:
        return _begin_anew(request, domain, state)
    return go_on(request, url, cookies=cookies)


async def _redeem(
    request: web.Request, domain: CookieDomain, state: LinkState, code: str
) -> tuple[str, ...]:
    """Return the cookie lines of the linked session; none if there is no such code.

    A live session that a sibling host has planted would make two of it, and then none
    counts. If what ends is of the same login, its code has ended as well.
    """
    settings = request.app[keys.SETTINGS]
    presession = lookup_presession(request, domain)
    if presession is None or presession.nonce != state.nonce:
        return ()
    presented = read_cookies(request.headers, settings.cookie_name)
    await request.app[keys.REVOKER].revoke(presented, cause=EndCause.REPLACED)
    address = lookup_browser_address(request, settings.trusted_proxies)
    agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT_CHARACTERS]
    linked = await request.app[keys.HANDOVERS].redeem(
        code,
        domain=domain.name,
        nonce=state.nonce,
        address="" if address is None else str(address),
        user_agent=agent,
    )
    if linked is None:
        return ()
    shape = presession_cookie(settings.cookie_name, domain)
    return (session_line(request, domain, *linked), shape.clear_line())


def _begin_anew(
    request: web.Request, domain: CookieDomain, state: LinkState
) -> web.Response:
    target = lookup_login_target(request, (state.target,))
    html = request.app[keys.PAGES].go_on(
        language=language_of(request),
        url=portal_url(domain, "/login", target=target),
        has_failed=True,
    )
    return page(html, status=403)
