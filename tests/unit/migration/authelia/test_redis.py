"""``session.redis`` of Authelia becomes the URL of a store."""

from pathlib import Path

import pytest

from forwardauth.migration.report import Fate
from tests.support.migration import AUTHELIA, import_authelia

SENTINEL = (
    "{sentinel_name: main, sentinel_password: q,"
    " nodes: [{host: s2, port: 26380}, {host: s3}]}"
)
STORES = {
    "host": ("{host: redis}", "redis://redis:6379/0"),
    "all": (
        "{host: r, port: 6380, username: u, password: 'p@ss', database_index: 3}",
        "redis://u:p%40ss@r:6380/3",
    ),
    "tls": ("{host: r, tls: {server_name: r}}", "rediss://r:6379/0"),
    "sentinel": (
        "{host: s1, port: 26379, password: p, high_availability: " + SENTINEL + "}",
        "redis+sentinel://:p@s1:26379,s2:26380,s3:26379/main/0?sentinel_password=q",
    ),
}


@pytest.mark.parametrize(("redis", "wanted"), STORES.values(), ids=STORES)
def test_the_url_of_the_store(tmp_path: Path, redis: str, wanted: str) -> None:
    """With the password in it, which no report shows."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  redis: {redis}\n")

    assert written.settings.session.store == wanted
    assert "p@ss" not in "".join(written.report.lines())
    assert "p%40ss" not in "".join(written.report.lines())


def test_without_redis_sessions_lie_in_a_file(tmp_path: Path) -> None:
    """Memory would lose them at each restart."""
    written = import_authelia(tmp_path, AUTHELIA)

    assert written.settings.session.store == f"sqlite:{tmp_path}/sessions.db"
    assert written.texts(Fate.LEFT, "session.redis")


UNUSABLE = {
    "socket": ("{host: /run/redis.sock}", Fate.TO_DO, "session.redis.host"),
    "template": (
        "{host: r, password: '{{ secret \"/s\" }}'}",
        Fate.TO_DO,
        "session.redis.password",
    ),
    "unverified": (
        "{host: r, tls: {skip_verify: true}}",
        Fate.STRICTER,
        "session.redis.tls.skip_verify",
    ),
    "pool": (
        "{host: r, maximum_active_connections: 8}",
        Fate.LEFT,
        "session.redis.maximum_active_connections",
    ),
}


@pytest.mark.parametrize(("redis", "fate", "key"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_not_carried_over_is_told(
    tmp_path: Path, redis: str, fate: Fate, key: str
) -> None:
    """And the store is one that the service takes all the same."""
    written = import_authelia(tmp_path, f"{AUTHELIA}  redis: {redis}\n")

    assert written.texts(fate, key)
