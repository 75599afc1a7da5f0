"""The audit log: one line for each thing that an operator is asked about later.

Law: a line holds no password, cookie, session id or form token, and nothing that a
client sent can break out of its field. A session appears as the first 8 hex digits of
its digest.
"""

import json
import logging
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from forwardauth.access_control.decision import Decision
from forwardauth.request import OriginalRequest
from forwardauth.sessions.ids import Digest, log_name
from forwardauth.sessions.model import EndCause, Session
from forwardauth.web.metrics import (
    BASIC,
    ENDED,
    LOGINS,
    NOTIFICATIONS,
    PENDING,
    REFUSED_TARGETS,
    Metrics,
)

_MAX_VALUE_CHARACTERS: Final = 200
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@+-]+", re.ASCII)

_log = logging.getLogger("forwardauth.audit")
_verify_log = logging.getLogger("forwardauth.verify")


def format_fields(event: str, **fields: object) -> str:
    """Return *event* and *fields* as one line of ``name=value``.

    Values that are not plain are quoted as JSON strings, ASCII only, cut at 200
    characters: no line break or terminal sequence gets into a log.
    """
    parts = [f"event={event}"]
    for name, value in fields.items():
        if value is None:
            continue
        text = str(value)
        if len(text) > _MAX_VALUE_CHARACTERS:
            text = text[:_MAX_VALUE_CHARACTERS] + "…"
        parts.append(f"{name}={text if _PLAIN.fullmatch(text) else json.dumps(text)}")
    return " ".join(parts)


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
    if not _verify_log.isEnabledFor(level):
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
    _verify_log.log(level, "%s", line)


def are_allows_logged() -> bool:
    """Whether ``log_verdict`` writes a line for requests that pass."""
    return _verify_log.isEnabledFor(logging.DEBUG)


class AuditLog:
    """Writes audit lines and counts them; a ``SessionObserver``."""

    def __init__(self, metrics: Metrics) -> None:
        """Count in *metrics*."""
        self._metrics = metrics

    def session_created(self, session: Session, digest: Digest) -> None:
        """A user signed in, or was carried over to another cookie domain."""
        self._metrics.count(LOGINS, "success")
        self._write(
            "login",
            user=session.username,
            session=log_name(digest),
            domain=session.domain,
            address=session.address,
            remembered=session.remembered,
        )

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """The store has ended a session."""
        self._metrics.count(ENDED, cause.value)
        self._write(
            "session_ended",
            reason=cause.value,
            user=None if session is None else session.username,
            session=log_name(digest),
            domain=None if session is None else session.domain,
        )

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """The store did not answer; the session is refused here and ended later."""
        self._metrics.count(PENDING)
        self._write("session_end_pending", reason=cause.value, session=log_name(digest))

    def login_failed(
        self, username: str, address: IPv4Address | IPv6Address | None, reason: str
    ) -> None:
        """Somebody did not get in; *reason* is ``credentials`` or ``throttled``."""
        self._metrics.count(LOGINS, reason)
        self._write("login_failed", reason=reason, user=username, address=address)

    def basic_accepted(self, *, is_recent: bool) -> None:
        """A program has proven its password, perhaps a moment ago; only counted."""
        self._metrics.count(BASIC, "recent" if is_recent else "verified")

    def basic_failed(
        self, username: str, address: IPv4Address | IPv6Address | None, reason: str
    ) -> None:
        """A program did not get in; *reason* is ``credentials`` or ``throttled``."""
        self._metrics.count(BASIC, reason)
        self._write("basic_failed", reason=reason, user=username, address=address)

    def target_refused(self, flow: str, reason: str, value: str) -> None:
        """A redirect target was dropped; *flow* is ``login`` or ``logout``."""
        self._metrics.count(REFUSED_TARGETS, reason)
        self._write("target_refused", flow=flow, reason=reason, target=value)

    def logout_answered(
        self,
        *,
        result: str,
        ended: int,
        user: str | None,
        sessions: Sequence[str],
        address: IPv4Address | IPv6Address | None,
        host: str,
        target: str,
    ) -> None:
        """A logout request was answered.

        Args:
            result: ``done``, ``pending`` or ``confirm``.
            ended: How many sessions the store has ended, linked ones included.
            user: Whose they were, where that is known.
            sessions: Those that were presented, as ``log_name`` writes them.
            address: The client's.
            host: The host that was asked.
            target: ``accepted``, ``refused`` or ``none``.
        """
        self._write(
            "logout",
            result=result,
            reason=None if result == "confirm" else EndCause.USER.value,
            user=user,
            session="+".join(sessions) or None,
            ended=ended,
            address=address,
            host=host,
            target=target,
        )

    def sessions_revoked(
        self,
        which: str,
        *,
        result: str,
        ended: int,
        user: str | None,
        session: str | None,
        address: IPv4Address | IPv6Address | None,
    ) -> None:
        """A user ended sessions of theirs from the list.

        Args:
            which: ``one``, ``others`` or ``all``.
            result: ``done`` or ``pending``.
            ended: How many sessions the store has ended.
            user: Who asked, where that is known.
            session: By which session of theirs, as ``log_name`` writes it.
            address: The client's.
        """
        self._write(
            "sessions_revoked",
            which=which,
            result=result,
            reason=EndCause.REVOKED.value,
            user=user,
            session=session,
            ended=ended,
            address=address,
        )

    def password_changed(
        self,
        result: str,
        *,
        user: str,
        session: str,
        address: IPv4Address | IPv6Address | None,
    ) -> None:
        """A user asked for another password; neither the old nor the new one is told.

        Args:
            result: ``done``; or why not: ``credentials``, ``conflict`` (the file was
                edited meanwhile), ``not_written``.
            user: Whose password it is.
            session: By which session it was asked, as ``log_name`` writes it.
            address: The client's.
        """
        event = "password_changed" if result == "done" else "password_not_changed"
        reason = None if result == "done" else result
        self._write(event, reason=reason, user=user, session=session, address=address)

    def application_notified(
        self,
        *,
        result: str,
        application: str,
        login_id: str,
        user: str,
        reason: str | None,
    ) -> None:
        """An application was told that a login has ended, or could not be.

        *result* is ``sent``, ``failed`` or ``dropped``; *application* has no query.
        """
        self._metrics.count(NOTIFICATIONS, result)
        self._write(
            "logout_notified",
            result=result,
            reason=reason,
            user=user,
            sid=login_id,
            application=application,
        )

    def _write(self, event: str, **fields: object) -> None:
        _log.info("%s", format_fields(event, **fields))
