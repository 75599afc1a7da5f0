"""The name that each proxy gives a request leads from its page to our log.

With the line that ``docs/operations.md`` has for it, beside what is shipped.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.certificates import Certificates, create_certificates
from tests.support.installation import Installation
from tests.support.processes import Process, free_ports
from tests.support.proxies import SITES, Backends, prepare_gateway
from tests.support.repository import ROOT
from tests.support.service import prepare_service, write_users

DOCUMENT: Final = ROOT / "docs/operations.md"
CHOSEN: Final = "chosen-by-the-client"
UUID: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What an operator adds to a proxy.

    Attributes:
        proxy: Name of a folder of ``deploy/``.
        form: What its names look like.
        documented: The lines that the document says.
        changes: File, pattern and replacement: where they go.
    """

    proxy: str
    form: str
    documented: tuple[str, ...] = ()
    changes: dict[str, dict[str, str]] = field(default_factory=dict)


NGINX: Final = "proxy_set_header X-Request-ID $request_id;"
HAPROXY: Final = "http-request set-header X-Request-ID %[uuid]"
CADDY: Final = "header_up X-Request-ID {http.request.uuid}"
ENVOY: Final = "- {exact: x-request-id}"
NAMINGS: Final = (
    Naming(
        proxy="nginx",
        form=r"[0-9a-f]{32}",
        documented=(NGINX,),
        changes={
            "forwardauth-server.conf": {
                r"proxy_set_header +X-Original-Method \$.*": rf"\g<0>\n{NGINX}"
            },
            "forwardauth-portal.conf": {
                r"proxy_set_header Host .*": rf"\g<0>\n{NGINX}"
            },
        },
    ),
    Naming(
        proxy="haproxy",
        form=UUID,
        documented=(HAPROXY, '"x-request-id"'),
        changes={
            "haproxy.cfg": {
                r"( +)(http-request lua.forwardauth .*)": rf"\1{HAPROXY}\n\1\2"
            },
            "forwardauth.lua": {
                r'( +)"x-requested-with",': r'\g<0>\n\1"x-request-id",'
            },
        },
    ),
    Naming(
        proxy="envoy",
        form=UUID,
        documented=(ENVOY,),
        changes={
            "envoy.yaml": {r"( +)- \{exact: x-requested-with\}": rf"\g<0>\n\1{ENVOY}"}
        },
    ),
    Naming(
        proxy="caddy",
        form=UUID,
        documented=(CADDY,),
        changes={
            "Caddyfile": {
                r"(\t+)uri /verify/caddy": rf"\g<0>\n\1{CADDY}",
                r"(\t+)header_up -X-Original-\*": rf"\g<0>\n\1{CADDY}",
            }
        },
    ),
    Naming(proxy="traefik", form=CHOSEN),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """The one service that all proxies stand before in turn, on the same port.

    Attributes:
        folder: For the files of the proxies.
        certificates: What they show.
        service: The one instance.
        port: Where it listens.
        ports: Where every proxy does, for HTTPS and for HTTP.
    """

    folder: Path
    certificates: Certificates
    service: Process
    port: int
    ports: tuple[int, int]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Run the service, whose log is of JSON."""
    folder = tmp_path_factory.mktemp("request-names")
    port, *ports = free_ports(3)
    service = prepare_service(
        folder / "service",
        port=port,
        portal=f"https://auth.example.com:{ports[0]}",
        users=write_users(folder),
        settings={"FORWARDAUTH_LOGGING__FORMAT": "json"},
    )
    with service:
        yield Street(
            folder=folder,
            certificates=create_certificates(
                folder / "certificates", "example.com", "*.example.com"
            ),
            service=service,
            port=port,
            ports=(ports[0], ports[1]),
        )


@pytest.fixture(scope="module", params=NAMINGS, ids=lambda each: each.proxy)
def named(
    request: pytest.FixtureRequest, street: Street
) -> Iterator[tuple[Naming, Installation]]:
    """Run each proxy in turn; nobody gets as far as the applications."""
    naming: Naming = request.param
    gateway = prepare_gateway(
        naming.proxy,
        street.folder / naming.proxy,
        street.certificates,
        Backends(services=(street.port,), sites=dict.fromkeys(SITES, street.port)),
        changes={naming.proxy: naming.changes},
        ports=street.ports,
    )
    gateway.start(street.certificates.authority)
    try:
        yield (
            naming,
            Installation(
                gateway=gateway,
                services=(street.service,),
                certificates=street.certificates,
            ),
        )
    finally:
        gateway.process.kill()


def logged(site: Installation, event: str) -> list[Any]:
    """Return what the log has under *event*."""
    lines = site.services[0].log.read_text("utf-8").splitlines()
    return [each for each in map(json.loads, lines) if each.get("event") == event]


def test_proxy_names_its_requests(named: tuple[Naming, Installation]) -> None:
    """A sign-in that failed, and a refusal: on the page, in the log, for the browser.

    What the client calls them does not count, but for Traefik, which names none.
    """
    naming, site = named
    given = [("X-Request-ID", CHOSEN)]
    client = site.signed_in("bob")

    wrong = site.client().post_json(
        site.url("auth", "/api/firstfactor"),
        {"username": "bob", "password": "wrong"},
        headers=given,
    )
    refused = client.navigate(site.url("app2"), headers=given)

    assert (wrong.status, refused.status) == (401, 403)
    names = [each.header("X-Request-ID") for each in (wrong, refused)]
    assert all(re.fullmatch(naming.form, name) for name in names)
    assert logged(site, "login_failed")[-1]["request_id"] == names[0]
    assert logged(site, "verify")[-1]["request_id"] == names[1]
    assert names[1] in refused.body.decode()


def test_document_says_these_lines() -> None:
    """Each as it stands in the proxy's file."""
    text = DOCUMENT.read_text("utf-8")

    missing = [
        line for each in NAMINGS for line in each.documented if f"`{line}`" not in text
    ]
    assert missing == []
