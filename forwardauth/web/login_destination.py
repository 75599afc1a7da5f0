"""Where a login leads: the target that was checked, else the default of the domain."""

from collections.abc import Sequence
from urllib.parse import urlencode

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import SafeTarget, check_only_target
from forwardauth.web import keys
from forwardauth.web.answers import PortalUrl, portal_url


def lookup_login_target(
    request: web.Request, values: Sequence[str]
) -> SafeTarget | None:
    """Return the one valid target; a refused one is dropped, and the log says why."""
    try:
        return check_only_target(values, request.app[keys.SETTINGS].targets)
    except UnsafeTargetError as exc:
        request.app[keys.AUDIT].target_refused("login", exc.reason, values[0])
        return None


def destination_of(
    request: web.Request, domain: CookieDomain, target: SafeTarget | None
) -> SafeTarget | PortalUrl:
    """Return where a login leads: the target, else the default of *domain*."""
    defaults = request.app[keys.SETTINGS].default_targets
    return target or defaults.get(domain.name) or portal_url(domain, "/")


def sessions_login_url(domain: CookieDomain) -> PortalUrl:
    """Return the login page that leads on to "my sessions", whatever the default is."""
    query = urlencode({"rd": portal_url(domain, "/")})
    return PortalUrl(f"{portal_url(domain, '/login')}?{query}")
