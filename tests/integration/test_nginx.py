"""What nginx alone does: it asks once more for the page of a 403."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.client import NAVIGATION
from tests.support.installation import Installation, installation
from tests.support.proxies import Changes

ANSWERED_WITH_200: Final[Changes] = {
    "nginx": {
        "forwardauth-server.conf": {
            r"\^ /verify/nginx/forbidden\? break": "^ /api/health? break"
        }
    }
}
"""As if the service let somebody pass when it is asked for the page."""


@pytest.fixture(scope="module")
def site(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind an nginx that gets 200 where it asks for the page."""
    folder = tmp_path_factory.mktemp("nginx")
    with installation(
        "nginx", folder, certificates, changes=ANSWERED_WITH_200
    ) as running:
        yield running


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_decision_that_changes_in_between_opens_nothing(
    site: Installation, method: str
) -> None:
    """A 403 stays one, whatever the second answer is (V-2)."""
    url = site.url("app2")

    reply = site.signed_in("bob").send(method, url, headers=NAVIGATION)

    assert reply.status == 403
    assert (b"OK" in reply.body) == (method == "GET"), "the answer was the other one"
    assert b"application" not in reply.body


def test_body_of_a_forbidden_request_is_not_read(site: Installation) -> None:
    """Only requests without a body are asked about again."""
    bob = site.signed_in("bob")

    reply = bob.send("POST", site.url("app2"), headers=NAVIGATION, body=b"x" * 4096)

    assert reply.status == 403
    assert reply.json() == {"status": "KO", "message": "forbidden"}
