"""What the verify flow shows to people: the way to the portal, and a closed door."""

import contextlib
from urllib.parse import quote, urlencode

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import TargetPolicy, check_target
from forwardauth.request import OriginalRequest, Subject
from forwardauth.web import keys
from forwardauth.web.answers import portal_url
from forwardauth.web.pages import ErrorKind
from forwardauth.web.preferences import language_of


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


def forbidden_page(
    request: web.Request,
    original: OriginalRequest,
    domain: CookieDomain,
    subject: Subject,
) -> bytes:
    """Return the page for a browser that may not pass, signed in or not."""
    pages = request.app[keys.PAGES]
    language = language_of(request)
    if subject.is_anonymous:
        html = pages.error(
            language=language,
            status=403,
            kind=ErrorKind.FORBIDDEN,
            reference=None,
            portal=domain.portal,
        )
    else:
        html = pages.forbidden(
            language=language,
            username=subject.username,
            host=original.host,
            logout_action=domain.portal_url("/logout"),
            switch_url=_switch_url(
                domain, original, request.app[keys.SETTINGS].targets
            ),
            csrf_token=None,
            portal=domain.portal,
        )
    return html.encode()


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
