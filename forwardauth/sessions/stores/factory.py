"""From the address in ``session.store`` to the store itself.

Law: a store is imported only where it is wanted. redis costs a third of the start-up
time of everything else together, and SQLite as much memory as a thousand sessions.
"""

from pathlib import Path

from forwardauth.clock import Clock
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.durability import Finding
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.redis_url import SCHEMES, RedisUrl, parse_redis_url


def check_store_url(url: str) -> None:
    """Return when a store can be built from *url*; nothing is opened or looked up.

    Raises:
        ValueError: It cannot; a sentence for people, without any part of *url* that
            could be a password.
    """
    _parse(url)


def build_store(url: str, clock: Clock) -> SessionStore:
    """Return the store at *url*. It connects with the first call, not now.

    Args:
        url: As in ``session.store``; the path after ``sqlite:`` is absolute by now.
        clock: Tells how long an entry still has, where the store can forget by itself.

    Raises:
        ValueError: As ``check_store_url``.
    """
    place = _parse(url)
    if place is None:
        return MemoryStore()
    if isinstance(place, Path):
        from forwardauth.sessions.stores.sqlite import SqliteStore  # noqa: PLC0415 - see law
        from forwardauth.sessions.stores.sqlite_worker import SqliteWorker  # noqa: PLC0415 - see law

        return SqliteStore(SqliteWorker(place))
    from forwardauth.sessions.stores.redis import RedisStore  # noqa: PLC0415 - see law

    return RedisStore(place, clock)


async def list_durability_findings(url: str) -> list[Finding]:
    """Return how the store at *url* could lose what it has acknowledged.

    Only servers have settings that decide it: SQLite flushes before it answers, and
    memory is gone with its process, the ended sessions too.

    Raises:
        ValueError: As ``check_store_url``.
        StoreUnavailableError: The store did not answer.
    """
    place = _parse(url)
    if not isinstance(place, RedisUrl):
        return []
    from forwardauth.sessions.stores.redis_durability import list_findings  # noqa: PLC0415 - see law

    return await list_findings(place)


def _parse(url: str) -> Path | RedisUrl | None:
    """Return the place that *url* names; memory has none."""
    if url == "memory:":
        return None
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite":
        return _parse_path(rest)
    if colon and scheme in SCHEMES:
        return parse_redis_url(url)
    if scheme.startswith("valkey"):
        raise ValueError("write redis:// for Valkey too: it speaks the same protocol")
    if scheme == "memory":
        raise ValueError("write memory: with nothing after the colon")
    raise ValueError(
        "a store is memory:, sqlite:PATH, redis://HOST:PORT/DATABASE, "
        "redis+sentinel://… or redis+cluster://…; rediss speaks TLS"
    )


def _parse_path(path: str) -> Path:
    if path.startswith("//") and not path.startswith("///"):
        raise ValueError("write sqlite:PATH, without slashes before the path")
    if not path or path.endswith("/") or "\0" in path or path == ":memory:":
        raise ValueError("sqlite: needs the path of a file, such as sqlite:sessions.db")
    if any("\ud800" <= each <= "\udfff" for each in path):
        raise ValueError("SQLite opens a file only by a name in UTF-8")
    return Path(path)
