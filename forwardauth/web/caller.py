"""Who makes a request, by the session cookies in it."""

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.web import keys
from forwardauth.web.cookies import read_cookies
from forwardauth.web.identity import Identity


async def lookup_identity(
    request: web.Request, domain: CookieDomain
) -> Identity | None:
    """Return who asks on *domain*, ``None`` for somebody who is not signed in there.

    Raises:
        StoreUnavailableError: Nobody can tell.
    """
    presented = read_cookies(request.headers, request.app[keys.SETTINGS].cookie_name)
    return await request.app[keys.IDENTITIES].lookup(presented, domain)
