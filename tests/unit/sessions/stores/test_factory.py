"""An address leads to its store, or to a sentence about what is wrong with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.stores.factory import (
    build_store,
    check_store_url,
    list_durability_findings,
)
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.redis import RedisStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from tests.support.clock import FakeClock
from tests.unit.sessions.contract import create_entry


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory:", MemoryStore),
        ("sqlite:/var/lib/forwardauth/sessions.db", SqliteStore),
        ("sqlite:sessions.db", SqliteStore),
        ("sqlite:///var/lib/forwardauth/sessions.db", SqliteStore),
        ("redis://127.0.0.1/3", RedisStore),
        ("rediss://cache.example.com", RedisStore),
        ("redis+sentinel://a,b/primary", RedisStore),
        ("rediss+cluster://a,b", RedisStore),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_address_leads_to_its_store(url: str, kind: type) -> None:
    """Nothing is opened: none of these places exists."""
    check_store_url(url)
    store = build_store(url, FakeClock())

    assert isinstance(store, kind)

    await store.close()


async def test_sqlite_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """Everything after the colon is the path, whatever it looks like."""
    path = tmp_path / "50% ?x=1#y.db"
    store = build_store(f"sqlite:{path}", FakeClock())

    await store.create(create_entry())
    await store.close()

    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "a store is"),
        ("sqlite:/var/\udcff.db", "by a name in UTF-8"),
        ("memory", "write memory:"),
        ("memory:x", "write memory:"),
        ("sqlite", "a store is"),
        ("sqlite:", "path of a file"),
        ("sqlite:/var/lib/", "path of a file"),
        ("sqlite::memory:", "path of a file"),
        ("sqlite:a\0b", "path of a file"),
        ("sqlite://sessions.db", "without slashes"),
        ("postgres://db", "a store is"),
        ("/var/lib/sessions.db", "a store is"),
        ("valkey://cache", "write redis://"),
        ("redis:cache:6379", "write redis://"),
        ("REDIS://cache", "a store is"),
    ],
    ids=repr,
)
def test_unusable_address_is_explained(url: str, sentence: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(ValueError, match=sentence):
        check_store_url(url)
    with pytest.raises(ValueError, match=sentence):
        build_store(url, FakeClock())


@pytest.mark.parametrize("url", ["memory:", "sqlite:sessions.db"])
async def test_what_is_no_server_loses_nothing_by_its_settings(url: str) -> None:
    """There are none that could."""
    assert await list_durability_findings(url) == []


async def test_server_that_does_not_answer_is_no_finding() -> None:
    """Nobody is told that all is well where nobody could be asked."""
    with pytest.raises(StoreUnavailableError):
        await list_durability_findings("redis://127.0.0.1:1")


def test_redis_is_imported_only_where_it_is_wanted() -> None:
    """A service on SQLite starts without it."""
    program = (
        "import sys;"
        "from forwardauth.clock import SystemClock;"
        "from forwardauth.sessions.stores.factory import *;"
        "check_store_url('redis://127.0.0.1');"
        "build_store('memory:', SystemClock());"
        "build_store('sqlite:x.db', SystemClock());"
        "sys.exit('redis' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603

    assert done.returncode == 0
