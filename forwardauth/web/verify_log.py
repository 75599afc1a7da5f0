"""The log of verify: one line for each decision.

Law: a line holds no cookie and no query. A session appears as the first 8 hex digits of
its digest.
"""

import logging

from forwardauth.access_control.decision import Decision
from forwardauth.request import OriginalRequest
from forwardauth.sessions.ids import Digest, log_name
from forwardauth.web.log_lines import format_fields

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
    reference: str | None = None,
    event: str = "verify",
) -> None:
    """Write the line of one verify decision: refusals at INFO, the rest at DEBUG.

    The query is left out: applications put secrets there. *session* is the one that
    *user* was known by. *detail* is for whoever sets up the proxy: the header that a
    refusal is about, and the remedy. *reference* is what the page of a refusal shows.
    """
    level = logging.DEBUG if outcome == "allow" else logging.INFO
    if not _log.isEnabledFor(level):
        return
    line = format_fields(
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
        reference=reference,
        detail=detail,
    )
    _log.log(level, "%s", line)


def are_allows_logged() -> bool:
    """Whether ``log_verdict`` writes a line for requests that pass."""
    return _log.isEnabledFor(logging.DEBUG)
