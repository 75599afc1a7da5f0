"""What the verify flow shows to people: the way to the portal, and a closed door."""

import contextlib
from urllib.parse import quote, urlencode

from aiohttp import web

from forwardauth.adapters.base import Forbidden
from forwardauth.domains import CookieDomain
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import TargetPolicy, check_target
from forwardauth.request import OriginalRequest, Subject
from forwardauth.web import keys
from forwardauth.web.answers import content_policy, portal_url
from forwardauth.web.preferences import language_of
from forwardauth.web.references import reference_of
from forwardauth.web.request_ids import tell_current_id


def login_url(
    domain: CookieDomain, original: OriginalRequest, targets: TargetPolicy
) -> str:
    """Return the absolute URL of the login page that leads back to *original*.

    The original URL goes along as ``rd``, encoded once, if the browser may be sent
    back there; the method goes along as ``rm``. Some proxies resolve a relative
    ``Location`` against our own address, so it is never relative.
    """
    query = {"rm": original.method}
    # Without a way back they sign in all the same, and land on the default.
    with contextlib.suppress(UnsafeTargetError):
        query = {"rd": check_target(original.url, targets), **query}
    return f"{domain.portal_url('/login')}?{urlencode(query, quote_via=quote, safe='')}"


def closed_door(
    request: web.Request,
    original: OriginalRequest,
    domain: CookieDomain,
    subject: Subject,
) -> Forbidden:
    """Return the refusal of a browser that may not pass, signed in or not."""
    html = request.app[keys.PAGES].forbidden(
        language=language_of(request),
        username=subject.username,
        host=original.host,
        logout_action=domain.portal_url("/logout"),
        switch_url=_switch_url(domain, original, request.app[keys.SETTINGS].targets),
        csrf_token=None,
        reference=tell_current_id(
            reference_of(original, subject, request.app[keys.CLOCK].now())
        ),
        portal=domain.portal,
    )
    return Forbidden(page=html.encode(), content_policy=content_policy(domain.portal))


def _switch_url(
    domain: CookieDomain, original: OriginalRequest, targets: TargetPolicy
) -> str | None:
    """Return the logout that leads back to *original*, where one has to sign in.

    ``None`` where the browser may not be sent back there.
    """
    try:
        target = check_target(original.url, targets)
    except UnsafeTargetError:
        return None
    return portal_url(domain, "/logout", target=target)
