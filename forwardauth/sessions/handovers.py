"""One login on several cookie domains: handovers are issued at home and used elsewhere.

    home domain: issue ─► code in a redirect ─► other domain: redeem ─► linked session

Laws: a code is used once, within a minute, by the browser that asked for it. A login
that has ended hands nothing over: the linked session is made first and counts only if
the code was still there to be taken, which every end of the login removes.
"""

import hmac
from datetime import timedelta
from typing import Final

from forwardauth.clock import Clock
from forwardauth.sessions.handover import (
    Handover,
    binding_of,
    dump_handover,
    parse_handover,
)
from forwardauth.sessions.ids import (
    SessionId,
    create_session_id,
    digest_of,
    parse_session_id,
)
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.model import EndCause, LiveSession, Session
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore

HANDOVER_LIFETIME: Final = timedelta(seconds=60)


class Handovers:
    """Issues and redeems codes; one for each worker."""

    def __init__(
        self,
        *,
        store: SessionStore,
        clock: Clock,
        sessions: SessionManager,
        revoker: SessionRevoker,
    ) -> None:
        """Keep the parts."""
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._revoker = revoker

    async def issue(
        self, live: LiveSession, *, domain: str, nonce: str
    ) -> SessionId | None:
        """Return a code by which the login of *live* goes on to *domain*.

        Args:
            live: A session of the browser that asks, on the home domain.
            domain: The cookie domain that it wants to go on to.
            nonce: Known to that browser alone; ``redeem`` asks for it.

        Returns:
            A secret of the form of a session id, which is none. ``None`` when the login
            has ended meanwhile.

        Raises:
            StoreUnavailableError: Nothing was issued.
        """
        handover = Handover(
            domain=domain,
            binding=binding_of(nonce),
            parent=live.digest,
            expires=self._clock.now() + HANDOVER_LIFETIME,
        )
        code = create_session_id()
        entry = dump_handover(handover, live, digest_of(code))
        return code if await self._store.create(entry) else None

    async def redeem(
        self, code: str, *, domain: str, nonce: str, address: str, user_agent: str
    ) -> tuple[SessionId, Session] | None:
        """Return the linked session that *code* stands for, ``None`` for no such code.

        Args:
            code: As received.
            domain: The cookie domain of the portal that received it.
            nonce: That of the browser which brings it.
            address: The client's.
            user_agent: The client's.

        Raises:
            StoreUnavailableError: There is no session that anybody knows the id of.
        """
        session_id = parse_session_id(code)
        if session_id is None:
            return None
        digest = digest_of(session_id)
        parent = await self._lookup_parent(session_id, domain=domain, nonce=nonce)
        if parent is None:
            return None
        session = parent.session
        linked_id, linked = await self._sessions.create(
            Login(
                username=session.username,
                domain=domain,
                credential=session.credential,
                methods=session.methods,
                level=session.level,
                remembered=session.remembered,
                address=address,
                user_agent=user_agent,
                linked_to=session,
            )
        )
        if await self._store.delete(digest) is None:
            # The login has ended, or another request used the code: then it lives on.
            await self._revoker.discard(digest_of(linked_id), EndCause.REVOKED)
            return None
        return linked_id, linked

    async def _lookup_parent(
        self, code: SessionId, *, domain: str, nonce: str
    ) -> LiveSession | None:
        """Return the live session behind *code*, if it is this browser's to use."""
        entry = await self._store.load(digest_of(code))
        handover = None if entry is None else parse_handover(entry)
        if entry is None or handover is None or handover.expires <= self._clock.now():
            return None
        is_bound = hmac.compare_digest(handover.binding, binding_of(nonce))
        if not is_bound or handover.domain != domain:
            return None
        parent = await self._sessions.lookup_digest(handover.parent)
        is_same = parent is not None and parent.session.login == entry.login
        return parent if is_same else None
