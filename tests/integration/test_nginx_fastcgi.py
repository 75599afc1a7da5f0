"""nginx with an application that speaks FastCGI, set up as ``docs/proxies`` says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.client import Reply
from tests.support.fastcgi import fastcgi_application
from tests.support.installation import Installation, installation
from tests.support.repository import ROOT

_BLOCK: Final = re.compile(
    r"```nginx\n(location ~ .+?^\})\n```", re.DOTALL | re.MULTILINE
)

IDENTITY: Final = {
    "HTTP_REMOTE_USER": "Remote-User",
    "HTTP_REMOTE_GROUPS": "Remote-Groups",
    "HTTP_REMOTE_NAME": "Remote-Name",
    "HTTP_REMOTE_EMAIL": "Remote-Email",
}
MISLEADING: Final = (
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method"),
    *("X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Uri"),
    *("X-Original-Method", "X-Original-URL", "X-Real-IP", "X-Rewrite-URL"),
)
"""What no application may have from a client."""


def documented_location(folder: Path, socket: Path) -> str:
    """Return the location that the page tells people to write, with our paths."""
    found = _BLOCK.search((ROOT / "docs/proxies/nginx.md").read_text("utf-8"))
    assert found is not None
    block = found[1]
    for theirs, ours in (
        ("/etc/nginx/forwardauth-", f"{folder}/forwardauth-"),
        (" fastcgi_params;", " /etc/nginx/fastcgi_params;"),
        ("/run/php/php-fpm.sock", str(socket)),
    ):
        assert theirs in block
        block = block.replace(theirs, ours)
    return block


@pytest.fixture(scope="module")
def site(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind nginx; www and app1 have an application by FastCGI, too."""
    folder = tmp_path_factory.mktemp("fastcgi")
    socket = folder / "php-fpm.sock"
    location = documented_location(folder / "nginx", socket).replace("\\", r"\\")
    server = r"(server_name +(?:www|app1)\.example\.com;)"
    changes = {"nginx": {"nginx.conf": {server: rf"\g<1>{location}"}}}
    with (
        fastcgi_application(socket),
        installation("nginx", folder, certificates, changes=changes) as running,
    ):
        yield running


def received(reply: Reply) -> dict[str, str]:
    """Return the parameters that the application was given."""
    assert reply.status == 200, reply
    parameters: dict[str, str] = reply.json()
    return parameters


def test_application_learns_who_asks(site: Installation) -> None:
    """All four arrive under the names of headers, the user as REMOTE_USER (V-26)."""
    url = site.url("app1", "/index.php")

    told = received(site.signed_in("alice").navigate(url))

    assert told["REMOTE_USER"] == "alice"
    assert [told[name] for name in IDENTITY] == [
        "alice",
        "admins,staff",
        "Alice Example",
        "alice@example.com",
    ]
    assert told["SCRIPT_FILENAME"].endswith("/index.php")


def test_nobody_passes_without_session(site: Installation) -> None:
    """The location is as closed as any other (V-3)."""
    reply = site.client().navigate(site.url("app1", "/index.php"))

    assert reply.status == 302


@pytest.mark.parametrize("name", ["bob", None])
def test_identity_cannot_be_forged(site: Installation, name: str | None) -> None:
    """What a client says of itself does not arrive, nor where all may pass (V-26)."""
    client = site.signed_in(name) if name else site.client()
    forged = [(header, "forged") for header in IDENTITY.values()]

    told = received(
        client.navigate(site.url("www", "/index.php"), headers=forged),
    )

    assert told.get("REMOTE_USER", "") == (name or "")
    assert "forged" not in told.values()


def test_application_is_not_misled(site: Installation) -> None:
    """Host, address and path are nginx's word (V-24)."""
    headers = [(header, "forged") for header in MISLEADING]

    told = received(
        site.client().navigate(site.url("www", "/index.php"), headers=headers)
    )

    assert "forged" not in told.values()
    assert told["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert told["HTTP_X_FORWARDED_PROTO"] == "https"


def test_host_of_the_request_line_counts(site: Installation) -> None:
    """Where it and ``Host`` differ, the application is told what was decided about."""
    url = site.url("www", "/index.php")
    other = site.url("app1", "").removeprefix("https://")

    answer = site.client().send_raw(url, f"GET {url} HTTP/1.1\r\nHost: {other}\r\n")

    assert b'"HTTP_HOST": "www.example.com:' in answer
