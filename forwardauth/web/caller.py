"""Who makes a request to a portal, by the session cookies in it, and to which."""

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.web import keys
from forwardauth.web.cookies import read_cookies
from forwardauth.web.forwarded import check_scheme, get_portal_domain
from forwardauth.web.identity import Identity


def get_portal(request: web.Request) -> CookieDomain:
    """Return the cookie domain whose portal the request is made to, by its scheme.

    Raises:
        ProxyRequestError: The host is no portal's, or a trusted proxy says that the
            browser came by another scheme.
    """
    settings = request.app[keys.SETTINGS]
    domain = get_portal_domain(request, settings.domains)
    check_scheme(request, domain, settings.trusted_proxies)
    return domain


async def lookup_identity(
    request: web.Request, domain: CookieDomain
) -> Identity | None:
    """Return who asks on *domain*, ``None`` for somebody who is not signed in there.

    Raises:
        StoreUnavailableError: Nobody can tell.
    """
    presented = read_cookies(request.headers, request.app[keys.SETTINGS].cookie_name)
    return await request.app[keys.IDENTITIES].lookup(presented, domain)
