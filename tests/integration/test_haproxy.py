"""HAProxy with a script that fails: it goes on to the next rule, which has to deny."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.certificates import create_certificates
from tests.support.installation import Installation, installation

_QUESTION: Final = r"local answer = core\.httpclient"
_BROKEN: Final = {
    "raises": {_QUESTION: r'error("broken")\n    \g<0>'},
    "loses an identity header": {r'"remote-email" }': '"remote-email", "remote-x" }'},
}
"""What is wrong with the script, and the change to it that makes it so."""


@pytest.fixture(scope="module", params=list(_BROKEN.values()), ids=list(_BROKEN))
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind HAProxy, whose script is broken in one way."""
    folder = tmp_path_factory.mktemp("haproxy")
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    changes = {"haproxy": {"forwardauth.lua": request.param}}
    with installation("haproxy", folder, certificates, changes=changes) as running:
        yield running


@pytest.mark.parametrize("name", ["www", "app1"])
def test_failing_script_passes_nobody(site: Installation, name: str) -> None:
    """A question that was not answered is a denial, whoever asks (V-2)."""
    reply = site.signed_in("alice").navigate(site.url(name))

    assert reply.status == 503
    assert not reply.lines("Set-Cookie")


def test_portal_goes_on(site: Installation) -> None:
    """Nobody is asked about the portal, so people can still sign out there."""
    reply = site.signed_in("alice").navigate(site.url("auth"))

    assert reply.status == 200
