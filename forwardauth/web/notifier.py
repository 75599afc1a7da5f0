"""Telling applications that a login has ended, in the background.

    session_ended ─► queue of each application ─► sign ─► POST ─► done, or later again

Laws: whoever ends a session waits for nothing here and meets no error of ours. Each
application has its queue and its task, so one that is slow or dead delays no other. An
application that is told before and after a change of the configuration keeps its queue.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from forwardauth.clock import Clock
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.model import EndCause, Session
from forwardauth.web.audit import AuditLog
from forwardauth.web.logout_tokens import EndedLogin, LogoutTokens, login_id_of
from forwardauth.web.notice_delivery import Delivery, Pace


class LogoutNotifier:
    """Tells every application of every end; a ``SessionObserver``."""

    def __init__(
        self, *, audit: AuditLog, clock: Clock, pace: Pace | None = None
    ) -> None:
        """Tell nobody yet; see ``change``."""
        self._audit = audit
        self._clock = clock
        self._pace = pace or Pace()
        self._deliveries: list[Delivery] = []
        self._tasks: dict[Delivery, asyncio.Task[None]] = {}
        self._is_running = False

    def change(self, urls: Sequence[str], tokens: LogoutTokens) -> None:
        """Tell the applications at *urls* from now on, with *tokens*.

        Who is no longer among them is told once more what is left, and then no more.

        Args:
            urls: From the configuration.
            tokens: Prepared, as the event loop may run; they sign what waits as well.
        """
        known = {each.url: each for each in self._deliveries}
        self._deliveries = [
            known[url]
            if url in known
            else Delivery(url, tokens=tokens, audit=self._audit, pace=self._pace)
            for url in urls
        ]
        for delivery in self._deliveries:
            delivery.tokens = tokens
        for gone in known.keys() - set(urls):
            known[gone].close()
        if self._is_running:
            self._start()

    @property
    def waiting(self) -> int:
        """How many notices are on their way, or wait for their turn."""
        return sum(each.waiting for each in self._deliveries)

    def session_created(self, session: Session, digest: Digest) -> None:
        """Nothing: applications see the user come."""

    def session_ended(
        self, session: Session | None, digest: Digest, cause: EndCause
    ) -> None:
        """Queue the end of the login; of an unreadable record nothing can be told."""
        del digest, cause
        if session is None:
            return
        login = EndedLogin(
            login_id=login_id_of(session.login),
            username=session.username,
            ended=self._clock.now(),
        )
        for delivery in self._deliveries:
            delivery.add(login)

    def end_pending(self, digest: Digest, cause: EndCause) -> None:
        """Nothing yet: who it was is known when the store has ended it."""

    async def run(self, _app: object) -> AsyncIterator[None]:
        """Send while the application runs; one for ``cleanup_ctx``.

        At the end what is left is tried once more, for as long as ``grace_seconds``.
        """
        self._is_running = True
        self._start()
        yield
        self._is_running = False
        running = dict(self._tasks)
        for delivery in running:
            delivery.close()
        if running:
            _, unfinished = await asyncio.wait(
                running.values(), timeout=self._pace.grace_seconds
            )
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)
        for delivery in running:
            delivery.give_up()

    def _start(self) -> None:
        """Let each send that does not yet."""
        for delivery in self._deliveries:
            if delivery not in self._tasks:
                self._tasks[delivery] = asyncio.create_task(self._send(delivery))

    async def _send(self, delivery: Delivery) -> None:
        try:
            await delivery.run()
        finally:
            del self._tasks[delivery]
