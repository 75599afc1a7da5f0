"""Sessions as an operator reads them: a table for people, records for programs.

Law: a session has its handle for a name, never its id or digest. What a browser sent is
shown, and nothing in it is obeyed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

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
    """Return lines; *is_id_whole* is for sessions that only whole ids tell apart."""
    length = None if is_id_whole else SHOWN_CHARACTERS
    return table_of([_HEADINGS, *(_cells_of(each, length) for each in sessions)])


def session_records(sessions: Sequence[Session]) -> list[dict[str, object]]:
    """Return what JSON says of each session: the names of ``GET /api/sessions``."""
    return [
        {
            "id": session.handle,
            "user": session.username,
            "domain": session.domain,
            "created": _spell(session.created),
            "last_seen": _spell(session.seen),
            "address": session.address,
            "user_agent": session.user_agent,
            "remembered": session.remembered,
        }
        for session in sessions
    ]


def count_sessions(number: int) -> str:
    """Return *number* of sessions in words."""
    return "1 session" if number == 1 else f"{number or 'no'} sessions"


def _cells_of(session: Session, length: int | None) -> tuple[str, ...]:
    device = parse_user_agent(session.user_agent)
    names = [name for name in (device.browser, device.system) if name]
    said = session.user_agent[:_MAX_BROWSER_CHARACTERS]
    return (
        session.handle[:length],
        session.username,
        session.domain,
        f"{session.created:%Y-%m-%d %H:%M}",
        f"{session.seen:%Y-%m-%d %H:%M}",
        session.address,
        " on ".join(names) or said or "unknown",
    )


def _spell(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
