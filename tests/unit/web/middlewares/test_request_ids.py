"""Who is told the name of a request, and whose word for it counts."""

import logging
import re
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.memory import MemoryStore
from tests.support.client import NAVIGATION
from tests.support.deferred_store import DeferredStore
from tests.support.log_lines import parse
from tests.support.portal import COOKIE, Portal

NAMED = ("X-Request-ID", "7f00-1")
FORM = [("username", "alice"), ("password", "wrong")]
OWN = ("Sec-Fetch-Site", "same-origin")


async def test_answer_line_and_page_have_one_name(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """The proxy's name is the page's reference, stands in the line and is sent back."""
    caplog.set_level(logging.INFO)

    reply = await portal.send("GET", "/none", headers=[*NAVIGATION, NAMED])

    (line,) = [m for m in caplog.messages if m.startswith("event=refused")]
    assert parse(line)["request_id"] == "7f00-1"
    assert b"7f00-1" in reply.body
    assert reply.header("X-Request-ID") == "7f00-1"


async def test_request_without_a_name_gets_one_of_ours(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """All events of one request carry it, and the answer says it."""
    caplog.set_level(logging.INFO, "forwardauth.audit")
    token, _ = await portal.create_session()
    caplog.clear()

    reply = await portal.send("GET", "/logout", cookie=token)

    name = reply.header("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{8}", name)
    told = [parse(message) for message in caplog.messages]
    assert [each["event"] for each in told] == ["session_ended", "logout"]
    assert {each["request_id"] for each in told} == {name}


async def test_name_of_one_request_is_not_that_of_the_next(portal: Portal) -> None:
    """Two failures on one portal are told apart."""
    replies = [await portal.post_form("/login", FORM, headers=[OWN]) for _ in range(2)]

    first, second = (reply.header("X-Request-ID") for reply in replies)
    assert first != second


async def test_stranger_names_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What an untrusted peer calls a request does not get into the log."""
    caplog.set_level(logging.INFO)
    extra = "server: {trusted_proxies: [192.0.2.1/32]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        reply = await portal.post_form("/login", FORM, headers=[OWN, NAMED])

    assert "7f00-1" not in caplog.text
    assert reply.header("X-Request-ID") != "7f00-1"


async def test_answer_that_nothing_is_written_about_has_no_name(portal: Portal) -> None:
    """The login page, a health check and a verify that passes stay as they are."""
    token, _ = await portal.create_session()

    replies = [
        await portal.send("GET", "/login", headers=[NAMED]),
        await portal.send("GET", "/api/health", headers=[NAMED]),
        await portal.verify(token, headers=[NAMED]),
        await portal.verify(None, headers=[*NAVIGATION, NAMED]),
    ]

    assert [reply.status for reply in replies] == [200, 200, 200, 302]
    assert [reply.lines("X-Request-ID") for reply in replies] == [[]] * 4


@pytest.mark.parametrize("store", [MemoryStore, DeferredStore])
@pytest.mark.parametrize("way", ["on", "off"])
async def test_line_of_who_is_sent_to_sign_in_has_the_proxys_name(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    way: str,
    store: type[MemoryStore],
) -> None:
    """All ways write the same line, with the name that the proxy gave."""
    caplog.set_level(logging.INFO, "forwardauth.verify")
    extra = f"server: {{short_way: {way}}}\n"
    async with Portal(tmp_path, extra=extra, store=store()) as portal:
        await portal.verify(None, headers=[*NAVIGATION, NAMED])
        await portal.verify(None, headers=NAVIGATION)

    named, nameless = (parse(message) for message in caplog.messages)
    assert named.pop("request_id") == "7f00-1"
    assert named == nameless
    assert named["outcome"] == "sign_in"


@pytest.mark.parametrize("way", ["on", "off"])
async def test_line_of_an_outage_has_the_proxys_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """Whichever way the request was on when the store did not answer."""
    store = DeferredStore()
    extra = f"server: {{short_way: {way}}}\n"
    async with Portal(tmp_path, extra=extra, store=store) as portal:
        token, _ = await portal.create_session()
        caplog.set_level(logging.INFO, "forwardauth.verify")
        store.fault = lambda: StoreUnavailableError("down")
        store.go_down()
        reply = await portal.verify(token, headers=[NAMED])
        store.come_back()

    (line,) = [m for m in caplog.messages if "event=verify" in m]
    told = parse(line)
    assert reply.status == 503
    assert (told["reason"], told["request_id"]) == ("store_unavailable", "7f00-1")


async def test_page_of_a_refusal_shows_the_proxys_name(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """What somebody reads out finds the line of the proxy as well."""
    caplog.set_level(logging.INFO, "forwardauth.verify")

    reply = await portal.verify(
        None, host="closed.example.com", headers=[*NAVIGATION, NAMED]
    )

    (line,) = caplog.messages
    assert reply.status == 403
    assert parse(line)["request_id"] == "7f00-1"
    assert b"7f00-1" in reply.body
    assert reply.header("X-Request-ID") == "7f00-1"


async def test_debug_line_of_what_passes_has_the_proxys_name(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Who looks for a request that passed finds it, too."""
    token, _ = await portal.create_session()
    caplog.set_level(logging.DEBUG, "forwardauth.verify")
    caplog.clear()

    await portal.send(
        "GET",
        "/verify/nginx",
        headers=[
            ("X-Original-URL", "https://app.example.com/"),
            ("X-Original-Method", "GET"),
            ("Cookie", f"{COOKIE}={token}"),
            NAMED,
        ],
    )

    (line,) = [m for m in caplog.messages if "event=verify" in m]
    assert parse(line)["request_id"] == "7f00-1"
