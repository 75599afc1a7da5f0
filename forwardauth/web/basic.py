"""Basic for programs: from credentials that come with a request to the user.

Laws: a password is verified by the same pool, and slowed down by the same throttle, as
at the login form. Whoever is slowed down is told so, right password or not: what was
proven a moment ago must be no way to guess. So it counts again at the address that
proved it alone, and there until the first other password, and asks nobody; everything
else asks the throttle's store, and while that does not answer nobody gets in. Nothing
else is written but metrics, audit log, and in the users file a stronger hash, as at a
login.
"""

import asyncio
from typing import TypeAlias
from weakref import WeakValueDictionary

from forwardauth.adapters.headers import IPAddress
from forwardauth.errors import (
    CredentialsError,
    StoreUnavailableError,
    ThrottledError,
)
from forwardauth.users.file import UsersFile
from forwardauth.users.model import User, canonical_name
from forwardauth.users.passwords import Passwords
from forwardauth.users.proofs import RecentProofs
from forwardauth.users.stamps import is_current
from forwardauth.users.throttle import Throttle
from forwardauth.web.audit import AuditLog
from forwardauth.web.authorization import BasicCredentials

_Refusal: TypeAlias = CredentialsError | ThrottledError | StoreUnavailableError
_Attempt: TypeAlias = tuple[bytes, str]


class BasicSignIn:
    """Verifies the credentials of programs; one for each worker."""

    def __init__(
        self,
        *,
        users: UsersFile,
        passwords: Passwords,
        throttle: Throttle,
        proofs: RecentProofs,
        audit: AuditLog,
    ) -> None:
        """Keep the parts."""
        self._users = users
        self._passwords = passwords
        self._throttle = throttle
        self._proofs = proofs
        self._audit = audit
        # Weak, so that an attempt never outlives whoever makes it: nobody would wait
        # for ever, whatever became of that request.
        self._running: WeakValueDictionary[
            _Attempt, asyncio.Future[_Refusal | None]
        ] = WeakValueDictionary()

    async def verify(
        self, credentials: BasicCredentials, address: IPAddress | None
    ) -> User:
        """Return the user whose *credentials* these are, as the file is now.

        Args:
            credentials: As received.
            address: The client's, as far as trusted proxies vouch for it.

        Raises:
            CredentialsError: User and password do not match, or the user is disabled.
            ThrottledError: Too many attempts on this account or from this address, or
                too many verifications are waiting.
            StoreUnavailableError: Nobody could count the attempt.
        """
        try:
            place = "" if address is None else str(address)
            return await self._verify(credentials, place)
        except (CredentialsError, ThrottledError) as exc:
            is_wrong = isinstance(exc, CredentialsError)
            reason = "credentials" if is_wrong else "throttled"
            self._audit.basic_failed(credentials.username, address, reason)
            raise

    async def _verify(self, credentials: BasicCredentials, place: str) -> User:
        while True:
            attempt = self._attempt_of(credentials, place)
            running = self._running.get(attempt)
            if running is None:
                return await self._try(credentials, place, attempt)
            await asyncio.wait((running,))
            refusal = None if running.cancelled() else running.result()
            if refusal is not None:
                raise refusal
            # Proven a moment ago, or the user was edited, or whoever tried went away:
            # the next turn tells, and waits for nobody unless it has to.

    def _attempt_of(self, credentials: BasicCredentials, place: str) -> _Attempt:
        """Return what two requests share that are one attempt, without the password."""
        user = self._users.get(credentials.username)
        name = canonical_name(credentials.username) if user is None else user.username
        stored = "" if user is None else user.password_hash
        return self._proofs.digest(name, stored, credentials.password), place

    async def _try(
        self, credentials: BasicCredentials, place: str, attempt: _Attempt
    ) -> User:
        """Verify for every request that makes the same attempt meanwhile."""
        ended: asyncio.Future[_Refusal | None]
        ended = asyncio.get_running_loop().create_future()
        self._running[attempt] = ended
        try:
            user = await self._prove(credentials, place)
        except (CredentialsError, ThrottledError, StoreUnavailableError) as exc:
            ended.set_result(exc)
            raise
        else:
            ended.set_result(None)
            return user
        finally:
            self._running.pop(attempt, None)
            ended.cancel()  # Changes nothing once there is a result.

    async def _prove(self, credentials: BasicCredentials, place: str) -> User:
        username, password = credentials.username, credentials.password
        user = self._users.get(username)
        if user and not user.disabled and self._proofs.holds(user, password, place):
            self._audit.basic_accepted(is_recent=True)
            return user
        self._passwords.check_free()
        await self._throttle.check(username, place)
        try:
            proof = await self._passwords.verify(user, password)
        except CredentialsError:
            await self._throttle.record_failure(username, place)
            raise
        except ThrottledError:
            await self._throttle.release(username, place)
            raise
        await self._throttle.record_repeated_success(username, place)
        if user is None:
            raise CredentialsError("nobody proves the password of an unknown user")
        if proof.new_hash is not None:
            await self._users.save_hash(
                user.username, user.password_hash, proof.new_hash
            )
        self._proofs.add(user, password, place)
        self._audit.basic_accepted(is_recent=False)
        return self._get_unchanged(user)

    def _get_unchanged(self, proven: User) -> User:
        """Return the entry of *proven* as it is now; hashing takes its time."""
        user = self._users.get(proven.username)
        if user is None or user.disabled:
            raise CredentialsError("the user was removed or disabled meanwhile")
        if not is_current((proven.stamp,), user.password_hash):
            raise CredentialsError("the password was changed meanwhile")
        return user
