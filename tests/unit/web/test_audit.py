"""Audit lines: whole and telling, with nothing in them that is a secret."""

import logging
import re

import pytest

from forwardauth.sessions.ids import SessionId, digest_of, log_name
from forwardauth.web import keys
from forwardauth.web.metrics import ENDED, LOGINS, REFUSED_TARGETS
from tests.support.log_lines import parse
from tests.support.portal import APP, COOKIE, PASSWORD, Portal, cookie_value

OWN = [("Sec-Fetch-Site", "same-origin")]
FORGED = 'eve" reason=none\nevent=login user=alice\x1b[2J'


async def test_login_and_logout_have_a_line_each(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Who, from where, which session by 8 digits, why, and by which request (L-56)."""
    fields = [("username", "alice"), ("password", PASSWORD)]
    sent = [*OWN, ("X-Forwarded-For", "192.0.2.66, 203.0.113.7")]
    sent += [("X-Request-ID", "7f00-1")]
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        login = await portal.post_form("/login", fields, headers=sent)
        token = cookie_value(login, COOKIE)
        await portal.send(
            "GET", f"/logout?rd=https://{APP}/", headers=sent[1:], cookie=token
        )

    digest = digest_of(SessionId(token))
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"event=login user=alice session={log_name(digest)} domain=example.com "
            "address=203.0.113.7 remembered=False request_id=7f00-1"
        ),
        (
            f"event=session_ended reason=user user=alice session={log_name(digest)} "
            "domain=example.com request_id=7f00-1"
        ),
        (
            "event=logout result=done reason=user user=alice "
            f"session={log_name(digest)} ended=1 address=203.0.113.7 "
            "host=auth.example.com target=accepted request_id=7f00-1"
        ),
    ]
    assert len(log_name(digest)) == 8


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/logout", [], {"result": "done", "ended": "0", "target": "none"}),
        (
            "/logout?rd=https://evil.example/",
            [],
            {"result": "done", "ended": "0", "target": "refused"},
        ),
        (
            "/logout",
            [("Origin", "https://evil.example")],
            {"result": "confirm", "ended": "0", "target": "none"},
        ),
    ],
    ids=["nothing to end", "refused target", "asked first"],
)
async def test_every_logout_answer_is_told(
    portal: Portal,
    caplog: pytest.LogCaptureFixture,
    path: str,
    headers: list[tuple[str, str]],
    expected: dict[str, str],
) -> None:
    """One line an answer, also when nothing was ended (L-56)."""
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        await portal.send("GET", path, headers=headers)

    lines = [parse(record.getMessage()) for record in caplog.records]
    (told,) = [line for line in lines if line["event"] == "logout"]
    assert expected.items() <= told.items()


async def test_name_that_was_typed_cannot_forge_a_line(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever stands in the form stays in its field (L-56, V-48)."""
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        await portal.post_form(
            "/login",
            [("username", FORGED), ("password", "x")],
            headers=[*OWN, ("X-Request-ID", "1")],
        )

    (record,) = caplog.records
    assert parse(record.getMessage()) == {
        "event": "login_failed",
        "reason": "credentials",
        "user": FORGED,
        "address": "127.0.0.1",
        "request_id": "1",
    }


async def test_refused_target_is_told_escaped(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what was refused and why, in a field of its own (L-34)."""
    target = "https://evil.example/%0D%0Aevent%3Dlogin%20user%3Dalice%1B%5B2J%7F"
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        await portal.send("GET", f"/logout?rd={target}")

    told = parse(caplog.records[0].getMessage())
    assert told["event"] == "target_refused"
    assert told["flow"] == "logout"
    assert told["target"] == (
        "https://evil.example/\r\nevent=login user=alice\x1b[2J\x7f"
    )


async def test_no_line_holds_a_secret(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither password, session id, whole digest, pre-session nor form token (L-56)."""
    caplog.set_level(logging.DEBUG)
    shown = await portal.send("GET", "/login")
    presession = cookie_value(shown, f"__Host-{COOKIE}_login")
    (form_token,) = re.findall(rb'name="csrf_token" value="([0-9a-f]{64})"', shown.body)
    fields = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("csrf_token", form_token.decode()),
    ]
    line = ("Cookie", f"__Host-{COOKIE}_login={presession}")
    token = cookie_value(
        await portal.post_form("/login", fields, headers=[line]), COOKIE
    )
    await portal.verify(token)
    await portal.send("GET", "/", cookie=token)
    await portal.send("GET", "/logout", cookie=token)
    await portal.verify(token)

    secrets = [
        PASSWORD,
        token,
        digest_of(SessionId(token)).hex(),
        presession,
        form_token.decode(),
    ]
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("forwardauth")]
    assert len(ours) >= 5
    assert [s for s in secrets if any(s in message for message in ours)] == []


async def test_lines_are_counted(portal: Portal) -> None:
    """Operators see logins, ends and refused targets as numbers (L-57)."""
    metrics = portal.app[keys.METRICS]
    token, _ = await portal.create_session()
    await portal.post_form(
        "/login", [("username", "x"), ("password", "x")], headers=OWN
    )

    await portal.send("GET", "/logout?rd=https://evil.example/", cookie=token)

    assert metrics.samples(LOGINS) == [(("credentials",), 1), (("success",), 1)]
    assert metrics.samples(ENDED) == [(("user",), 1)]
    assert [count for _, count in metrics.samples(REFUSED_TARGETS)] == [1]


async def test_revocation_from_the_list_names_who_asked(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says who ended what, by which session and from where (L-56)."""
    token, _ = await portal.create_session()
    _, other = await portal.create_session()
    caplog.set_level("INFO", logger="forwardauth.audit")

    await portal.send(
        "DELETE",
        f"/api/sessions/{other.handle}",
        cookie=token,
        headers=[("X-Forwarded-For", "203.0.113.9"), ("X-Request-ID", "1")],
    )

    assert (
        "event=sessions_revoked which=one result=done reason=revoked user=alice "
        f"session={log_name(digest_of(token))} ended=1 address=203.0.113.9 request_id=1"
    ) in caplog.messages
