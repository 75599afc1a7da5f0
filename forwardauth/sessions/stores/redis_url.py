"""The address of a Redis or Valkey, as ``session.store`` spells it.

    redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]
    redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE[/DATABASE]
    redis+cluster://[USER:PASSWORD@]HOST[:PORT],…

``rediss`` in place of ``redis`` speaks TLS. Options follow as a query, such as
``?prefix=sso&timeout_ms=500``.

Law: a message never quotes the address, because a password may stand in it; it names
the part that is wrong. Nothing here does I/O.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

DEFAULT_PREFIX: Final = "forwardauth"
DEFAULT_TIMEOUT_MS: Final = 1_000
DEFAULT_POOL: Final = 64

_REDIS_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_MAX_PORT: Final = 65_535
_TIMEOUTS_MS: Final = range(10, 60_001)
_POOLS: Final = range(1, 1_001)
_REPLICAS: Final = range(10)
_DATABASES: Final = range(1_000_000)

_URL: Final = re.compile(
    r"(?P<scheme>[a-z+]+)://(?:(?P<user>[^@/?#]*)@)?(?P<hosts>[^@/?#]+)"
    r"(?P<path>/[^@?#]*)?(?:\?(?P<query>[^@#]*))?",
    re.ASCII,
)
_HOST: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>\d+))?",
    re.ASCII,
)
_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_OPTION: Final = re.compile(r"[a-z_]+", re.ASCII)

_TLS_OPTIONS: Final = ("ca_file", "cert_file", "key_file")
_SENTINEL_OPTIONS: Final = ("sentinel_username", "sentinel_password")
_OPTIONS: Final = (
    *("prefix", "timeout_ms", "pool", "replicas"),
    *_TLS_OPTIONS,
    *_SENTINEL_OPTIONS,
)


class Topology(StrEnum):
    """How the Redis servers behind one address belong together."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


