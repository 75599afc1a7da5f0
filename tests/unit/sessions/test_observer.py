"""Several observers are told as one is."""

from forwardauth.sessions.ids import Digest, Handle
from forwardauth.sessions.model import EndCause, Session
from forwardauth.sessions.observer import Observers
from tests.support.clock import START

DIGEST = Digest(bytes(32))
SESSION = Session(
    handle=Handle("0" * 32),
    login="1" * 32,
    username="alice",
    domain="example.com",
    credential=(),
    methods=("pwd",),
    level=1,
    created=START,
    absolute=START,
    idle=None,
    seen=START,
    remembered=False,
    address="192.0.2.1",
    user_agent="test",
)


class Diary:
    """Writes down what it is told, into *pages* that others may share."""

    def __init__(self, name: str, pages: list[tuple[object, ...]]) -> None:
        self._name = name
        self._pages = pages

    def session_created(self, session: Session, digest: Digest) -> None:
        """Write a begin down."""
        self._pages.append((self._name, "created", session, digest))

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """Write an end down."""
        self._pages.append((self._name, "ended", session, digest, cause))

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """Write a pending end down."""
        self._pages.append((self._name, "pending", digest, cause))


def test_each_is_told_everything_in_order() -> None:
    """The audit line stands before anything that follows from it."""
    pages: list[tuple[object, ...]] = []
    observers = Observers(Diary("a", pages), Diary("b", pages))

    observers.session_created(SESSION, DIGEST)
    observers.session_ended(SESSION, DIGEST, EndCause.USER)
    observers.session_ended(None, DIGEST, EndCause.IDLE)
    observers.end_pending(DIGEST, EndCause.ADMIN)

    told: tuple[tuple[object, ...], ...] = (
        ("created", SESSION, DIGEST),
        ("ended", SESSION, DIGEST, EndCause.USER),
        ("ended", None, DIGEST, EndCause.IDLE),
        ("pending", DIGEST, EndCause.ADMIN),
    )
    assert pages == [(name, *what) for what in told for name in ("a", "b")]
