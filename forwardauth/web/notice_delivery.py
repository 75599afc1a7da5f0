"""What one application is told, in a task and with connections of its own.

    queue ─► sign ─► POST ─► done, or later again

Laws: we connect to what the configuration names, follow no redirect and read no body.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from forwardauth.web.audit import AuditLog
from forwardauth.web.logout_tokens import EndedLogin, LogoutTokens
from forwardauth.web.notice_queue import Notice, NoticeQueue
from forwardauth.web.resolver import ThreadedResolver

_DONE: Final = frozenset({200, 204})
_REFUSED: Final = 400
"""The application has read the token and does not want it: asking again is no use.

Source: OpenID Connect Back-Channel Logout 1.0, 2.8.
"""

_LONGEST_PAUSE_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


def pause_seconds(
    failures: int,
    spread: Callable[[], float] = random.random,
) -> float:
    """Return how long to wait after *failures*, at least one.

    It doubles from a second up to a minute, of which between a half and the whole is
    taken: instances that failed together do not come back together.
    """
    longest = min(2.0 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
    return longest * (0.5 + spread() / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient the notifier is.

    Attributes:
        timeout_seconds: For one attempt, from the look-up of the name to the status.
        attempts: How often a notice is sent at most; eight take some two minutes.
        capacity: Notices that wait for one application at most.
        grace_seconds: How long the service's stop waits for what is left.
        pause_seconds: How long to wait after that many failures.
    """

    timeout_seconds: float = 5.0
    attempts: int = 8
    capacity: int = 10_000
    grace_seconds: float = 2.0
    pause_seconds: Callable[[int], float] = pause_seconds


class Delivery:
    """What one application is told."""

    def __init__(
        self, url: str, *, tokens: LogoutTokens, audit: AuditLog, pace: Pace
    ) -> None:
        """Tell the application at *url*, once ``run`` runs.

        Args:
            url: As configured.
            tokens: Sign what is sent; others may take their place.
            audit: Is told what has come of it.
            pace: How patient to be.
        """
        parts = urlsplit(url)
        self.url = url
        self._audience = f"{parts.scheme}://{parts.netloc}"
        # Without the query, where an operator may have put a secret.
        self._shown = self._audience + parts.path
        self._uses_tls = parts.scheme == "https"
        self.tokens = tokens
        self._audit = audit
        self._pace = pace
        self._queue = NoticeQueue(pace.capacity)
        self._sending: Notice | None = None
        self._is_closed = False

    def add(self, login: EndedLogin) -> None:
        """Queue the end of *login*."""
        dropped = self._queue.add(login)
        if dropped is not None:
            self._tell("dropped", dropped, "queue_full")

    @property
    def waiting(self) -> int:
        """How many notices have not been settled."""
        return len(self._queue) + (self._sending is not None)

    def close(self) -> None:
        """Send what is left, without a retry, and then end ``run``."""
        self._is_closed = True
        self._queue.close()

    async def run(self) -> None:
        """Send until closed."""
        # One thread: there is one host to look up.
        resolver = ThreadedResolver(1)
        async with (
            aiohttp.TCPConnector(
                resolver=resolver, ssl=await self._read_authorities()
            ) as connector,
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._pace.timeout_seconds),
                headers={"User-Agent": "forwardauth", "Cache-Control": "no-store"},
                auto_decompress=False,
            ) as client,
        ):
            await self._send_all(client)

    async def _read_authorities(self) -> ssl.SSLContext | bool:
        """Return what trusts whom the system trusts, read from its files."""
        if not self._uses_tls:
            return True  # Nobody shows a certificate.
        return await asyncio.to_thread(ssl.create_default_context)

    async def _send_all(self, client: aiohttp.ClientSession) -> None:
        while (notice := await self._queue.take()) is not None:
            self._sending = notice
            try:
                problem = await self._send(client, notice)
            except Exception:  # noqa: BLE001 - the loop has to go on, and it logs
                _log.exception("cannot notify %s", self._shown)
                problem = "error"
            self._sending = None
            self._settle(notice, problem)

    def give_up(self) -> None:
        """Say what was not sent; nothing is sent any more."""
        left = [] if self._sending is None else [self._sending]
        left += self._queue.clear()
        for notice in left:
            self._tell("dropped", notice, "stopped")

    async def _send(self, client: aiohttp.ClientSession, notice: Notice) -> str | None:
        """Send *notice* once; return what was wrong, ``None`` when it was taken.

        Every attempt has a token of its own: one from minutes ago has expired.
        """
        token = self.tokens.sign(notice.login, audience=self._audience)
        try:
            async with client.post(
                self.url, data={"logout_token": token}, allow_redirects=False
            ) as response:
                # The body is left alone: it may never end.
                status = response.status
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError):
            return "unreachable"
        return None if status in _DONE else f"status_{status}"

    def _settle(self, notice: Notice, problem: str | None) -> None:
        failures = notice.failures + 1
        if problem is None:
            self._tell("sent", notice, None)
        elif problem == f"status_{_REFUSED}" or failures >= self._pace.attempts:
            self._tell("failed", notice, problem)
        elif self._is_closed:
            self._tell("dropped", notice, problem)
        else:
            _log.info(
                "%s was not notified (%s); attempt %d of %d",
                self._shown,
                problem,
                failures,
                self._pace.attempts,
            )
            delay = self._pace.pause_seconds(failures)
            if self._queue.put_back(notice, delay_seconds=delay) is not None:
                self._tell("dropped", notice, "queue_full")

    def _tell(self, result: str, notice: Notice, reason: str | None) -> None:
        self._audit.application_notified(
            result=result,
            application=self._shown,
            login_id=notice.login.login_id,
            user=notice.login.username,
            reason=reason,
        )
