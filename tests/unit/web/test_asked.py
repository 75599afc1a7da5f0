"""A question that was asked: what everybody who asks it shares."""

from pathlib import Path

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from forwardauth.web import keys
from forwardauth.web.readings import Readings
from tests.support.portal import APP, Portal


def test_way_to_the_portal_is_worked_out_once_when_it_is_taken(tmp_path: Path) -> None:
    """A browser in which nobody is signed in is sent there, and knows the way back."""
    app = Portal(tmp_path).app
    readings = Readings(
        create_adapters(IdentityHeaders()),
        app[keys.SETTINGS],
        app[keys.ACCESS_CONTROL],
    )
    head = (
        "GET /verify/nginx HTTP/1.1\r\nHost: auth\r\n"
        f"X-Original-URL: https://{APP}/inbox\r\nX-Original-Method: POST\r\n\r\n"
    )
    read = readings.read(head.encode(), "127.0.0.1")
    assert read is not None
    reading = read[0].reading

    sent = reading.sent_to_portal()

    location = (
        b"Location: https://auth.example.com/login"
        b"?rd=https%3A%2F%2Fapp.example.com%2Finbox&rm=POST\r\n"
    )
    assert location in sent.now()
    assert reading.sent_to_portal() is sent