SCHEMES: Final[Mapping[str, tuple[Topology, bool]]] = MappingProxyType(
    {
        "redis": (Topology.SINGLE, False),
        "rediss": (Topology.SINGLE, True),
        "redis+sentinel": (Topology.SENTINEL, False),
        "rediss+sentinel": (Topology.SENTINEL, True),
        "redis+cluster": (Topology.CLUSTER, False),
        "rediss+cluster": (Topology.CLUSTER, True),
    }
)
"""Topology of each scheme, and whether it speaks TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """One Redis or Valkey, however many servers it has.

    Attributes:
        nodes: Host and port of the servers, or of the sentinels.
        service: What the sentinels call the primary; empty without sentinels.
        prefix: Begins every key.
        timeout_seconds: For connecting, and again for each answer.
        pool: Connections, at most, that one process holds to one server.
        replicas: How many have to have an end of a session before it is told as done.
    """

    topology: Topology
    is_tls: bool
    nodes: tuple[tuple[str, int], ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    service: str = ""
    database: int = 0
    prefix: str = DEFAULT_PREFIX
    timeout_seconds: float = DEFAULT_TIMEOUT_MS / 1_000
    pool: int = DEFAULT_POOL
    replicas: int = 0
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)


def parse_redis_url(url: str) -> RedisUrl:
    """Return what *url* says.

    Raises:
        ValueError: It cannot be used; a sentence for the person who wrote it.
    """
    found = _URL.fullmatch(url)
    if found is None or found["scheme"] not in SCHEMES:
        raise ValueError(
            "write redis://HOST:PORT/DATABASE; in user names and passwords "
            "the characters / ? # @ : % are percent-encoded"
        )
    topology, is_tls = SCHEMES[found["scheme"]]
    username, password = _parse_user(found["user"])
    service, database = _parse_place(found["path"] or "", topology)
    options = _parse_options(found["query"] or "", topology, is_tls=is_tls)
    return RedisUrl(
        topology=topology,
        is_tls=is_tls,
        nodes=_parse_nodes(found["hosts"], topology),
        username=username,
        password=password,
        service=service,
        database=database,
        prefix=_check_prefix(options.get("prefix", DEFAULT_PREFIX)),
        timeout_seconds=_number(
            "timeout_ms",
            options.get("timeout_ms", f"{DEFAULT_TIMEOUT_MS}"),
            _TIMEOUTS_MS,
        )
        / 1_000,
        pool=_number("pool", options.get("pool", f"{DEFAULT_POOL}"), _POOLS),
        replicas=_number("replicas", options.get("replicas", "0"), _REPLICAS),
        ca_file=options.get("ca_file"),
        cert_file=options.get("cert_file"),
        key_file=options.get("key_file"),
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )


def _parse_user(raw: str | None) -> tuple[str | None, str | None]:
    if raw is None:
        return None, None
    username, colon, password = raw.partition(":")
    if not colon or not password:
        raise ValueError("before the @ stands USER:PASSWORD, or :PASSWORD")
    return _decode(username) or None, _decode(password)


def _decode(raw: str) -> str:
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("percent-encoded is UTF-8, such as %C3%A9 for é") from None


def _parse_nodes(raw: str, topology: Topology) -> tuple[tuple[str, int], ...]:
    default = _SENTINEL_PORT if topology is Topology.SENTINEL else _REDIS_PORT
    nodes = [_parse_node(node, default) for node in raw.split(",")]
    if topology is Topology.SINGLE and len(nodes) > 1:
        raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
    return tuple(nodes)


def _parse_node(raw: str, default_port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(raw)
    if found is None:
        raise ValueError("a server is written HOST, HOST:PORT or [IPV6]:PORT")
    port = int(found["port"] or default_port)
    if not 1 <= port <= _MAX_PORT:
        raise ValueError(f"a port is a number from 1 to {_MAX_PORT}")
    return found["v6"] or found["name"], port


def _parse_place(path: str, topology: Topology) -> tuple[str, int]:
    """Return service and database, from what stands after the hosts."""
    parts = [_decode(part) for part in path.split("/")[1:]]
    if topology is Topology.CLUSTER:
        if parts not in ([], [""], ["0"]):
            raise ValueError("a cluster has no databases: nothing follows the hosts")
        return "", 0
    service = ""
    if topology is Topology.SENTINEL:
        if not parts or not parts[0]:
            raise ValueError("sentinels need the name of the service: HOSTS/SERVICE")
        service = parts.pop(0)
    if len(parts) > 1:
        raise ValueError("after the hosts stands the number of the database, no more")
    return service, _number("the database", "".join(parts) or "0", _DATABASES)


def _parse_options(
    query: str, topology: Topology, *, is_tls: bool
) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in _OPTIONS:
            raise ValueError(_explain_unknown(name))
        if name in options:
            raise ValueError(f"the option {name} is given twice")
        if name in _TLS_OPTIONS and not is_tls:
            raise ValueError(f"the option {name} needs TLS: write rediss")
        if name in _SENTINEL_OPTIONS and topology is not Topology.SENTINEL:
            raise ValueError(f"the option {name} needs redis+sentinel://")
        if not value:
            raise ValueError(f"the option {name} has no value")
        options[name] = _decode(value)
    if ("cert_file" in options) != ("key_file" in options):
        raise ValueError("the options cert_file and key_file go together")
    return options


def _explain_unknown(name: str) -> str:
    # A password with a ? in it that was not encoded ends up here: a name is repeated
    # where it is nearly that of an option, and can be nothing else.
    near = difflib.get_close_matches(name, _OPTIONS, n=1)
    if near and _OPTION.fullmatch(name):
        return f"unknown option of the store, {name}; did you mean {near[0]}"
    return f"unknown option of the store; there are {', '.join(_OPTIONS)}"


def _check_prefix(prefix: str) -> str:
    # Braces would move keys to other slots of a cluster; globs are for people only.
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("the prefix has 1 to 64 letters, digits or _ . : -")
    return prefix


def _number(what: str, raw: str, allowed: range) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) not in allowed:
        raise ValueError(
            f"{what} is a number from {allowed.start} to {allowed.stop - 1}"
        )
    return int(raw)
