"""What the steps of a sign-in across cookie domains have in common.

    /login elsewhere ─► /link at home ─► /link/finish elsewhere ─► target
    signs a state       signed in?       takes the code, makes
                        else the form    a linked session

Law: every way is to a configured portal, or to a checked target.
"""

from urllib.parse import urlencode

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.redirects import SafeTarget
from forwardauth.web import keys
from forwardauth.web.answers import PortalUrl, page, portal_url, see_other
from forwardauth.web.cookies import read_cookies
from forwardauth.web.form_proof import get_presession
from forwardauth.web.link_state import LinkState
from forwardauth.web.preferences import language_of


def is_home(request: web.Request, domain: CookieDomain) -> bool:
    """Whether people sign in on *domain* itself, and not through another one."""
    return domain == request.app[keys.SETTINGS].domains.home


def ask_home(
    request: web.Request,
    domain: CookieDomain,
    *,
    target: SafeTarget | None,
    method: str | None,
) -> web.Response:
    """Send a browser that is not signed in on *domain* to the home portal.

    Anonymous visitors get a signed cookie and nothing is stored for them.
    """
    presession, cookies = get_presession(request, domain)
    state = LinkState(
        domain=domain.name,
        nonce=presession.nonce,
        target=target or "",
        method=method or "",
    )
    text = request.app[keys.LINK_STATES].sign(state)
    return see_other(home_link(request, text), cookies=cookies)


def lookup_state_domain(request: web.Request, state: LinkState) -> CookieDomain | None:
    """Return the domain whose portal asks, ``None`` if it is configured no more."""
    entries = request.app[keys.SETTINGS].domains.entries
    return next((entry for entry in entries if entry.name == state.domain), None)


def home_link(request: web.Request, state: str) -> PortalUrl:
    """Return the URL at home that goes on with *state*, signed by ``LinkStates``."""
    home = request.app[keys.SETTINGS].domains.home
    return PortalUrl(f"{portal_url(home, '/link')}?{urlencode({'state': state})}")


def finish_link_url(domain: CookieDomain, *, code: str, state: str) -> PortalUrl:
    """Return the URL on *domain*'s portal that takes *code* for a session."""
    query = urlencode({"code": code, "state": state})
    return PortalUrl(f"{portal_url(domain, '/link/finish')}?{query}")


def lacks_strict_cookie(request: web.Request) -> bool:
    """Whether the browser may hold a session that it did not send.

    With ``SameSite=Strict`` it leaves the cookie out where another site led here, and
    sends it when our own page leads here once more.
    """
    settings = request.app[keys.SETTINGS]
    return (
        settings.same_site == "Strict"
        and request.headers.getall("Sec-Fetch-Site", []) == ["cross-site"]
        and not read_cookies(request.headers, settings.cookie_name)
    )


def go_on(
    request: web.Request,
    url: SafeTarget | PortalUrl,
    *,
    cookies: tuple[str, ...] = (),
) -> web.Response:
    """Lead to *url* so that cookies go along: by a page where they are strict."""
    if request.app[keys.SETTINGS].same_site != "Strict":
        return see_other(url, cookies=cookies)
    language = language_of(request)
    html = request.app[keys.PAGES].go_on(language=language, url=url)
    return page(html, cookies=cookies, headers=(("Refresh", f"0; url={url}"),))
