"""Two addresses of the same store, and of different ones."""

import pytest

from forwardauth.sessions.stores.identity import identity_of

SAME = {
    "path": ("sqlite:/a/b.db", "sqlite:/a/../a/b.db"),
    "password": ("redis://h:6379/0", "redis://u:p@h/0"),
    "options": ("redis://h", "redis://h?timeout_ms=500&pool=9"),
    "tls": ("redis://h", "rediss://h"),
    "order": ("redis+cluster://a,b", "redis+cluster://b:6379,a"),
}
DIFFERENT = {
    "path": ("sqlite:/a/b.db", "sqlite:/a/c.db"),
    "kind": ("sqlite:/a/b.db", "memory:"),
    "host": ("redis://h", "redis://i"),
    "port": ("redis://h", "redis://h:6380"),
    "database": ("redis://h/0", "redis://h/1"),
    "prefix": ("redis://h", "redis://h?prefix=sso"),
    "service": ("redis+sentinel://h/one", "redis+sentinel://h/two"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=list(SAME))
def test_way_there_does_not_count(one: str, other: str) -> None:
    """The store is the same."""
    assert identity_of(one) == identity_of(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=list(DIFFERENT))
def test_place_counts(one: str, other: str) -> None:
    """What is kept elsewhere is another store."""
    assert identity_of(one) != identity_of(other)


def test_password_is_in_neither() -> None:
    """Nothing that is compared has to hold one."""
    assert "hunter2" not in identity_of("redis://me:hunter2@h")
