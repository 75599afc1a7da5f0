"""Which paths there are: every one on purpose."""

import pytest
from aiohttp import web

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from forwardauth.web.routes import create_management_routes, create_routes

ADAPTERS = create_adapters(IdentityHeaders())
ANY = "*"


def table(routes: list[web.RouteDef]) -> set[tuple[str, str]]:
    """Return method and path of each route."""
    return {(route.method, route.path) for route in routes}


@pytest.mark.parametrize("base_path", ["", "/authenticate"])
def test_portal_has_its_paths(base_path: str) -> None:
    """What applications and proxies are set up with is below the base path."""
    found = table(create_routes(base_path, ADAPTERS))

    wanted = {
        ("GET", "/"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/logout"),
        ("POST", "/logout"),
        ("GET", "/signed-out"),
        ("POST", "/api/firstfactor"),
        ("GET", "/api/state"),
        ("GET", "/api/sessions"),
        ("DELETE", "/api/sessions"),
        ("DELETE", "/api/sessions/{id}"),
        ("POST", "/api/logout"),
        ("POST", "/api/checks/safe-redirection"),
        ("GET", "/api/health"),
        (ANY, "/verify/nginx"),
        (ANY, "/verify/traefik"),
        (ANY, "/api/authz/auth-request"),
        (ANY, "/api/authz/forward-auth"),
    }
    assert {(method, base_path + path) for method, path in wanted} <= found


def test_every_adapter_is_served_for_every_method() -> None:
    """A proxy may ask with the method of the original request."""
    found = table(create_routes("", ADAPTERS))

    assert {(ANY, path) for adapter in ADAPTERS for path in adapter.paths} <= found


def test_no_route_stands_in_the_way_of_another() -> None:
    """Each method and path leads to one handler."""
    routes = create_routes("", ADAPTERS)

    assert len(table(routes)) == len(routes)


def test_state_is_changed_by_post_and_delete_alone() -> None:
    """``GET /logout`` is the one exception, with conditions of its own."""
    changing = ("sessions", "firstfactor", "safe-redirection")

    for method, path in table(create_routes("", ADAPTERS)):
        if method == "GET" and path != "/api/sessions":
            assert not path.endswith(changing)


def test_management_shares_no_path_with_the_portal() -> None:
    """Neither listener serves what is the other's (V-49)."""
    management = table(create_management_routes())

    assert management == {("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/readyz")}
    paths = {path for _, path in table(create_routes("", ADAPTERS))}
    assert paths.isdisjoint(path for _, path in management)
