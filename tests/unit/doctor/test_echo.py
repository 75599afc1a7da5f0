"""What an application shows of the request that reached it."""

import pytest

from forwardauth.doctor.echo import judge_echo, judge_told
from forwardauth.doctor.exchange import Reply
from forwardauth.doctor.findings import Outcome
from forwardauth.doctor.forgery import Forgery

MARK = "0123456789abcdef"
SEEN = f"Forwardauth-Doctor-Mark: seen-{MARK}\n"
FORGED = f"Remote-User: forged-{MARK}-00\n"
FORGERY = Forgery(names=("Remote-User", "Remote-Email"), mark=MARK)


def shown(text: str) -> Reply:
    """Return the answer of an application."""
    return Reply(status=200, headers=(), body=text.encode())


@pytest.mark.parametrize(
    ("text", "was_asked", "outcome"),
    [
        (SEEN + FORGED, False, Outcome.FAIL),
        (FORGED, True, Outcome.FAIL),
        (SEEN, False, Outcome.OK),
        ("a page", True, Outcome.OK),
        ("a page", False, Outcome.SKIP),
    ],
)
def test_forged_header_is_found_where_it_shows(
    text: str, was_asked: bool, outcome: Outcome
) -> None:
    """An application that shows nothing proves nothing."""
    finding = judge_echo("c", shown(text), FORGERY, "nginx", was_asked=was_asked)

    assert finding.outcome is outcome
    assert ("Remote-User reaches" in finding.detail) is (outcome is Outcome.FAIL)
    assert "Remote-Email" not in finding.detail


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (SEEN + "Remote-User: alice", Outcome.OK),
        (SEEN + '[["remote-user", "alice"]]', Outcome.OK),
        (SEEN + "Remote-User: \nRemote-Email: alice@example.com", Outcome.FAIL),
        (SEEN + "Remote-User: alicia", Outcome.FAIL),
        ("Hello alice", Outcome.SKIP),
        ("a page", Outcome.SKIP),
    ],
)
def test_missing_name_is_found_where_all_else_shows(
    text: str, outcome: Outcome
) -> None:
    """Of an application that shows all headers, the identity is one."""
    line = ("Remote-User", "alice")

    finding = judge_told("c", shown(text), FORGERY, line, "caddy")

    assert finding.outcome is outcome
    if outcome is Outcome.FAIL:
        assert "copy_headers Remote-User" in finding.remedy
