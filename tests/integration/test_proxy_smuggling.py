"""Requests that read differently to two programs, against every proxy as shipped.

Law: the applications themselves say what reached them. An attack may be answered in any
way, and may reach the open site as what it is; nothing else.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from socket import create_connection
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.support.attacks import ATTACKS, FORGED, Attack
from tests.support.certificates import create_certificates
from tests.support.installation import COOKIE, Installation, installation
from tests.support.journal import Arrival, Journal
from tests.support.proxies import PROXIES

IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")
BOB: Final = {"bob", "Bob Example", "bob@example.com"}
_PATIENCE_SECONDS: Final = 1.0
"""How long an answer may stay away: some attacks leave a proxy waiting for a body."""
_SECOND_SECONDS: Final = 0.25
"""How long another answer may, once there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One proxy under attack.

    Attributes:
        site: Everything that runs.
        journal: What reaches the applications.
        bob: The cookie line of somebody who may see app1, and not app2.
        context: For all handshakes; to make one takes longer than to use it.
    """

    site: Installation
    journal: Journal
    bob: str
    context: ssl.SSLContext

    def authority(self, name: str) -> str:
        """Return host and port of the site *name*."""
        return urlsplit(self.site.url(name)).netloc

    def strike(
        self, attack: Attack, name: str, *more: str
    ) -> tuple[bytes, list[Arrival]]:
        """Send *attack* at the site *name*; return the answer, and what has arrived.

        Where something may be left over of it, somebody else asks for the open site
        afterwards, and has to get the answer to their own question.
        """
        request = attack.render(
            host=self.authority(name), open_host=self.authority("www"), more=more
        )
        server = name if attack.server_name == "host" else "www"
        with self.journal.watch() as arrivals:
            answer = self._exchange(f"{server}.example.com", request, attack.has_rest)
            if attack.has_rest:
                after = self.site.client().fetch(self.site.url("www", "/after"))
                assert after.json()["target"] == "/after"
        return answer, [each for each in arrivals if each.target != "/after"]

    def _exchange(self, server_name: str, request: bytes, has_rest: bool) -> bytes:
        """Return the answer, or all answers where the request may be several.

        All are there when the other side closes, or falls silent.
        """
        port = self.site.gateway.port
        answer = b""
        with (
            create_connection(("127.0.0.1", port), timeout=10) as plain,
            self.context.wrap_socket(plain, server_hostname=server_name) as connection,
            suppress(TimeoutError, ConnectionError, ssl.SSLError),
        ):
            connection.settimeout(_PATIENCE_SECONDS)
            connection.sendall(request)
            while received := connection.recv(65536):
                answer += received
                connection.settimeout(_SECOND_SECONDS)
                if not has_rest and _is_whole(answer):
                    break
        return answer


def _is_whole(answer: bytes) -> bool:
    """Whether *answer* says by its length that nothing comes behind it.

    Envoy waits for the client to close first, which would be a second each time.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


@pytest.fixture(scope="module", params=list(PROXIES))
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Run everything behind one proxy."""
    folder = tmp_path_factory.mktemp(request.param)
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    with installation(request.param, folder, certificates) as running:
        token = running.signed_in("bob").jar.value(COOKIE)
        yield Stage(
            site=running,
            journal=Journal(path=folder / "applications.log"),
            bob=f"Cookie: {COOKIE}={token}",
            context=running.client().context(),
        )


def identity_of(arrival: Arrival) -> set[str]:
    """Return every word about a user that an application can find in a request."""
    return {value for name in IDENTITY for value in arrival.values(name)} - {""}


class TestAttacks:
    """One table of attacks, at every proxy."""

    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
    def test_anonymous_request_reaches_no_protected_application(
        self, stage: Stage, attack: Attack
    ) -> None:
        """Whatever nobody sends, app1 neither hears nor answers it (V-12, V-13)."""
        answer, arrivals = stage.strike(attack, "app1", *FORGED)

        assert {each.application for each in arrivals} <= {"www"}
        assert not set().union(*map(identity_of, arrivals))
        assert b'"application": "app' not in answer

    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
    def test_member_of_no_group_reaches_no_application_of_the_group(
        self, stage: Stage, attack: Attack
    ) -> None:
        """A session opens what it opens, and is nobody else's (V-14, V-18, V-23)."""
        answer, arrivals = stage.strike(attack, "app2", stage.bob, *FORGED)

        assert {each.application for each in arrivals} <= {"www", "app1"}
        assert set().union(*map(identity_of, arrivals)) <= BOB
        assert b'"application": "app2"' not in answer

    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
    def test_identity_that_arrives_is_the_services_word(
        self, stage: Stage, attack: Attack
    ) -> None:
        """Where bob may go he is bob or nobody, and one person at most (V-14, V-26)."""
        _, arrivals = stage.strike(attack, "app1", stage.bob, *FORGED)

        assert set().union(*map(identity_of, arrivals)) <= BOB
        for arrival in arrivals:
            assert all(len(arrival.values(name)) <= 1 for name in IDENTITY)

    def test_who_may_pass_arrives_as_themselves(self, stage: Stage) -> None:
        """The same way is open, and what bob claims to be is replaced on it (V-26)."""
        answer, (arrival,) = stage.strike(Attack(), "app1", stage.bob, *FORGED)

        assert (arrival.application, arrival.target) == ("app1", "/private")
        assert identity_of(arrival) == BOB
        assert b'"application": "app1"' in answer
