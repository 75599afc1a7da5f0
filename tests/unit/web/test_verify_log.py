"""The lines of verify: what they tell, and when."""

import logging

import pytest

from tests.support.log_lines import parse
from tests.support.portal import APP, Portal


async def test_verify_tells_refusals_without_the_query(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Queries hold secrets of applications, and no line holds a query (V-48)."""
    with caplog.at_level(logging.INFO, "forwardauth.verify"):
        await portal.verify(None, uri="/a%20b/?token=s3cret", method="POST")

    (record,) = caplog.records
    told = parse(record.getMessage())
    assert told["event"] == "verify"
    assert told["adapter"] == "traefik"
    assert told["host"] == APP
    assert told["method"] == "POST"
    assert told["path"] == "/a%20b/"
    assert told["address"] == "127.0.0.1"
    assert "user" not in told
    assert "s3cret" not in caplog.text


async def test_verify_tells_what_passed_on_demand(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """What may pass is many lines, so it is for debugging (V-48)."""
    token, _ = await portal.create_session()
    caplog.clear()
    with caplog.at_level(logging.INFO, "forwardauth.verify"):
        await portal.verify(token)
    silent = [record.name for record in caplog.records]
    with caplog.at_level(logging.DEBUG, "forwardauth.verify"):
        await portal.verify(token)

    assert "forwardauth.verify" not in silent
    (record,) = (r for r in caplog.records if r.name == "forwardauth.verify")
    assert record.levelno == logging.DEBUG
    told = parse(record.getMessage())
    assert (told["outcome"], told["user"]) == ("allow", "alice")
    assert token not in caplog.text
