"""Basic for programs behind every proxy, from the shipped files.

The rule of ``app1`` takes it, that of ``app2`` does not.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.installation import Installation, installation
from tests.support.proxies import PROXIES
from tests.support.service import PASSWORD

SETTINGS: Final = {"FORWARDAUTH_ACCESS_CONTROL__RULES__1__BASIC": "true"}


@pytest.fixture(scope="module", params=list(PROXIES))
def site(
    request: pytest.FixtureRequest,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Run everything behind one proxy, with a site that takes Basic."""
    folder = tmp_path_factory.mktemp(request.param)
    with installation(request.param, folder, certificates, settings=SETTINGS) as site:
        yield site


def basic(username: str, password: str = PASSWORD) -> tuple[str, str]:
    """Return the header line of these credentials."""
    credentials = b64encode(f"{username}:{password}".encode()).decode()
    return "Authorization", f"Basic {credentials}"


def test_program_passes_by_name_and_password(site: Installation) -> None:
    """It reaches the application as the user, and is given no cookie (V-39)."""
    reply = site.client().send("GET", site.url("app1"), headers=[basic("alice")])

    assert reply.status == 200, reply
    assert reply.reached("Remote-User") == ["alice"]
    assert reply.lines("Set-Cookie") == []


def test_program_may_send_a_body(site: Installation) -> None:
    """An upload by a script arrives whole (V-37)."""
    reply = site.client().send(
        "POST", site.url("app1"), headers=[basic("alice")], body=b"x" * 100_000
    )

    assert reply.status == 200, reply
    assert reply.json()["body_bytes"] == 100_000


@pytest.mark.parametrize(
    "credentials",
    [basic("alice", "wrong"), basic("nobody"), ("Authorization", "Basic !"), None],
    ids=["wrong password", "unknown user", "malformed", "none"],
)
def test_program_is_told_that_basic_is_a_way_in(
    site: Installation, credentials: tuple[str, str] | None
) -> None:
    """Without the right words it gets 401 and the challenge (V-35, V-39)."""
    headers = [] if credentials is None else [credentials]

    reply = site.client().send("GET", site.url("app1"), headers=headers)

    assert reply.status == 401, reply
    assert [line.partition(" ")[0] for line in reply.lines("WWW-Authenticate")] == [
        "Basic"
    ]


def test_browser_is_never_asked_by_a_dialog(site: Installation) -> None:
    """A navigation leads to the portal, a fetch gets 401 without challenge (V-35)."""
    client = site.client()

    replies = [client.navigate(site.url("app1")), client.fetch(site.url("app1"))]

    assert [reply.status for reply in replies] == [302, 401]
    assert [reply.lines("WWW-Authenticate") for reply in replies] == [[], []]


def test_site_that_takes_no_basic_stays_closed(site: Installation) -> None:
    """The right password of a member opens nothing where no rule says so (V-39)."""
    reply = site.client().send("GET", site.url("app2"), headers=[basic("alice")])

    assert reply.status == 401, reply
    assert reply.lines("WWW-Authenticate") == []


def test_other_scheme_falls_through_to_the_cookie(site: Installation) -> None:
    """A token for the application itself is none of ours, and reaches it."""
    line = ("Authorization", "Bearer of.good.news")

    reply = site.signed_in("alice").navigate(site.url("app1"), headers=[line])

    assert reply.status == 200, reply
    assert reply.reached("Authorization") == [line[1]]
    assert reply.reached("Remote-User") == ["alice"]
