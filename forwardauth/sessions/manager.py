"""The life of a session: create, look up, touch; ``revoker`` has its end.

Laws: whether a session counts is decided here, with one clock, at every lookup. A
lookup writes by ``touch`` alone, which changes what exists or nothing: it cannot bring
an ended session back.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, Final

from forwardauth.clock import Clock
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import (
    MAX_PRESENTED,
    Digest,
    SessionId,
    create_handle,
    create_session_id,
    digest_of,
    digests_of,
)
from forwardauth.sessions.lifetimes import Login, Timeouts
from forwardauth.sessions.model import (
    LiveSession,
    Session,
    dump_entry,
    parse_entry,
    to_ms,
)
from forwardauth.sessions.observer import SessionObserver
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.touches import Touches

_CREATE_ATTEMPTS: Final = 3

_log = logging.getLogger(__name__)


class SessionManager:
    """Creates and looks up sessions; one for each worker."""

    def __init__(
        self,
        *,
        store: SessionStore,
        clock: Clock,
        timeouts: Timeouts,
        revoker: SessionRevoker,
        observer: SessionObserver,
    ) -> None:
        """Keep the parts; nothing is opened or started before the first call."""
        self._store = store
        self._clock = clock
        self._timeouts = timeouts
        self._revoker = revoker
        self._observer = observer
        self._touch_interval = timeouts.touch_interval
        self._tasks: set[asyncio.Task[Any]] = set()
        self.touches = Touches(store, interval=timeouts.touch_interval)
        """Records uses, for whoever looks sessions up in the store by another way."""

    async def create(self, login: Login) -> tuple[SessionId, Session]:
        """Begin a session; return its secret, for the cookie, and the session.

        A linked one is a use of its login: both expire at the same time from now on.

        Raises:
            StoreUnavailableError: Nothing was created that could ever be looked up.
        """
        if self._revoker.backlog.may_cover_user(login.username):
            listed = await self._store.list_owner(login.username)
            await self._revoker.backlog.make_way(login.username, listed)
        session = self._new_session(login)
        for _ in range(_CREATE_ATTEMPTS):
            session_id = create_session_id()
            digest = digest_of(session_id)
            if await self._store.create(dump_entry(session, digest)):
                self._observer.session_created(session, digest)
                if login.linked_to is not None:
                    live = LiveSession(session=session, digest=digest)
                    await self._touch(live, session.created)
                return session_id, session
        message = "every attempt to create the session was overtaken by a revocation"
        raise StoreUnavailableError(message)

    def _new_session(self, login: Login) -> Session:
        now = self._clock.now()
        linked = login.linked_to
        remember_me = self._timeouts.remember_me if login.remembered else None
        absolute = now + (remember_me or self._timeouts.absolute)
        idle = None if remember_me else self._timeouts.idle
        return Session(
            handle=create_handle(),
            login=create_handle() if linked is None else linked.login,
            username=login.username,
            domain=login.domain,
            credential=login.credential,
            methods=login.methods,
            level=login.level,
            created=now,
            absolute=absolute if linked is None else linked.absolute,
            idle=idle if linked is None else linked.idle,
            seen=now,
            remembered=remember_me is not None,
            address=login.address,
            user_agent=login.user_agent,
        )

    async def lookup(
        self, presented: Sequence[str], *, domain: str
    ) -> LiveSession | None:
        """Return the one live session among the cookies *presented*.

        Args:
            presented: Every value of our cookie in the request, in any order.
            domain: The cookie domain of the request; sessions of others do not count.

        Returns:
            ``None`` when none is live, and when more than one is: a sibling host can
            plant a cookie, and then nobody can tell whose request this is. ``None`` as
            well for more than ``MAX_PRESENTED``.

        Raises:
            StoreUnavailableError: The store did not answer. Fail closed.
        """
        digests = digests_of(presented)
        if len(digests) > MAX_PRESENTED:
            return None
        if len(digests) == 1:  # As nearly always: no task of its own for one.
            found = [await self.lookup_digest(digests[0])]
        else:
            found = await asyncio.gather(*map(self.lookup_digest, digests))
        live = [each for each in found if each and each.session.domain == domain]
        if len(live) != 1:
            return None
        self._touch_later(live[0])
        return live[0]

    async def lookup_digest(self, digest: Digest) -> LiveSession | None:
        """Return the session with this key while it lives, on whichever domain.

        Raises:
            StoreUnavailableError: The store did not answer. Fail closed.
        """
        if self._revoker.backlog.holds(digest):
            return None
        was_quiet = self._revoker.backlog.is_empty()
        entry = await self._store.load(digest)
        if entry is not None and self._revoker.backlog.is_due():
            self._in_background(self._revoker.backlog.catch_up())
        if entry is not None and self._revoker.backlog.is_vague():
            entry = await self._reload(entry)
        elif entry is not None and not was_quiet:
            # As in ``_reload``: one that covered it may have been kept meanwhile.
            if self._revoker.backlog.covers(entry):
                return None
            entry = await self._store.load(digest)
        session = None if entry is None else parse_entry(entry)
        # Asked again after the wait: a logout may have been answered meanwhile.
        if entry is None or session is None or self._revoker.backlog.covers(entry):
            return None
        cause = session.expiry(self._clock.now())
        if cause is not None:
            self._in_background(self._revoker.expire(entry, cause))
            return None
        return LiveSession(session=session, digest=digest)

    async def _reload(self, entry: Entry) -> Entry | None:
        """Return *entry* as it is now, ``None`` if a promise about another covers it.

        Only the store knows what is linked to a session that was revoked while it was
        away: the sessions of the user tell. Loaded after that, because a promise that
        is kept meanwhile tells nothing any more.
        """
        if self._revoker.backlog.covers(entry):
            return None
        listed = await self._store.list_owner(entry.owner)
        if entry.digest in self._revoker.backlog.list_refused(listed):
            return None
        return await self._store.load(entry.digest)

    async def list_user(self, username: str) -> tuple[LiveSession, ...]:
        """Return the live sessions of *username*, the last used first.

        Raises:
            StoreUnavailableError: The store did not answer.
        """
        entries = await self._store.list_owner(username)
        refused: frozenset[Digest] = frozenset()
        if self._revoker.backlog.is_vague():
            refused = self._revoker.backlog.list_refused(entries)
            entries = await self._store.list_owner(username)
        now = self._clock.now()
        found: list[LiveSession] = []
        for entry in entries:
            session = parse_entry(entry)
            if session is None or self._revoker.backlog.covers(entry):
                continue
            if entry.digest in refused:
                continue
            if session.expiry(now) is None:
                found.append(LiveSession(session=session, digest=entry.digest))
        return tuple(found)

    def _touch_later(self, live: LiveSession) -> None:
        """Record the use of *live*, at most once in a tenth of the idle timeout.

        It counts for all sessions of the login, which have the same times. It happens
        after the answer: a lost touch shortens a session, never lengthens.
        """
        now, session = self._clock.now(), live.session
        if now - session.seen >= self._touch_interval:
            self.touches.note(
                live.digest,
                seen_ms=to_ms(now),
                expires_ms=to_ms(session.expires_after(now)),
                ends_ms=to_ms(session.expires_after(session.seen)),
            )

    async def _touch(self, live: LiveSession, now: datetime) -> None:
        expires = live.session.expires_after(now)
        await self._store.touch(live.digest, seen=now, expires=expires)

    def _in_background(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(_ignore_outage(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is under way, and record the uses that are not yet recorded."""
        await self.touches.close()
        await asyncio.gather(*self._tasks)


async def _ignore_outage(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except StoreUnavailableError as exc:
        _log.debug("background write lost: %s", exc)
    except Exception:  # noqa: BLE001 - nobody waits for it but the stop, and it logs
        _log.exception("background write failed")
