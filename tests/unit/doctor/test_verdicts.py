"""What a proxy's answer tells of the verdict of verify behind it."""

import json

import pytest

from forwardauth.doctor.exchange import Reply
from forwardauth.doctor.verdicts import leads_to_login, message_of, target_of
from forwardauth.domains import CookieDomain, Origin

PORTAL = Origin(scheme="https", host="auth.example.com")
DOMAIN = CookieDomain(name="example.com", portal=PORTAL)
LOGIN = "https://auth.example.com/login"
QUERY = "?rd=https%3A%2F%2Fapp.example.com%2F%3Fa%3Db%2526c&rm=GET"
TARGET = "https://app.example.com/?a=b%26c"


def answer(status: int, location: str = "", data: object = None) -> Reply:
    """Return an answer with a header, or with JSON."""
    body = b"" if data is None else json.dumps(data).encode()
    return Reply(status=status, headers=(("Location", location),), body=body)


JSON = {
    "status": "KO",
    "message": "sign-in needed",
    "data": {"redirect": LOGIN + QUERY},
}


@pytest.mark.parametrize(
    ("reply", "leads"),
    [
        (answer(302, LOGIN + QUERY), True),
        (answer(303, LOGIN), True),
        (answer(401, data=JSON), True),
        (answer(200, LOGIN), False),
        (answer(302, LOGIN + "-elsewhere"), False),
        (answer(302, "https://evil.example/login"), False),
        (answer(302, "http://["), False),
        (answer(401, data={"data": {"redirect": None}}), False),
        (answer(401, data=["redirect"]), False),
        (answer(401), False),
    ],
)
def test_way_to_the_portal_is_known(reply: Reply, leads: bool) -> None:
    """By a redirect of a browser, or by the JSON for a program; by nothing else."""
    assert leads_to_login(reply, DOMAIN) is leads


@pytest.mark.parametrize(
    ("reply", "target"),
    [
        (answer(302, LOGIN + QUERY), TARGET),
        (answer(401, data=JSON), TARGET),
        (answer(302, LOGIN), ""),
        (answer(302, "http://[?rd=a"), "a"),
        (answer(200), ""),
    ],
)
def test_address_that_was_asked_about_is_read(reply: Reply, target: str) -> None:
    """Decoded once, as it was encoded once; whatever else stands there."""
    assert target_of(reply) == target


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"status": "KO", "message": "X-Original-URL is missing"}, "X-Original-URL is"),
        ({"status": "OK", "message": "fine"}, ""),
        ({"message": "an application"}, ""),
        ([], ""),
        ({"status": "KO", "message": "x" * 900}, "x" * 300),
    ],
)
def test_message_is_ours_alone(data: object, message: str) -> None:
    """What an application says of itself is no word of verify's."""
    told = message_of(answer(400, data=data))

    assert told.startswith(message)
    assert len(told) <= 300
    assert bool(told) is bool(message)
