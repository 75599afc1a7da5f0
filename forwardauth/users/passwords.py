"""Proof of a password, off the event loop and bounded.

Laws: an unknown user, a disabled user and a wrong password cost one verification each
and raise the same error. Few verifications run at once, since each takes 64 MiB, and
few wait: a flood of logins is turned away, not queued.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar
from unicodedata import normalize

from forwardauth.errors import CredentialsError, ThrottledError
from forwardauth.processors import count_processors
from forwardauth.users.hashes import Hasher
from forwardauth.users.model import User
from forwardauth.users.stamps import is_current, stamp_of

__all__ = [
    "MAX_PASSWORD_BYTES",
    "PasswordProof",
    "Passwords",
    "is_current",
    "secret_of",
    "stamp_of",
]

MAX_PASSWORD_BYTES: Final = 1024
"""The longest password, in UTF-8 as received. Longer ones only cost time."""

_T = TypeVar("_T")

_NICENESS: Final = 12
"""Weighs the thread of a hash a fifteenth of the one that answers verify, which keeps
the rest of a processor that both want: a login takes some seconds there, and ends. A
hash of four lanes, as other programs write it, has four such threads. ``SCHED_IDLE``
would leave a login nothing."""

_NICEST: Final = 19

_MAX_CONCURRENT: Final = 2

_BUSY: Final = timedelta(seconds=2)
"""The wait when all places are taken; by then the queue has moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordProof:
    """The password was right.

    Attributes:
        new_hash: What the users file should hold instead of the present hash, which is
            older or weaker; ``None`` when it may stay.
    """

    new_hash: str | None = field(repr=False)


class Passwords:
    """Verifies passwords in threads of its own; one for each worker."""

    def __init__(
        self,
        *,
        max_concurrent: int | None = None,
        max_waiting: int = 32,
        hasher: Hasher | None = None,
        decoy: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Keep the limits; threads start with the first verification.

        Args:
            max_concurrent: Verifications that run at once; when not given two, or one
                where there is one processor: the first of two ends sooner that way,
                the second no later, and verify has more of the processor.
            max_waiting: Verifications that wait for one of those to end.
            hasher: Parameters of new hashes.
            decoy: Returns the hash that stands in for that of an unknown user, such as
                ``UsersTable.decoy``; on ``None``, one with the hasher's parameters.
        """
        self._hasher = hasher or Hasher()
        self._decoy = decoy
        self._own_decoy = self._hasher.decoy()
        if max_concurrent is None:
            max_concurrent = min(_MAX_CONCURRENT, count_processors())
        self._places = threading.BoundedSemaphore(max_concurrent + max_waiting)
        self._pool = ThreadPoolExecutor(
            max_concurrent,
            thread_name_prefix="password",
            initializer=self._start_thread,
        )

    def check_free(self) -> None:
        """Return when another verification would have a place now.

        Raises:
            ThrottledError: It would be turned away.
        """
        if not self._places.acquire(blocking=False):
            raise ThrottledError(_BUSY)
        self._places.release()

    async def verify(self, user: User | None, password: str) -> PasswordProof:
        """Return when *password* is that of *user*, who may sign in.

        Args:
            user: ``None`` for an unknown one.
            password: As received; compared in its composed form (NFC).

        Raises:
            CredentialsError: Unknown or disabled user, wrong password, or one that no
                user can have: longer than 1024 bytes, or not text.
            ThrottledError: Too many verifications are waiting. Nothing was verified.
        """
        return await self.run(partial(self._prove, user, password))

    async def run(self, job: Callable[[], _T]) -> _T:
        """Return what *job* returns, which takes its turn among the verifications.

        For what else takes a processor for a while: a new hash, or a judgement of a
        password.

        Raises:
            ThrottledError: Too many are waiting. Nothing was done.
        """
        if not self._places.acquire(blocking=False):
            raise ThrottledError(_BUSY)
        try:
            running = self._pool.submit(job)
        except RuntimeError:  # closed meanwhile
            self._places.release()
            raise
        # The place is free when the job has ended, not when its caller went away.
        running.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(running)

    def _prove(self, user: User | None, password: str) -> PasswordProof:
        secret = secret_of(password)
        if user is None:
            stored = self._decoy() or self._own_decoy
        else:
            stored = user.password_hash
        # Whatever is wrong already, the verification runs: its time tells nothing.
        is_right = self._hasher.verify(stored, secret or b"")
        if user is None or user.disabled or secret is None or not is_right:
            raise CredentialsError("user name and password do not match")
        return PasswordProof(new_hash=self._hasher.successor(stored, secret))

    def hash(self, password: str) -> str:
        """Return a new hash of *password*. Blocks; a service calls it by ``run``.

        Raises:
            ValueError: It is longer than 1024 bytes, or not text.
        """
        secret = secret_of(password)
        if secret is None:
            raise ValueError(
                f"the password is longer than {MAX_PASSWORD_BYTES} bytes, or not UTF-8"
            )
        return self._hasher.hash(secret)

    async def close(self) -> None:
        """Drop what waits and return when the running verifications have ended."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _start_thread(self) -> None:
        # Imports hold the interpreter, so they come while the thread is still quick.
        self._hasher.prepare()
        _step_back()


def _step_back() -> None:
    """Let whatever else the process does go before the thread that calls this.

    A hash takes all of a processor for a tenth of a second, while verify, for which
    every request of every application waits, wants a fraction of a millisecond of it.
    Only Linux has a priority for each thread; those that a hash starts inherit it.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, min(niceness, _NICEST))


def secret_of(password: str) -> bytes | None:
    """Return the bytes that are hashed, ``None`` for what can be no password.

    That is text of more than ``MAX_PASSWORD_BYTES``, and what is no text.
    """
    try:
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            return None
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return normalize("NFC", password).encode()
