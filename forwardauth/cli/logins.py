"""Sessions as the people see them who have them: one for each login.

Law: the sessions that one login has on several cookie domains are one. They began
together, they expire together, and they end together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from forwardauth.sessions.model import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """One login.

    Attributes:
        first: The session that it began with.
        seen: Last recorded use on any domain.
        domains: The cookie domains that it reaches, the first one first.
    """

    first: Session
    seen: datetime
    domains: tuple[str, ...]


def group_logins(sessions: Iterable[Session]) -> tuple[SignedIn, ...]:
    """Return *sessions* by login, in the order in which the first of each comes."""
    by_login: dict[tuple[str, str], list[Session]] = {}
    for session in sessions:
        by_login.setdefault((session.username, session.login), []).append(session)
    return tuple(map(_join, by_login.values()))


def _join(sessions: list[Session]) -> SignedIn:
    in_order = sorted(sessions, key=lambda each: each.created)
    return SignedIn(
        first=in_order[0],
        seen=max(each.seen for each in in_order),
        domains=tuple(dict.fromkeys(each.domain for each in in_order)),
    )
