"""A user's change of the own password: proof, judgement, file, sessions.

    the form ─► current one ─► new one  ─► written ─► sessions
    both new    proven         judged,     in the     ended, and
    ones alike                 hashed      file       a new one

Laws: nothing is written before the current password is proven, as often as a login may
try and no more. What the file holds by then is never overwritten, unless it is what was
proven. Once the new hash is written the change has happened, and is told so, whatever
becomes of the sessions after it, and to a form that was sent twice as well.
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import ConfigError, CredentialsError, StoreUnavailableError
from forwardauth.sessions.ids import Digest, SessionId, digest_of, log_name
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS, EndCause, Session
from forwardauth.users.editor import EditError
from forwardauth.users.model import User
from forwardauth.users.policy import Judgement, Weakness
from forwardauth.users.stamps import stamp_of
from forwardauth.web import keys
from forwardauth.web.account_pages import PasswordFailure
from forwardauth.web.credentials import place_of, prove, session_line
from forwardauth.web.forwarded import lookup_browser_address
from forwardauth.web.identity import Identity

_BY_WEAKNESS: Final = {
    Weakness.TOO_SHORT: PasswordFailure.TOO_SHORT,
    Weakness.TOO_LONG: PasswordFailure.TOO_LONG,
    Weakness.TOO_EASY: PasswordFailure.TOO_EASY,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """What the form holds; as typed."""

    current: str = field(repr=False)
    new: str = field(repr=False)
    repeated: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The file holds the new password.

    Attributes:
        digest: Of the new session; ``None`` when the store did not make one.
        cookies: The lines that give it to the browser.
    """

    digest: Digest | None
    cookies: tuple[str, ...] = ()


async def judge_password(request: web.Request, user: User, password: str) -> Judgement:
    """Return what *password* would be worth to *user*.

    Raises:
        ThrottledError: Too many passwords are waiting to be verified or judged.
    """
    app = request.app
    policy = app[keys.SETTINGS].password_policy
    return await app[keys.PASSWORDS].run(partial(policy.judge, password, user=user))


async def change_password(
    request: web.Request, domain: CookieDomain, identity: Identity, form: NewPassword
) -> Changed | PasswordFailure:
    """Change the password of *identity*, end all sessions of theirs, begin a new one.

    Returns:
        Why nothing was written, or what has happened.

    Raises:
        ThrottledError: Too many attempts; nothing was written.
    """
    failure = await _lookup_failure(request, identity, form)
    if failure is not None:
        return failure
    passwords, users = request.app[keys.PASSWORDS], request.app[keys.USERS]
    user = identity.user
    new_hash = await passwords.run(partial(passwords.hash, form.new))
    try:
        is_written = await users.change_password(user, new_hash)
    except (EditError, ConfigError) as exc:
        _log.warning("the password of a user could not be changed: %s", exc)
        _tell(request, identity, "not_written")
        return PasswordFailure.NOT_WRITTEN
    in_file = new_hash if is_written else await _lookup_same(request, user, form.new)
    _tell(request, identity, "conflict" if in_file is None else "done")
    if in_file is None:
        return PasswordFailure.CONFLICT
    return await _begin_anew(request, domain, identity, in_file)


async def _lookup_failure(
    request: web.Request, identity: Identity, form: NewPassword
) -> PasswordFailure | None:
    """Return what is wrong with *form*, ``None`` when its passwords may be used."""
    if form.new != form.repeated:
        return PasswordFailure.MISMATCH
    user = identity.user
    try:
        await prove(request, user, user.username, form.current)
    except CredentialsError:
        _tell(request, identity, "credentials")
        return PasswordFailure.CREDENTIALS
    if form.new == form.current:
        return PasswordFailure.UNCHANGED
    weakness = (await judge_password(request, user, form.new)).weakness
    return None if weakness is None else _BY_WEAKNESS[weakness]


async def _lookup_same(request: web.Request, user: User, password: str) -> str | None:
    """Return the hash in the file when it is one of *password* by now.

    A second press of the button makes the browser forget the answer to the first, which
    has changed the password: it is answered as what it asked for.
    """
    current = request.app[keys.USERS].get(user.username)
    if current is None:
        return None
    try:
        await request.app[keys.PASSWORDS].verify(current, password)
    except CredentialsError:
        return None
    return current.password_hash


async def _begin_anew(
    request: web.Request, domain: CookieDomain, identity: Identity, new_hash: str
) -> Changed:
    """End every session of the user and make one in this browser's place.

    It carries the stamp of the old hash, too: another worker may not have read the file
    yet, and would end it as one that was made with another password.
    """
    app, user = request.app, identity.user
    cause = EndCause.PASSWORD_CHANGED
    try:
        await app[keys.REVOKER].revoke_user(user.username, cause=cause)
        session_id, session = await _create(request, domain, identity, new_hash)
    except StoreUnavailableError as exc:
        # Each worker refuses the old sessions by their stamp, as soon as it has read
        # the file.
        _log.warning("no session after a change of password: %s", exc)
        return Changed(digest=None)
    line = session_line(request, domain, session_id, session)
    return Changed(digest=digest_of(session_id), cookies=(line,))


async def _create(
    request: web.Request, domain: CookieDomain, identity: Identity, new_hash: str
) -> tuple[SessionId, Session]:
    before = identity.live.session
    return await request.app[keys.SESSIONS].create(
        Login(
            username=identity.user.username,
            domain=domain.name,
            credential=(identity.user.stamp, stamp_of(new_hash)),
            methods=before.methods,
            remembered=before.remembered,
            address=place_of(request),
            user_agent=request.headers.get("User-Agent", "")[
                :MAX_USER_AGENT_CHARACTERS
            ],
        )
    )


def _tell(request: web.Request, identity: Identity, result: str) -> None:
    trusted = request.app[keys.SETTINGS].trusted_proxies
    request.app[keys.AUDIT].password_changed(
        result,
        user=identity.user.username,
        session=log_name(identity.live.digest),
        address=lookup_browser_address(request, trusted),
    )
