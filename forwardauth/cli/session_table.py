"""Sessions as an operator reads them: a table for people, records for programs.

Law: a session has its handle for a name, never its id or digest. What a browser sent is
shown, and nothing in it is obeyed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from forwardauth.cli.logins import SignedIn, group_logins
from forwardauth.cli.table import table_of
from forwardauth.sessions.model import Session
from forwardauth.web.devices import parse_user_agent

SHOWN_CHARACTERS: Final = 8
"""How much of a handle the table shows: more than ``--id`` needs."""

_MAX_BROWSER_CHARACTERS: Final = 40
_HEADINGS: Final = (
    *("ID", "USER", "DOMAIN", "SIGNED IN (UTC)", "LAST USED (UTC)"),
    *("ADDRESS", "BROWSER"),
)


def session_table(
    sessions: Sequence[Session], *, is_id_whole: bool = False
) -> list[str]:
    """Return a line for each login of *sessions*.

    *is_id_whole* is for those that only whole ids tell apart.
    """
    length = None if is_id_whole else SHOWN_CHARACTERS
    logins = group_logins(sessions)
    return table_of([_HEADINGS, *(_cells_of(each, length) for each in logins)])


def session_records(sessions: Sequence[Session]) -> list[dict[str, object]]:
    """Return what JSON says of each login: the names of ``GET /api/sessions``."""
    return [
        {
            "id": login.first.handle,
            "user": login.first.username,
            "domain": login.first.domain,
            "domains": list(login.domains),
            "created": _spell(login.first.created),
            "last_seen": _spell(login.seen),
            "address": login.first.address,
            "user_agent": login.first.user_agent,
            "remembered": login.first.remembered,
        }
        for login in group_logins(sessions)
    ]


def count_logins(sessions: Sequence[Session]) -> str:
    """Return how many logins *sessions* are, in words, which people call sessions."""
    return count_sessions(len(group_logins(sessions)))


def count_sessions(number: int) -> str:
    """Return *number* of sessions in words."""
    return "1 session" if number == 1 else f"{number or 'no'} sessions"


def _cells_of(login: SignedIn, length: int | None) -> tuple[str, ...]:
    session = login.first
    device = parse_user_agent(session.user_agent)
    names = [name for name in (device.browser, device.system) if name]
    said = session.user_agent[:_MAX_BROWSER_CHARACTERS]
    return (
        session.handle[:length],
        session.username,
        ", ".join(login.domains),
        f"{session.created:%Y-%m-%d %H:%M}",
        f"{login.seen:%Y-%m-%d %H:%M}",
        session.address,
        " on ".join(names) or said or "unknown",
    )


def _spell(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
