"""The identity headers behind every proxy: other names, any letters, no aliases.

The proxies run the files of ``deploy/`` with the names of the headers changed, in the
lines that docs/configuration.md lists. nginx, Traefik and Caddy are also made to let
names with an underscore through: what the service does about them is seen only where
they reach it. HAProxy and Envoy hand the service no header that it does not read, so
there the line is all there is.
"""

import re
from collections.abc import Iterator
from typing import Final

import pytest
import yaml

from tests.support.certificates import Certificates
from tests.support.installation import Installation, installation
from tests.support.proxies import PROXIES, Changes
from tests.support.users import QUICK_HASH

NAMES: Final = (
    "X-WebAuth-User",
    "X-WebAuth-Groups",
    "X-WebAuth-Name",
    "X-WebAuth-Email",
)
SETTINGS: Final = {
    f"FORWARDAUTH_HEADERS__{name.rpartition('-')[2].upper()}": name for name in NAMES
}

CHANGES: Final[Changes] = {
    "nginx": {
        "nginx.conf": {r"http \{": "http {\n    underscores_in_headers on;"},
        "forwardauth-location.conf": {
            r"\$upstream_http_remote_": "$upstream_http_x_webauth_",
            r"proxy_set_header Remote-": "proxy_set_header X-WebAuth-",
        },
    },
    "traefik": {
        "traefik.yaml": {r"aliasHeadersStrategy: delete": ""},
        "dynamic/routes.yaml": {r"- Remote-": "- X-WebAuth-"},
    },
    "caddy": {
        "Caddyfile": {
            r"request_header -\*_\*": "",
            r"request_header -Remote-": "request_header -X-WebAuth-",
            r"copy_headers .*": f"copy_headers {' '.join(NAMES)}",
        },
    },
    "haproxy": {
        "forwardauth.lua": {r'"remote-': '"x-webauth-'},
        "haproxy.cfg": {r"del-header remote-": "del-header x-webauth-"},
    },
    "envoy": {
        "envoy.yaml": {
            r"exact: remote-": "exact: x-webauth-",
            r"prefix: remote-": "prefix: x-webauth-",
        },
    },
}
REFUSED: Final = {"nginx": 403, "traefik": 400, "caddy": 400}
"""Who hands such names to the service, and what becomes of the request."""

ZOE: Final = {
    "displayname": "Zoë Łukasz 李 🙂",
    "email": "zoë@example.com",
    "groups": ["ops", "équipe", "admins"],
}


@pytest.fixture(scope="module", params=list(PROXIES))
def site(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run everything behind one proxy, with headers of other names."""
    folder = tmp_path_factory.mktemp(request.param)
    users = folder / "zoe.yaml"
    users.touch(mode=0o600)
    entry = {"zoë": {**ZOE, "password": QUICK_HASH}}
    users.write_text(yaml.safe_dump({"users": entry}, allow_unicode=True))
    with installation(
        request.param,
        folder,
        certificates,
        settings={**SETTINGS, "FORWARDAUTH_USERS__FILE": str(users)},
        changes=CHANGES,
    ) as running:
        yield running


def test_values_arrive_under_configured_names_byte_for_byte(site: Installation) -> None:
    """Any letter is the bytes of UTF-8, and a client's copies are gone (V-26, V-27)."""
    client = site.signed_in("zoë")

    reply = client.navigate(
        site.url("app2"), headers=[(name, "root") for name in NAMES]
    )

    arrived = [
        [value.encode("latin-1").decode("utf-8") for value in reply.reached(name)]
        for name in NAMES
    ]
    assert reply.status == 200, reply
    assert arrived == [
        ["zoë"],
        ["admins,ops,équipe"],
        ["Zoë Łukasz 李 🙂"],
        ["zoë@example.com"],
    ]


def test_nobody_is_an_empty_value_or_none(site: Installation) -> None:
    """On an open site a client's own copy does not become somebody (V-26)."""
    forged = [(name, "root") for name in NAMES]

    reply = site.client().navigate(site.url("www"), headers=forged)

    assert reply.status == 200, reply
    assert [reply.reached(name) for name in NAMES] in ([[""]] * 4, [[]] * 4)


@pytest.mark.parametrize("alias", ["X_WebAuth_User", "x-webauth_groups"])
def test_alias_never_reaches_an_application(site: Installation, alias: str) -> None:
    """The service refuses what the proxy passes on, on an open site too (V-14)."""
    headers = [(alias, "root")]

    reply = site.client().navigate(site.url("www"), headers=headers)

    assert reply.status == REFUSED.get(site.gateway.name, 200), reply
    if reply.status == 200:
        names = {name.lower() for name, _ in reply.json()["headers"]}
        assert alias.lower() not in names
    else:
        log = site.services[0].log.read_text()
        assert re.search(rf"(?i)reason=header_alias .*{alias}: could be taken", log)


@pytest.mark.parametrize(
    "alias", ["X.WebAuth.User", "X~WebAuth~User", "X-WebAuth!User"]
)
def test_name_with_another_mark_never_reaches_an_application(
    site: Installation, alias: str
) -> None:
    """The proxy drops it or the service refuses it: some CGI servers fold it (V-14)."""
    reply = site.client().navigate(site.url("www"), headers=[(alias, "root")])

    reached = reply.json()["headers"] if reply.status == 200 else []
    assert reply.status in {200, 400, 403}, reply
    assert alias.lower() not in {name.lower() for name, _ in reached}
