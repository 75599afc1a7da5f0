"""The audit log: one line for each thing that an operator is asked about later.

Law: a line holds no password, cookie, session id or form token, and nothing that a
client sent can break out of its field. A session appears as the first 8 hex digits of
its digest. What a request has caused carries its name.
"""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from forwardauth.sessions.ids import Digest, log_name
from forwardauth.sessions.model import EndCause, Session
from forwardauth.web.log_lines import Event
from forwardauth.web.metrics import (
    BASIC,
    ENDED,
    LOGINS,
    LOGOUTS,
    NOTIFICATIONS,
    PENDING,
    REFUSED_TARGETS,
    Metrics,
)
from forwardauth.web.request_ids import lookup_current_id

_log = logging.getLogger("forwardauth.audit")


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
        self._metrics.count(LOGOUTS, result)
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
        _log.info(Event(event, **fields, request_id=lookup_current_id()))
