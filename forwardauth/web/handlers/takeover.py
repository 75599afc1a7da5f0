"""Logout on a protected host: ``logout.paths``, taken over before any rule.

The answer is given on that host, so it can clear the cookies of the parent domain. It
comes by the verify answer where the proxy passes a denial on to the browser, and by a
``location`` of its own where it does not (nginx).

Law: never 2xx, since that would let the request pass to the application.
"""

from aiohttp import web

from forwardauth.adapters.kinds import is_prefetch
from forwardauth.domains import CookieDomain
from forwardauth.request import OriginalRequest
from forwardauth.web import keys
from forwardauth.web.answers import portal_url, see_other
from forwardauth.web.forms import parse_fields
from forwardauth.web.intent import (
    Provenance,
    is_deliberate_navigation,
    judge_provenance,
)
from forwardauth.web.termination import (
    choose_destination,
    clear_site_data,
    lookup_target,
    pending_page,
    tell,
    terminate,
)


async def take_over_logout(
    request: web.Request, original: OriginalRequest, domain: CookieDomain
) -> web.StreamResponse:
    """Answer a logout that the browser asked *original*'s host for.

    Done is 303 to the checked target or to the portal's page. Who may not simply ask is
    sent to the portal's confirmation page; an outage is 503.
    """
    values = parse_fields(original.query or "").targets()
    if not _may_ask(request, original):
        target, kind = lookup_target(request, values)
        tell(request, host=original.host, target=kind)
        return see_other(portal_url(domain, "/logout", target=target))
    termination = await terminate(request, domain, original.host)
    destination = choose_destination(request, values, domain)
    tell(
        request,
        host=original.host,
        target=destination.kind,
        termination=termination,
    )
    if termination.is_pending:
        return pending_page(request, termination, domain)
    return see_other(
        destination.url,
        cookies=termination.cookies,
        headers=clear_site_data(request),
    )


def _may_ask(request: web.Request, original: OriginalRequest) -> bool:
    """Whether the request shows that a person, or an application of ours, asks.

    The body of the original request does not come here, so a form token cannot either.
    Nor can the cookie by plain http, as it is ``Secure``: to end nothing and to call it
    done would leave the session alive. The portal asks again, where the cookie comes.
    """
    if original.is_plain_http:
        return False
    domains = request.app[keys.SETTINGS].domains
    provenance = judge_provenance(request.headers, host=original.host, domains=domains)
    match original.method:
        case "GET":
            is_deliberate = is_deliberate_navigation(request.headers)
            return provenance is not Provenance.FOREIGN and is_deliberate
        case "POST":
            is_proven = provenance is Provenance.PROVEN
            return is_proven and not is_prefetch(request.headers)
        case _:
            return False
