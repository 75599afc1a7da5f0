"""Which path leads to which handler: all of them, in one place."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from forwardauth.adapters.base import Adapter
from forwardauth.web.handlers.account import (
    account,
    new_password,
    strength,
    way_to_account,
)
from forwardauth.web.handlers.api import first_factor, safe_redirection, state
from forwardauth.web.handlers.assets import asset
from forwardauth.web.handlers.doctor import doctor
from forwardauth.web.handlers.end_sessions import confirm_end, end_sessions
from forwardauth.web.handlers.forbidden import create_forbidden
from forwardauth.web.handlers.health import health, ready
from forwardauth.web.handlers.home import home
from forwardauth.web.handlers.key_set import key_set
from forwardauth.web.handlers.language import choose_language
from forwardauth.web.handlers.link import finish_link, link
from forwardauth.web.handlers.login import login, login_page
from forwardauth.web.handlers.logout import logout, signed_out
from forwardauth.web.handlers.logout_api import logout_api, logout_preflight
from forwardauth.web.handlers.metrics import metrics
from forwardauth.web.handlers.sessions_api import (
    delete_session,
    delete_sessions,
    list_sessions,
)
from forwardauth.web.handlers.verify import create_verify

JWKS_PATH: Final = "/.well-known/jwks.json"


def create_routes(base_path: str, adapters: Iterable[Adapter]) -> list[web.RouteDef]:
    """Return the routes of the service, below *base_path* (empty or ``/…``)."""
    routes = [
        web.get(f"{base_path}/", home),
        web.get(f"{base_path}/account", account),
        web.get(f"{base_path}/account/password", way_to_account),
        web.post(f"{base_path}/account/password", new_password),
        web.post(f"{base_path}/account/strength", strength),
        web.get(f"{base_path}/sessions/end", confirm_end),
        web.post(f"{base_path}/sessions", end_sessions),
        web.post(f"{base_path}/language", choose_language),
        web.get(f"{base_path}/login", login_page),
        web.post(f"{base_path}/login", login),
        web.get(f"{base_path}/link", link),
        web.get(f"{base_path}/link/finish", finish_link),
        web.get(f"{base_path}/logout", logout),
        web.post(f"{base_path}/logout", logout),
        web.get(f"{base_path}/signed-out", signed_out),
        web.post(f"{base_path}/api/firstfactor", first_factor),
        web.get(f"{base_path}/api/state", state),
        web.get(f"{base_path}/api/sessions", list_sessions),
        web.delete(f"{base_path}/api/sessions", delete_sessions),
        web.delete(f"{base_path}/api/sessions/{{id}}", delete_session),
        web.post(f"{base_path}/api/logout", logout_api),
        web.options(f"{base_path}/api/logout", logout_preflight),
        web.post(f"{base_path}/api/checks/safe-redirection", safe_redirection),
        web.get(f"{base_path}/api/health", health),
        web.get(f"{base_path}/api/doctor", doctor),
        web.get(f"{base_path}/static/{{name}}", asset),
    ]
    # At the top as well: RFC 8615 has it there, and the issuer has the base path.
    routes += [web.get(p, key_set) for p in {base_path + JWKS_PATH, JWKS_PATH}]
    for adapter in adapters:
        for path in adapter.paths:
            routes += _verify_routes(adapter, base_path + path)
    return routes


def _verify_routes(adapter: Adapter, path: str) -> list[web.RouteDef]:
    """Return *path*, and everything below it for a proxy that appends its target.

    The router decodes what it compares; the adapter is given the raw target. A proxy
    that keeps our denials to itself asks for their page at a path of its own.
    """
    handler = create_verify(adapter, path)
    routes = [web.route("*", path, handler)]
    if adapter.appends_target:
        routes.append(web.route("*", path + "{target:/(?s:.*)}", handler))
    if not adapter.takes_over_logout:
        routes.append(web.get(f"{path}/forbidden", create_forbidden(adapter)))
    return routes


def create_management_routes() -> list[web.RouteDef]:
    """Return the routes of the management listener, which has no base path."""
    return [
        web.get("/metrics", metrics),
        web.get("/healthz", health),
        web.get("/readyz", ready),
    ]
