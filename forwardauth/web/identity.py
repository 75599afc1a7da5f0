"""From the cookies of a request to the person: session, then user, then subject.

Law: a session counts only as long as its user may sign in with the password that it was
proven with. What has become outdated is ended here, by the same code as every end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forwardauth.domains import CookieDomain
from forwardauth.request import Subject
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause, LiveSession
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.users.file import UsersFile
from forwardauth.users.model import User
from forwardauth.users.stamps import is_current


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person.

    Attributes:
        live: The session that says so.
        user: The entry of the users file, as it is now.
        subject: The same person as access control sees them.
    """

    live: LiveSession
    user: User
    subject: Subject


class Identities:
    """Looks up who is asking."""

    def __init__(
        self, sessions: SessionManager, revoker: SessionRevoker, users: UsersFile
    ) -> None:
        """Keep the parts."""
        self._sessions = sessions
        self._revoker = revoker
        self._users = users

    async def lookup(
        self, presented: Sequence[str], domain: CookieDomain
    ) -> Identity | None:
        """Return who the session cookies *presented* on *domain* belong to.

        Raises:
            StoreUnavailableError: Nobody can tell; fail closed.
        """
        if not presented:
            return None
        live = await self._sessions.lookup(presented, domain=domain.name)
        if live is None:
            return None
        session = live.session
        user = self._users.get(session.username)
        cause = why_outdated(user, session.username, session.credential)
        if user is None or cause is not None:
            await self._revoker.revoke_digest(
                live.digest, cause=cause or EndCause.USER_REMOVED
            )
            return None
        return Identity(
            live=live, user=user, subject=subject_of(user, live.session.level)
        )


def subject_of(user: User, level: int) -> Subject:
    """Return *user* as a subject who has proven *level* factors."""
    return Subject(
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        groups=frozenset(user.groups),
        level=level,
    )


def why_outdated(
    user: User | None, username: str, stamps: tuple[str, ...]
) -> EndCause | None:
    """Return why a session does not count any more, ``None`` while it does.

    Args:
        user: What the users file has under *username*, however it is spelled there;
            ``None`` when it has nothing.
        username: The session's.
        stamps: The session's, of the password that it was proven with.
    """
    if user is None or user.username != username:
        return EndCause.USER_REMOVED  # Another spelling is another user.
    if user.disabled:
        return EndCause.USER_DISABLED
    if not is_current(stamps, user.password_hash):
        return EndCause.PASSWORD_CHANGED
    return None
