"""What an edit of the users file means for sessions.

Law: whoever was disabled, removed or given another password is signed out by it, by the
same code as every end; whoever has signed in with the new password stays.
"""

from typing import Final

from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.users.file import LookupUser
from forwardauth.users.stamps import is_current
from forwardauth.users.table import UserChange, UserChangeKind

_CAUSES: Final = {
    UserChangeKind.PASSWORD_CHANGED: EndCause.PASSWORD_CHANGED,
    UserChangeKind.DISABLED: EndCause.USER_DISABLED,
    UserChangeKind.REMOVED: EndCause.USER_REMOVED,
}


class UserChanges:
    """Ends sessions when an edit of the users file asks for it."""

    def __init__(self, sessions: SessionManager, revoker: SessionRevoker) -> None:
        """Keep the parts."""
        self._sessions = sessions
        self._revoker = revoker

    async def __call__(
        self, changes: tuple[UserChange, ...], lookup_user: LookupUser
    ) -> None:
        """End what *changes* end.

        Args:
            changes: The changes.
            lookup_user: Finds the users that count by now.

        Raises:
            StoreUnavailableError: Not all of it; to be called again.
        """
        for change in changes:
            cause = _CAUSES[change.kind]
            if change.kind is UserChangeKind.PASSWORD_CHANGED:
                await self._end_outdated(change.username, lookup_user, cause=cause)
            else:
                await self._revoker.revoke_user(change.username, cause=cause)

    async def _end_outdated(
        self, username: str, lookup_user: LookupUser, *, cause: EndCause
    ) -> None:
        """End the sessions of the old password alone.

        Another worker may have seen the edit first, and signed the user in since.
        """
        user = lookup_user(username)
        for live in await self._sessions.list_user(username):
            stamps = live.session.credential
            if user is None or not is_current(stamps, user.password_hash):
                await self._revoker.revoke_digest(live.digest, cause=cause)
