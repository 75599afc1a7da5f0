"""Stores full of other people's sessions, made in bulk by each store's own layout."""

import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from forwardauth.sessions.ids import Digest, create_handle
from forwardauth.sessions.model import Session, dump_entry, to_ms
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.redis_keys import (
    Kept,
    RedisKeys,
    create_ticket,
    dump_fields,
)

LIFETIME: Final = timedelta(hours=24)
SESSIONS_PER_USER: Final = 3
REDIS_PREFIX: Final = "forwardauth"
"""What ``redis_url`` takes where the address names none."""

_PIPELINE: Final = 2_000
_REDIS_START_SECONDS: Final = 10.0


def others(count: int) -> Iterator[Entry]:
    """Yield *count* sessions as the service makes them; each user has three."""
    now = datetime.now(UTC)
    for number in range(count):
        username = f"user-{number // SESSIONS_PER_USER}"
        session = create_session(username, "0" * 32, now)
        yield dump_entry(session, Digest(os.urandom(32)))


def create_session(username: str, stamp: str, now: datetime) -> Session:
    """Return a session that began at *now*, proven with the password of *stamp*."""
    return Session(
        handle=create_handle(),
        login=create_handle(),
        username=username,
        domain="example.com",
        credential=(stamp,),
        methods=("pwd",),
        level=1,
        created=now,
        absolute=now + LIFETIME,
        idle=LIFETIME,
        seen=now,
        remembered=False,
        address="192.0.2.1",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
    )


def seed_sqlite(path: Path, entries: Iterator[Entry]) -> None:
    """Add *entries* to the file at *path*, which the store has made before."""
    rows = (
        (
            entry.digest,
            entry.owner,
            entry.login,
            entry.record,
            to_ms(entry.seen),
            to_ms(entry.expires),
        )
        for entry in entries
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", rows)


def seed_redis(port: int, entries: Iterator[Entry]) -> None:
    """Add *entries* to the server on *port* with the commands of a whole ``create``."""
    keys = RedisKeys(REDIS_PREFIX)
    now_ms = int(time.time() * 1000)
    ttl_ms = int(LIFETIME.total_seconds() * 1000)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        replies = connection.makefile("rb")
        waiting: list[bytes] = []
        for entry in entries:
            kept = Kept(entry=entry, ticket=create_ticket())
            key = keys.session(entry.digest)
            waiting += [
                _command("HSET", key, *dump_fields(kept)),
                _command("PEXPIRE", key, ttl_ms),
                _command(
                    "ZADD",
                    keys.expiries(entry.digest),
                    to_ms(entry.expires),
                    entry.digest,
                ),
            ]
            for row in keys.rows(kept):
                waiting += [
                    _command("ZADD", row.key, now_ms + ttl_ms, row.member),
                    _command("PEXPIRE", row.key, ttl_ms),
                ]
            if len(waiting) >= _PIPELINE:
                _send(connection, replies, waiting)
        _send(connection, replies, waiting)


def _command(*words: bytes | str | int) -> bytes:
    """Return *words* as one command. Source: RESP, arrays of bulk strings."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    bulk = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%b" % (len(parts), bulk)


def _send(connection: socket.socket, replies: object, waiting: list[bytes]) -> None:
    connection.sendall(b"".join(waiting))
    for _ in waiting:
        line = replies.readline()  # type: ignore[attr-defined]  # a buffered reader
        if not line.startswith(b":"):
            raise RuntimeError(f"redis answered {line!r}")
    waiting.clear()


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a redis-server in *folder* as long as the context lasts; yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - fixed
    try:
        deadline = time.monotonic() + _REDIS_START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        child.terminate()
        child.wait()
