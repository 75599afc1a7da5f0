"""Who wants to know when sessions begin and end: audit log and metrics."""

from typing import Protocol

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import EndCause, Session


class SessionObserver(Protocol):
    """Told of every begin and end, by whatever way; must not raise or block."""

    def session_created(self, session: Session, digest: Digest) -> None:
        """A user signed in, or was carried over to another cookie domain."""
        ...

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """The store has ended a session; ``None`` when its record was unreadable."""
        ...

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """A session is refused here, and the store has still to end it."""
        ...


class Observers:
    """Several observers as one; they are told in the order in which they are given."""

    def __init__(self, *observers: SessionObserver) -> None:
        """Tell *observers*."""
        self._observers = observers

    def session_created(self, session: Session, digest: Digest) -> None:
        """Tell of a begin."""
        for observer in self._observers:
            observer.session_created(session, digest)

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """Tell of an end."""
        for observer in self._observers:
            observer.session_ended(session, digest, cause)

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """Tell of an end that the store has still to carry out."""
        for observer in self._observers:
            observer.end_pending(digest, cause)
