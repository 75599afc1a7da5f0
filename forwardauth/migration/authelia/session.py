"""``session`` of Authelia: its lifetimes and its store.

Law: what Authelia does by default is written out, since our defaults are longer.
"""

from datetime import timedelta
from typing import Final

from forwardauth.config.durations import LONGEST, format_duration
from forwardauth.config.tree import Node, Table
from forwardauth.migration.authelia.durations import parse_duration
from forwardauth.migration.authelia.redis import write_store
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.report import Fate
from forwardauth.migration.yaml_text import Entry, Mapping

_MIN_SECRET: Final = 32
_DEFAULTS: Final = {
    "expiration": timedelta(hours=1),
    "inactivity": timedelta(minutes=5),
    "remember_me": timedelta(days=30),
}
"""Source: https://www.authelia.com/configuration/session/introduction/"""

_KEYS: Final = {
    "expiration": "absolute_timeout",
    "inactivity": "idle_timeout",
    "remember_me": "remember_me",
}
_OFF: Final = frozenset({"-1", "0", "disable"})


def write_session(source: Source) -> tuple[Mapping, bool]:
    """Return the keys below ``session``, and whether one holds a secret."""
    spans = {name: _shortest(source, name) for name in _DEFAULTS}
    expiration = spans["expiration"] or _DEFAULTS["expiration"]
    # One that is longer would never count, and is refused here.
    spans["inactivity"] = min(spans["inactivity"] or expiration, expiration)
    entries: list[Entry] = []
    for name, ours in _KEYS.items():
        span = spans[name]
        value = None if span is None else format_duration(min(span, LONGEST))
        key = f"session.{name}"
        entries.append(Entry(name=ours, value=value, notes=(f"from {key}",)))
        told = "null, so nobody is remembered" if value is None else value
        source.tell(Fate.TAKEN, key, f"session.{ours}: {told}")
    entries += _write_same_site(source)
    store, has_password = write_store(source)
    secret = _write_secret(source)
    _tell_of_names(source)
    return (*entries, *store, *secret), has_password or bool(secret)


def _shortest(source: Source, name: str) -> timedelta | None:
    """Return the shortest span of that name; ``None`` where it is switched off."""
    nodes = _written(source, name)
    if not nodes:
        return _DEFAULTS[name]
    spans: list[timedelta] = []
    for node in nodes:
        text = source.text_of(node)
        if text is None:
            continue
        if name == "remember_me" and text.strip() in _OFF:
            return None
        try:
            span = parse_duration(text)
        except ValueError:
            source.refuse(node, "is not a duration", "write one such as 5m or 1 hour")
            continue
        # No time at all means the default there.
        spans.append(span or _DEFAULTS[name])
    if len({*spans}) > 1:
        text = "differs between the cookies; the shortest counts for all of them"
        source.tell(Fate.STRICTER, f"session.{name}", text)
    return min(spans, default=_DEFAULTS[name])


def _written(source: Source, name: str) -> list[Node]:
    """Return every place where *name* is given: for all cookies, and for some."""
    old = "session.remember_me_duration" if name == "remember_me" else ""
    found = [source.lookup(key) for key in (f"session.{name}", old) if key]
    found += (
        item.entries[name]
        for item in source.items(source.lookup("session.cookies"))
        if isinstance(item, Table) and name in item.entries
    )
    return [node for node in found if node is not None]


def _write_same_site(source: Source) -> tuple[Entry, ...]:
    texts = [source.text_of(node) for node in _written(source, "same_site")]
    values = {text for text in texts if text}
    if not values:
        return ()
    if "none" in values:
        text = "none would send sessions along from every other site; lax is written"
        source.tell(Fate.STRICTER, "session.same_site", text)
    value = "strict" if "strict" in values else "lax"
    source.tell(Fate.TAKEN, "session.same_site", f"session.same_site: {value}")
    note = "from session.same_site"
    return (Entry(name="same_site", value=value, notes=(note,)),)


def _write_secret(source: Source) -> tuple[Entry, ...]:
    key = "session.secret"
    node = source.lookup(key)
    if node is None:
        return ()
    text = None if source.is_template(node) else source.text_of(node)
    if text is None or len(text) < _MIN_SECRET:
        source.tell(
            Fate.TO_DO,
            key,
            f"is made by a template or shorter than {_MIN_SECRET} characters, and not"
            " taken over: one is made at the first start; machines that share a store"
            " need the same in FORWARDAUTH_SESSION__SECRET_FILE",
        )
        return ()
    source.tell(Fate.TAKEN, key, "session.secret, which signs forms here")
    note = "from session.secret; better in FORWARDAUTH_SESSION__SECRET_FILE"
    return (Entry(name="secret", value=text, notes=(note,)),)


def _tell_of_names(source: Source) -> None:
    if _written(source, "name"):
        source.tell(
            Fate.LEFT,
            "session.name",
            "the cookie keeps a name of its own, so that both can run side by side;"
            " sessions of Authelia are not taken over",
        )
