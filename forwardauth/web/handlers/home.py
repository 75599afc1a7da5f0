"""The portal's front page: "my sessions" for who is signed in, else the login page."""

from aiohttp import web

from forwardauth.web import keys
from forwardauth.web.answers import page, portal_url
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.forms import read_query
from forwardauth.web.handlers.login import login_page
from forwardauth.web.linking import go_on, lacks_strict_cookie
from forwardauth.web.notices import FIELD
from forwardauth.web.own_logins import list_own, name_devices, person_of
from forwardauth.web.preferences import language_of


async def home(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /``."""
    domain = get_portal(request)
    if lacks_strict_cookie(request):
        return go_on(request, portal_url(domain, "/"))
    identity = await lookup_identity(request, domain)
    if identity is None:
        return await login_page(request)
    rows = await name_devices(await list_own(request, identity))
    told = read_query(request).only(FIELD)
    at_home = request.app[keys.SETTINGS].domains.home
    html = request.app[keys.PAGES].home(
        language=language_of(request),
        person=person_of(request, identity),
        sessions=rows,
        notice=request.app[keys.NOTICES].lookup(told, identity.live.digest),
        logout_action=domain.portal_url("/logout"),
        account_url=at_home.portal_url("/account"),
    )
    return page(html, referrer="same-origin", origin=domain.portal)
