"""Every proxy, and the service below a path, as ``docs/configuration.md`` says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Certificates
from tests.support.installation import Installation, installation
from tests.support.proxies import PROXIES
from tests.support.repository import ROOT

BASE: Final = "/authenticate"
_ROW: Final = re.compile(
    r"^\| (?P<proxy>\w+) \| `(?P<file>[^`]+)` \| (?P<lines>`.+`) \|$"
)
_PATH: Final = re.compile(r"/(?:verify/\w+|logout)")


def documented_changes(proxy: str) -> dict[str, dict[str, str]]:
    """Return what the table tells who runs *proxy* to edit, and where."""
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    _, _, section = text.partition("### `server.base_path`")
    section, _, _ = section.partition("\n### ")
    (row,) = (
        found
        for line in section.splitlines()
        if (found := _ROW.match(line)) and found["proxy"].lower() == proxy
    )
    lines = re.findall("`([^`]+)`", row["lines"])
    return {row["file"]: dict(map(_edit, lines))}


def _edit(line: str) -> tuple[str, str]:
    """Return a pattern for *line*, with the tests' host and any space, and the path."""
    path = _PATH.search(line)
    assert path is not None
    before, after = (
        re.escape(part).replace(r"\ ", " +").replace("forwardauth:9091", r"[\d.:]+")
        for part in (line[: path.start()], line[path.start() :])
    )
    return f"({before})(?={after})", rf"\g<1>{BASE}"


@pytest.fixture(scope="module", params=list(PROXIES))
def site(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run everything behind one proxy, with the service below ``BASE``."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    settings = {
        "FORWARDAUTH_SERVER__BASE_PATH": BASE,
        "FORWARDAUTH_COOKIES__0__DEFAULT_TARGET": "null",
    }
    changes = {request.param: documented_changes(request.param)}
    with installation(
        request.param, folder, certificates, settings=settings, changes=changes
    ) as running:
        yield running


def test_sign_in_is_below_the_path(site: Installation) -> None:
    """The way to the portal has it."""
    reply = site.client().navigate(site.url("app1"))

    assert reply.status == 302
    assert urlsplit(reply.header("Location")).path == f"{BASE}/login"


def test_who_may_passes_and_who_may_not_is_told(site: Installation) -> None:
    """Verify is asked, and so is the page of a 403."""
    bob = site.signed_in("bob")

    passed, refused = bob.navigate(site.url("app1")), bob.navigate(site.url("app2"))

    assert passed.status == 200
    assert refused.status == 403
    assert f"{BASE}/logout".encode() in refused.body


def test_logout_of_a_protected_host_stays_where_it_is(site: Installation) -> None:
    """It ends the session, and leads to the page below the path."""
    alice = site.signed_in("alice")

    reply = alice.navigate(site.url("app1", "/logout"), site="same-origin")

    assert reply.header("Location") == site.url("auth", f"{BASE}/signed-out")
    assert alice.navigate(site.url("app1")).status == 302
