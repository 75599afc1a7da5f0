"""The one way in: throttle, password, rehash, new session, for page and API alike.

Laws: the login that was there before is ended before the new one begins. A failure
never says which half was wrong, and costs the same for a user that does not exist.
"""

import logging
from dataclasses import dataclass

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import CredentialsError, ThrottledError
from forwardauth.sessions.ids import SessionId
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS, EndCause, Session
from forwardauth.users.model import User
from forwardauth.users.passwords import PasswordProof
from forwardauth.users.stamps import stamp_of
from forwardauth.web import keys
from forwardauth.web.cookies import presession_cookie, read_cookies, session_cookie
from forwardauth.web.forwarded import lookup_browser_address
from forwardauth.web.sign_in_log import SignInResult

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A login that succeeded, with the lines that tell the browser.

    Attributes:
        session: What was created.
        cookies: Values of ``Set-Cookie``: the session in, the pre-session out.
    """

    session: Session
    cookies: tuple[str, ...]


async def sign_in(
    request: web.Request,
    domain: CookieDomain,
    *,
    username: str,
    password: str,
    remember_me: bool,
) -> SignedIn:
    """Verify the password and begin a session on *domain*.

    Raises:
        CredentialsError: User and password do not match, or the user is disabled.
        ThrottledError: Too many attempts on this account or from this address.
        StoreUnavailableError: Nobody could count the attempt, and the password was not
            looked at; or it was right, but no session could be made.
    """
    app = request.app
    settings = app[keys.SETTINGS]
    address = lookup_browser_address(request, settings.trusted_proxies)
    user = app[keys.USERS].get(username)
    try:
        proof = await prove(request, user, username, password)
    except (CredentialsError, ThrottledError) as exc:
        is_wrong = isinstance(exc, CredentialsError)
        reason = "credentials" if is_wrong else "throttled"
        app[keys.AUDIT].login_failed(username, address, reason)
        if is_wrong and user is not None:
            _note(request, user, SignInResult.WRONG_PASSWORD)
        raise
    if user is None:
        raise CredentialsError("nobody proves the password of an unknown user")
    credential = await _save_rehash(request, user, proof)
    presented = read_cookies(request.headers, settings.cookie_name)
    await app[keys.REVOKER].revoke(presented, cause=EndCause.REPLACED)
    session_id, session = await app[keys.SESSIONS].create(
        Login(
            username=user.username,
            domain=domain.name,
            credential=credential,
            methods=("pwd",),
            remembered=remember_me and settings.remember_me is not None,
            address=place_of(request),
            user_agent=request.headers.get("User-Agent", "")[
                :MAX_USER_AGENT_CHARACTERS
            ],
        )
    )
    _note(request, user, SignInResult.SUCCESS)
    presession = presession_cookie(settings.cookie_name, domain)
    session_in = session_line(request, domain, session_id, session)
    return SignedIn(session=session, cookies=(session_in, presession.clear_line()))


async def prove(
    request: web.Request, user: User | None, username: str, password: str
) -> PasswordProof:
    """Return when *password* is that of *user*, and the throttle lets it be tried.

    Args:
        request: Its address is counted for.
        user: Whom the users file has under *username*; ``None`` for nobody.
        username: As typed.
        password: As typed.

    Raises:
        CredentialsError: User and password do not match, or the user is disabled.
        ThrottledError: Too many attempts on this account or from this address, or too
            many verifications are waiting.
        StoreUnavailableError: Nobody could count the attempt; see ``LoginThrottle``.
    """
    throttle, place = request.app[keys.THROTTLE], place_of(request)
    passwords = request.app[keys.PASSWORDS]
    # A flood is turned away before it gets to the store.
    passwords.check_free()
    await throttle.check(username, place)
    try:
        proof = await passwords.verify(user, password)
    except CredentialsError:
        await throttle.record_failure(username, place)
        raise
    except ThrottledError:
        await throttle.release(username, place)
        raise
    await throttle.record_success(username, place)
    return proof


async def _save_rehash(
    request: web.Request, user: User, proof: PasswordProof
) -> tuple[str, ...]:
    """Return the stamps of the password that was proven; see ``users.stamps``."""
    if proof.new_hash is None:
        return (user.stamp,)
    users = request.app[keys.USERS]
    await users.save_hash(user.username, user.password_hash, proof.new_hash)
    return (user.stamp, stamp_of(proof.new_hash))


def _note(request: web.Request, user: User, result: SignInResult) -> None:
    request.app[keys.SIGN_INS].note(
        user.username,
        result,
        address=place_of(request),
        user_agent=request.headers.get("User-Agent", ""),
    )


def place_of(request: web.Request) -> str:
    """Return the client's address as throttle and sessions know it; empty for none."""
    trusted = request.app[keys.SETTINGS].trusted_proxies
    address = lookup_browser_address(request, trusted)
    return "" if address is None else str(address)


def session_line(
    request: web.Request, domain: CookieDomain, session_id: SessionId, session: Session
) -> str:
    """Return the ``Set-Cookie`` value that gives the browser its session.

    The cookie of a remembered session outlives the browser, as long as the session.
    """
    settings = request.app[keys.SETTINGS]
    shape = session_cookie(settings.cookie_name, domain, settings.same_site)
    left = session.absolute - session.created if session.remembered else None
    return shape.set_line(session_id, max_age=left)
