"""The way of plain verify requests, if the store has one: see ``web.short_way``."""

from collections.abc import Iterable

from aiohttp import web

from forwardauth.adapters.base import Adapter
from forwardauth.sessions.awaited_glances import AwaitedGlances, AwaitedStore
from forwardauth.sessions.glances import GlancingStore, SessionGlances
from forwardauth.sessions.metered_store import MeteredBatches
from forwardauth.web import keys
from forwardauth.web.awaited_way import AwaitedWay
from forwardauth.web.short_way import Parts, ShortWay
from forwardauth.web.traced_ways import TracedAwaitedWay, TracedShortWay


def create_short_way(
    main: web.Application,
    adapters: Iterable[Adapter],
    *,
    is_traced: bool,
) -> ShortWay | None:
    """Return the short way with the parts of *main*, ``None`` if its store has none.

    Where it *is_traced*, whoever belongs to a recorded trace takes the normal way.
    """
    parts = Parts(
        adapters=tuple(adapters),
        settings=main[keys.SETTINGS],
        access_control=main[keys.ACCESS_CONTROL],
        users=main[keys.USERS],
        metrics=main[keys.METRICS],
    )
    store, clock = main[keys.STORE], main[keys.CLOCK]
    backlog, touches = main[keys.REVOKER].backlog, main[keys.SESSIONS].touches
    if isinstance(store, AwaitedStore):
        batches = MeteredBatches(store, parts.metrics.observe_store)
        awaited = AwaitedGlances(batches, backlog=backlog, clock=clock, touches=touches)
        return (TracedAwaitedWay if is_traced else AwaitedWay)(parts, awaited)
    if isinstance(store, GlancingStore):
        glances = SessionGlances(store, backlog=backlog, clock=clock, touches=touches)
        return (TracedShortWay if is_traced else ShortWay)(parts, glances)
    return None
