"""``/api/doctor``: what the service sees, for whoever holds its key."""

from importlib.metadata import version

import pytest

from forwardauth.web import keys
from forwardauth.web.doctor_proof import PROOF_HEADER, DoctorProofs
from tests.support.clock import START, FakeClock
from tests.support.portal import Portal

PATH = "/api/doctor"


def proof_of(portal: Portal) -> tuple[str, str]:
    """Return the header line that a holder of the key sends."""
    return (PROOF_HEADER, portal.app[keys.DOCTOR_PROOFS].create())


async def test_holder_of_the_key_is_told_what_is_seen(portal: Portal) -> None:
    """Peer, believed client, headers, time and version."""
    headers = [
        proof_of(portal),
        ("X-Forwarded-For", "198.51.100.7"),
        ("X-Forwarded-Proto", "https"),
    ]

    reply = await portal.send("GET", PATH, headers=headers)

    assert reply.status == 200
    assert reply.json()["data"] == {
        "version": version("forwardauth"),
        "time": START.isoformat(),
        "peer": "127.0.0.1",
        "is_trusted": True,
        "client": "198.51.100.7",
        "headers": {
            "Host": ["auth.example.com"],
            "X-Forwarded-For": ["198.51.100.7"],
            "X-Forwarded-Host": [],
            "X-Forwarded-Proto": ["https"],
        },
        "trusted_proxies": ["127.0.0.0/8", "::1/128"],
        "portals": ["https://auth.example.com", "https://login.example.org"],
    }
    assert reply.lines("Set-Cookie") == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(PROOF_HEADER, "")],
        [(PROOF_HEADER, DoctorProofs(b"another key" * 4, FakeClock()).create())],
    ],
    ids=["none", "empty", "foreign"],
)
async def test_stranger_sees_that_there_is_nothing(
    portal: Portal, headers: list[tuple[str, str]]
) -> None:
    """The answer is that of a path that does not exist, to the byte."""
    absent = await portal.send("GET", "/api/nothing", headers=headers)

    reply = await portal.send("GET", PATH, headers=headers)

    assert reply.status == absent.status == 404
    assert b"127.0.0.1" not in reply.body
    assert len(reply.body) == len(absent.body)


async def test_two_proofs_are_none(portal: Portal) -> None:
    """Of two headers none is taken."""
    headers = [proof_of(portal), proof_of(portal)]

    reply = await portal.send("GET", PATH, headers=headers)

    assert reply.status == 404


async def test_every_host_is_answered(portal: Portal) -> None:
    """A proxy that does not keep ``Host`` is what is looked for."""
    reply = await portal.send(
        "GET", PATH, host="forwardauth:9091", headers=[proof_of(portal)]
    )

    assert reply.json()["data"]["headers"]["Host"] == ["forwardauth:9091"]
