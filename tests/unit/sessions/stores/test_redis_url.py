"""The address of a Redis says everything there is to set, and keeps its password."""

from dataclasses import replace

import pytest

from forwardauth.sessions.stores.redis_url import (
    RedisUrl,
    Topology,
    parse_redis_url,
)


def single(**changes: object) -> RedisUrl:
    """Return what ``redis://cache`` says, but for *changes*."""
    fields: dict[str, object] = {
        "topology": Topology.SINGLE,
        "is_tls": False,
        "nodes": (("cache", 6379),),
    }
    return RedisUrl(**(fields | changes))  # type: ignore[arg-type]


SENTINELS = single(
    topology=Topology.SENTINEL, nodes=(("a", 26379), ("b", 7000)), service="primary"
)
CLUSTER = single(topology=Topology.CLUSTER, nodes=(("a", 1), ("b", 2), ("c", 6379)))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", single()),
        ("redis://cache/", single()),
        ("redis://cache?", single()),
        ("redis://cache:7000/12", single(nodes=(("cache", 7000),), database=12)),
        ("redis://[2001:db8::1]:70", single(nodes=(("2001:db8::1", 70),))),
        ("redis://:secret@cache", single(password="secret")),
        ("redis://me:secret@cache", single(username="me", password="secret")),
        ("redis://me:a:b@cache", single(username="me", password="a:b")),
        ("redis://m%40e:p%2F%25@cache", single(username="m@e", password="p/%")),
        ("redis://:%C3%A9@cache", single(password="é")),
        ("redis://cache?prefix=sso.x&pool=8", single(prefix="sso.x", pool=8)),
        ("redis://cache?replicas=2", single(replicas=2)),
        ("redis://cache?timeout_ms=250", single(timeout_seconds=0.25)),
        ("rediss://cache?ca_file=%2Fca", single(is_tls=True, ca_file="/ca")),
        (
            "rediss://cache?cert_file=/c&key_file=/k",
            single(is_tls=True, cert_file="/c", key_file="/k"),
        ),
        ("redis+sentinel://a,b:7000/primary", SENTINELS),
        ("rediss+sentinel://a,b:7000/primary", replace(SENTINELS, is_tls=True)),
        (
            "redis+sentinel://:x@a/p/3?sentinel_username=s&sentinel_password=t",
            replace(
                SENTINELS,
                nodes=(("a", 26379),),
                service="p",
                database=3,
                password="x",
                sentinel_username="s",
                sentinel_password="t",
            ),
        ),
        ("redis+cluster://a:1,b:2,c", CLUSTER),
        ("redis+cluster://a:1,b:2,c/0", CLUSTER),
        ("rediss+cluster://a:1,b:2,c/", replace(CLUSTER, is_tls=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_address_says(url: str, expected: RedisUrl) -> None:
    """Each part has one meaning."""
    assert parse_redis_url(url) == expected


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://", "write redis://"),
        ("redis:///0", "write redis://"),
        ("redis://pass/word@cache", "write redis://"),
        ("redis://cache#0", "write redis://"),
        ("redis://a@b@cache", "write redis://"),
        ("redis://cache?prefix=a@b", "write redis://"),
        ("redis://:%FF@cache", "UTF-8"),
        ("redis://cache?prefix=%FF", "UTF-8"),
        ("mysql://cache", "write redis://"),
        ("redis://me@cache", "USER:PASSWORD"),
        ("redis://me:@cache", "USER:PASSWORD"),
        ("redis://ca_che!", "a server is written"),
        ("redis://2001:db8::1", "a server is written"),
        ("redis://cache:", "a server is written"),
        ("redis://cache:0", "a port is a number from 1 to 65535"),
        ("redis://cache:65536", "a port is a number from 1 to 65535"),
        ("redis://a,b", "several hosts"),
        ("redis://cache/x", "the database is a number"),
        ("redis://cache/-1", "the database is a number"),
        ("redis://cache/0/1", "no more"),
        ("redis+sentinel://a,b", "name of the service"),
        ("redis+sentinel://a,b/", "name of the service"),
        ("redis+sentinel://a/primary/0/1", "no more"),
        ("redis+sentinel://a,/primary", "a server is written"),
        ("redis+cluster://a/1", "no databases"),
        ("redis://cache?poool=3", "unknown option of the store, poool; did you mean"),
        ("redis://cache?qqqq=3", "there are prefix, timeout_ms, pool"),
        ("redis://cache?S3cr3t", "unknown option of the store; there are prefix"),
        ("redis://cache?hunter=x&hunter=y", "unknown option of the store; there are"),
        ("redis://cache?pool=3&pool=4", "twice"),
        ("redis://cache?pool=", "no value"),
        ("redis://cache?pool", "no value"),
        ("redis://cache?pool=0", "pool is a number from 1 to 1000"),
        ("redis://cache?replicas=10", "replicas is a number from 0 to 9"),
        ("redis://cache?pool=\u0663", "pool is a number"),
        ("redis://cache?timeout_ms=1.5", "timeout_ms is a number from 10 to 60000"),
        ("redis://cache?prefix=a{b}", "the prefix has"),
        ("redis://cache?ca_file=x", "needs TLS"),
        ("rediss://cache?key_file=x", "go together"),
        ("redis://cache?sentinel_password=x", r"needs redis\+sentinel://"),
    ],
)
def test_unusable_address_is_explained(url: str, sentence: str) -> None:
    """The sentence names the part."""
    with pytest.raises(ValueError, match=sentence):
        parse_redis_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:hunter2@ca_che!",
        "redis://me:hunter2@cache:99999",
        "redis://me:hunter2@a,b",
        "redis://me:hunter2@cache?x=hunter2",
        "redis://me:hunter2@cache?hunter2",
        "redis://me:hunter2@cache/hunter2",
        "redis://me:hunt/er2@cache/hunter2",
        "redis://hunter2@cache",
        "redis://me:%zz@cache?prefix=hunter2{}",
        "redis+cluster://me:hunter2@cache/7",
        "redis+sentinel://me:hunter2@cache",
    ],
)
def test_password_is_in_no_message(url: str) -> None:
    """Whatever is wrong with an address, what it may hide is not repeated."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_redis_url(url)

    assert "hunt" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_password_is_not_in_the_value_that_is_printed() -> None:
    """A traceback that shows the address does not show the secrets."""
    url = parse_redis_url(
        "redis+sentinel://me:hunter2@a/primary?sentinel_password=hunter3"
    )

    assert "hunter" not in repr(url)
    assert "me" in repr(url)
