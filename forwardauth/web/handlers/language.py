"""The switch of languages: ``POST /language``.

Laws: it changes which language the pages are in, and nothing else; another site cannot
do even that. It leads to a page of ours by name, with what ``check_target`` and the
signature of a link let through.
"""

from urllib.parse import urlencode

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.web import keys
from forwardauth.web.answers import PortalUrl, portal_url, see_other
from forwardauth.web.caller import get_portal
from forwardauth.web.forms import Fields, read_form
from forwardauth.web.forwarded import get_host
from forwardauth.web.intent import Provenance, judge_provenance
from forwardauth.web.language_switch import PATHS
from forwardauth.web.linking import home_link
from forwardauth.web.login_destination import lookup_login_target
from forwardauth.web.login_form import lookup_method


async def choose_language(request: web.Request) -> web.StreamResponse:
    """Keep the language that was chosen, and lead back to the page.

    No form token: pages that have none show the switch, too, and a visitor is not to
    get a cookie for having seen it.
    """
    domain = get_portal(request)
    form = await read_form(request)
    url = _way_back(request, domain, form)
    choice = request.app[keys.LANGUAGE_CHOICE]
    tag = form.only("language")
    domains = request.app[keys.SETTINGS].domains
    provenance = judge_provenance(
        request.headers, host=get_host(request), domains=domains
    )
    if tag not in choice.offered or provenance is Provenance.FOREIGN:
        return see_other(url)
    return see_other(url, cookies=(choice.set_line(tag, domain),))


def _way_back(request: web.Request, domain: CookieDomain, form: Fields) -> PortalUrl:
    """Return the page that the form names, the front page where it names none."""
    path = form.only("page")
    if path != "/login":
        return portal_url(domain, path if path in PATHS else "/")
    link = form.only("link")
    if request.app[keys.LINK_STATES].lookup(link) is not None:
        return home_link(request, link)
    target = lookup_login_target(request, form.targets())
    url = portal_url(domain, path, target=target)
    method = lookup_method(form.only("rm"))
    if method is None:
        return url
    mark = "?" if target is None else "&"
    return PortalUrl(f"{url}{mark}{urlencode({'rm': method})}")
