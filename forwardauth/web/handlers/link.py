"""One login for all cookie domains: the home portal's part, and the asking one's.

Laws: nothing is stored for a browser that is not signed in. A code is made for the
portal that the signed state names and for the browser that the state was made for. A
step that fails begins anew only when the person asks for it, so that nothing goes
round in circles.
"""

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS
from forwardauth.web import keys
from forwardauth.web.answers import page, portal_url, see_other
from forwardauth.web.cookies import presession_cookie, read_cookies
from forwardauth.web.credentials import session_line
from forwardauth.web.form_proof import lookup_presession
from forwardauth.web.forms import read_query
from forwardauth.web.forwarded import get_portal_domain, lookup_browser_address
from forwardauth.web.handlers.login import (
    destination_of,
    lookup_state_domain,
    lookup_state_target,
    show_link_form,
)
from forwardauth.web.languages import negotiate
from forwardauth.web.link_state import LinkState
from forwardauth.web.linking import (
    finish_link_url,
    go_on,
    home_link,
    is_home,
    lacks_strict_cookie,
)


async def link(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /link`` at home: a code for who is signed in, else the form."""
    settings = request.app[keys.SETTINGS]
    domain = get_portal_domain(request, settings.domains)
    text = read_query(request).only("state")
    state = request.app[keys.LINK_STATES].lookup(text)
    asking = None if state is None else lookup_state_domain(request, state)
    if state is None or asking is None or not is_home(request, domain):
        return see_other(portal_url(domain, "/login"))
    if lacks_strict_cookie(request):
        return go_on(request, home_link(request, text))
    presented = read_cookies(request.headers, settings.cookie_name)
    identity = await request.app[keys.IDENTITIES].lookup(presented, domain)
    code = None
    if identity is not None:
        code = await request.app[keys.HANDOVERS].issue(
            identity.live, domain=asking.name, nonce=state.nonce
        )
    if code is None:
        return show_link_form(request, domain, state, text)
    return see_other(finish_link_url(asking, code=code, state=text))


async def finish_link(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /link/finish``: take the code for a session, and lead on."""
    settings = request.app[keys.SETTINGS]
    domain = get_portal_domain(request, settings.domains)
    query = read_query(request)
    state = request.app[keys.LINK_STATES].lookup(query.only("state"))
    if state is None or lookup_state_domain(request, state) != domain:
        return see_other(portal_url(domain, "/login"))
    url = destination_of(request, domain, lookup_state_target(request, state))
    presented = read_cookies(request.headers, settings.cookie_name)
    if await request.app[keys.IDENTITIES].lookup(presented, domain) is not None:
        return see_other(url)
    cookies = await _redeem(request, domain, state, query.only("code"))
    if not cookies:
        return _begin_anew(request, domain, state)
    return go_on(request, url, cookies=cookies)


async def _redeem(
    request: web.Request, domain: CookieDomain, state: LinkState, code: str
) -> tuple[str, ...]:
    """Return the cookie lines of the linked session; none if there is no such code."""
    settings = request.app[keys.SETTINGS]
    presession = lookup_presession(request, domain)
    if presession is None or presession.nonce != state.nonce:
        return ()
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
    target = lookup_state_target(request, state)
    html = request.app[keys.PAGES].go_on(
        language=negotiate(request.headers.get("Accept-Language")),
        url=portal_url(domain, "/login", target=target),
        has_failed=True,
    )
    return page(html, status=403)
