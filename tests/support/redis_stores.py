"""Redis stores as tests open them: a prefix for each test, and always closed."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlencode

from forwardauth.clock import Clock
from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.rows import NoGlanceError
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.sessions.stores.redis_url import parse_redis_url
from tests.support.clock import FakeClock

PATIENT_MS = 20_000
"""A timeout that no busy machine exceeds, for tests that are not about timeouts."""


def create_prefix() -> str:
    """Return a prefix that no other test uses: an empty store on a used server."""
    return f"test-{secrets.token_hex(4)}"


@asynccontextmanager
async def opened(
    url: str, clock: Clock | None = None, /, **options: str | int
) -> AsyncIterator[RedisStore]:
    """Open a store at *url* as long as the context lasts.

    Args:
        url: Without options.
        clock: Stands still when left out.
        options: Of the URL, such as ``prefix``.
    """
    query = urlencode({"timeout_ms": PATIENT_MS, **options})
    store = RedisStore(parse_redis_url(f"{url}?{query}"), clock or FakeClock())
    try:
        yield store
    finally:
        await store.close()


async def ask_all(store: RedisStore, digests: Iterable[Digest]) -> list[Found]:
    """Ask about all *digests* at once; return what is told, in their order."""
    loop = asyncio.get_running_loop()
    told: list[asyncio.Future[Found]] = []
    questions: list[Question] = []
    for digest in digests:
        answer: asyncio.Future[Found] = loop.create_future()
        told.append(answer)
        questions.append(Question(digest, partial(_set_found, answer)))
    store.ask(questions)
    return await asyncio.gather(*told)


def _set_found(answer: "asyncio.Future[Found]", found: Found, _: int) -> None:
    answer.set_result(found)


def ask(store: RedisStore, digest: Digest) -> "asyncio.Future[Found]":
    """Ask about *digest* now; what is told is the result."""
    answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    store.ask([Question(digest, partial(_set_found, answer))])
    return answer


async def ask_on_lane(store: RedisStore, digest: Digest) -> Found:
    """Ask about *digest* until there is a lane that tells."""
    async with asyncio.timeout(PATIENT_MS / 1_000):
        while True:
            found = await ask(store, digest)
            if not isinstance(found, NoGlanceError):
                return found
            await asyncio.sleep(0.01)
