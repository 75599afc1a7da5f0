"""``session.redis`` of Authelia as the URL of a store."""

from typing import Final
from urllib.parse import quote, urlencode

from forwardauth.config.tree import Table
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.report import Fate
from forwardauth.migration.yaml_text import Entry

_ROOT: Final = "session.redis"
_PORT: Final = "6379"
_SENTINEL_PORT: Final = "26379"
_LEFT: Final = {
    "timeout": "write ?timeout_ms= at the end of session.store",
    "max_retries": "a command is tried again in a way of its own",
    "maximum_active_connections": "write ?pool= at the end of session.store",
    "minimum_idle_connections": "connections are opened when they are needed",
}


def write_store(source: Source) -> tuple[tuple[Entry, ...], bool]:
    """Return the key ``store``, and whether it holds a password."""
    redis = source.lookup(_ROOT)
    if not isinstance(redis, Table):
        if redis is not None:
            source.refuse(redis, "must hold keys", "write them below it, indented")
        else:
            text = "keeps sessions in memory; here they are kept in sqlite:sessions.db"
            source.tell(Fate.LEFT, _ROOT, text)
        return (), False
    for name, text in _LEFT.items():
        if name in redis.entries:
            source.tell(Fate.LEFT, f"{_ROOT}.{name}", text)
    host = source.text(f"{_ROOT}.host") or ""
    if host.startswith("/"):
        text = "a socket is not spoken to; write the address of the server"
        source.tell(Fate.TO_DO, f"{_ROOT}.host", text)
        return (), False
    user = _secret(source, f"{_ROOT}.username")
    password = _secret(source, f"{_ROOT}.password")
    account = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
    tls = source.lookup(f"{_ROOT}.tls")
    scheme = "redis" if tls is None else "rediss"
    if isinstance(tls, Table) and source.text(f"{_ROOT}.tls.skip_verify") == "true":
        text = "the certificate is always verified; write ?ca_file= for one of your own"
        source.tell(Fate.STRICTER, f"{_ROOT}.tls.skip_verify", text)
    database = source.text(f"{_ROOT}.database_index") or "0"
    place = _write_place(source, host)
    options = _sentinel_options(source)
    if source.lookup(f"{_ROOT}.high_availability") is not None:
        url = f"{scheme}+sentinel://{account}{place}/{database}"
    else:
        url = f"{scheme}://{account}{place}/{database}"
    url += f"?{urlencode(options)}" if options else ""
    source.tell(Fate.TAKEN, _ROOT, "session.store, with keys under a prefix of its own")
    note = "from session.redis; better in FORWARDAUTH_SESSION__STORE_FILE"
    is_secret = bool(password or options)
    return (Entry(name="store", value=url, notes=(note,)),), is_secret


def _write_place(source: Source, host: str) -> str:
    """Return the servers, and with Sentinel the name of the service."""
    port = source.text(f"{_ROOT}.port")
    sentinel = f"{_ROOT}.high_availability"
    if source.lookup(sentinel) is None:
        return f"{host}:{port or _PORT}"
    nodes = [f"{host}:{port or _SENTINEL_PORT}"] if host else []
    for item in source.items(source.lookup(f"{sentinel}.nodes")):
        if isinstance(item, Table) and "host" in item.entries:
            name = source.text_of(item.entries["host"])
            number = item.entries.get("port")
            text = None if number is None else source.text_of(number)
            nodes.append(f"{name}:{text or _SENTINEL_PORT}")
    return f"{','.join(nodes)}/{source.text(f'{sentinel}.sentinel_name')}"


def _sentinel_options(source: Source) -> dict[str, str]:
    root = f"{_ROOT}.high_availability"
    names = ("sentinel_username", "sentinel_password")
    found = {name: _secret(source, f"{root}.{name}") for name in names}
    return {name: text for name, text in found.items() if text}


def _secret(source: Source, key: str) -> str:
    """Return a text that may be made by a template, which is then left to do."""
    node = source.lookup(key)
    if node is None:
        return ""
    if source.is_template(node):
        text = "is made by a template; write it into FORWARDAUTH_SESSION__STORE_FILE"
        source.tell(Fate.TO_DO, key, text)
        return ""
    return source.text_of(node) or ""
