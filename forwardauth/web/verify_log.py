"""The log of verify: one line for each decision.

Law: a line holds no cookie and no query. A session appears as the first 8 hex digits of
its digest.
"""

import logging
from collections.abc import Callable

from forwardauth.access_control.decision import Decision
from forwardauth.request import OriginalRequest
from forwardauth.sessions.ids import Digest, log_name
from forwardauth.web.log_lines import Event
from forwardauth.web.request_ids import lookup_given_id

_log = logging.getLogger("forwardauth.verify")


def log_verdict(
    adapter: str,
    outcome: str,
    original: OriginalRequest | None,
    *,
    decision: Decision | None = None,
    user: str | None = None,
    session: Digest | None = None,
    reason: str | None = None,
    detail: str | None = None,
    request_id: Callable[[], str | None] = lookup_given_id,
    event: str = "verify",
) -> None:
    """Write the line of one verify decision: refusals at INFO, the rest at DEBUG.

    The query is left out: applications put secrets there. *session* is the one that
    *user* was known by. *detail* is for whoever sets up the proxy: the header that a
    refusal is about, and the remedy. *request_id* is asked where a line is written.
    """
    level = logging.DEBUG if outcome == "allow" else logging.INFO
    if not _log.isEnabledFor(level):
        return
    line = Event(
        event,
        adapter=adapter,
        outcome=outcome,
        reason=decision.reason if decision else reason,
        rule=decision.rule if decision else None,
        user=user or None,
        session=None if session is None else log_name(session),
        host=original.host if original else None,
        method=original.method if original else None,
        path=original.path if original else None,
        address=original.client if original else None,
        detail=detail,
        request_id=request_id(),
    )
    _log.log(level, line)


def are_allows_logged() -> bool:
    """Whether ``log_verdict`` writes a line for requests that pass."""
    return _log.isEnabledFor(logging.DEBUG)
