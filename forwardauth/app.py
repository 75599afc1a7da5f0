"""The composition root: settings in, applications out.

Law: everything is built here and handed on; no other module looks for its parts.
"""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from forwardauth.adapters.registry import create_adapters
from forwardauth.clock import Clock, SystemClock
from forwardauth.composition.journal_folder import load_signing_key, open_journal
from forwardauth.composition.live import LiveParts, create_live_parts, timeouts_of
from forwardauth.composition.looks import create_assets, create_pages
from forwardauth.composition.management import create_management, hide_server
from forwardauth.composition.short_ways import create_short_way
from forwardauth.composition.signers import add_signers
from forwardauth.composition.tracing import lookup_tracing
from forwardauth.composition.web_settings import create_web_settings
from forwardauth.config.schema import Settings
from forwardauth.sessions.handovers import Handovers
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.store import SessionStore
from forwardauth.users.file import UsersFile
from forwardauth.users.table import UsersTable
from forwardauth.web import keys
from forwardauth.web.basic import BasicSignIn
from forwardauth.web.forms import MAX_BODY_BYTES
from forwardauth.web.identity import Identities
from forwardauth.web.instance import Instance
from forwardauth.web.language_choice import LanguageChoice
from forwardauth.web.metrics import Metrics
from forwardauth.web.middlewares.errors import answer_errors
from forwardauth.web.middlewares.request_ids import name_requests
from forwardauth.web.routes import create_routes
from forwardauth.web.self_test import check_refusals
from forwardauth.web.user_changes import UserChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class Applications:
    """What is served by one configuration.

    Attributes:
        main: Verify and the portal.
        management: Metrics and probes, for a listener of its own.
        live: What other configurations of this worker share with it.
        timeouts: How long sessions live that begin with it.
        notify: Who is told of ends.
    """

    main: web.Application
    management: web.Application
    live: LiveParts
    timeouts: Timeouts
    notify: tuple[str, ...] = field(repr=False)

    def take_over(self) -> None:
        """Let what outlives these applications go by them from now on.

        Whoever serves gives connections to them in the same step.
        """
        revoker = self.live.revoker
        # Sessions that began with longer timeouts live on, and so do their promises.
        revoker.longest = max(revoker.longest, self.timeouts.longest)
        self.live.watch.take(self.main[keys.USERS])
        self.live.notifier.change(self.notify, self.main[keys.LOGOUT_TOKENS])


def create_applications(
    settings: Settings,
    *,
    users_table: UsersTable | None = None,
    clock: Clock | None = None,
    store: SessionStore | None = None,
    metrics: Metrics | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Applications:
    """Return the applications for *settings*, with nothing opened yet.

    Those of *main* own the resources and the background work.

    Args:
        settings: From ``config.load``.
        users_table: The users file as it has been read before; see ``UsersFile``.
        clock: The machine's when not given.
        store: What ``session.store`` names when not given.
        metrics: Where this process counts; when not given, for itself alone.
        environ: Says whether traces are sent; see ``composition.tracing``.

    Raises:
        ConfigError: The users file, the journal or the key file cannot be used.
        SelfTestError: A request would pass that must not.
    """
    live = create_live(
        settings, clock=clock, store=store, metrics=metrics, environ=environ
    )
    created = create_beside(live, settings, users_table=users_table)
    for place, context in enumerate(live.contexts()):
        created.main.cleanup_ctx.insert(place, context)
    created.take_over()
    return created


def create_live(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: SessionStore | None = None,
    metrics: Metrics | None = None,
    environ: Mapping[str, str] = os.environ,
    instance: Instance | None = None,
) -> LiveParts:
    """Return what goes on when *settings* change.

    Args:
        settings: As for ``create_applications``.
        clock: Likewise.
        store: Likewise.
        metrics: Likewise.
        environ: Likewise.
        instance: What this process is a part of; when not given, it is the only one.

    Raises:
        ConfigError: The journal cannot be used.
    """
    # First of all: where it cannot be kept, the signing key beside it cannot either.
    journal = open_journal(settings)
    clock = clock or SystemClock()
    return create_live_parts(
        settings,
        journal=journal,
        clock=clock,
        store=store,
        metrics=metrics or Metrics(),
        tracing=lookup_tracing(environ, clock),
        instance=instance,
    )


def create_beside(
    live: LiveParts,
    settings: Settings,
    *,
    users_table: UsersTable | None = None,
    is_current: bool = False,
) -> Applications:
    """Return the applications for *settings*, which do not own *live*.

    Nothing of *live* changes before they take over, which others may have before them.
    Blocks, and may run in a thread.

    Args:
        live: As created for settings that differ in no key of ``RESTART_KEYS``.
        settings: From ``config.load``.
        users_table: The users file as it has been read before.
        is_current: As ``UsersFile`` takes it.

    Raises:
        ConfigError: The users file or the key file cannot be used.
        SelfTestError: A request would pass that must not.
    """
    clock, timeouts = live.clock, timeouts_of(settings)
    key = load_signing_key(settings)
    sessions = SessionManager(
        store=live.metered,
        clock=clock,
        timeouts=timeouts,
        revoker=live.revoker,
        observer=live.observer,
    )
    users = UsersFile(
        settings.users.file,
        on_change=UserChanges(sessions, live.revoker),
        table=users_table,
        is_current=is_current,
    )
    assets = create_assets(settings)
    traces = () if live.tracing is None else (live.tracing.trace_requests,)
    main = web.Application(
        middlewares=[name_requests, *traces, answer_errors],
        client_max_size=MAX_BODY_BYTES,
    )
    _add_live_parts(main, live)
    main[keys.ACCESS_CONTROL] = settings.access_control
    main[keys.ASSETS] = assets
    main[keys.IDENTITIES] = Identities(sessions, live.revoker, users)
    main[keys.LANGUAGE_CHOICE] = LanguageChoice(
        settings.portal.languages, cookie_name=settings.session.cookie_name
    )
    main[keys.PAGES] = create_pages(settings, assets=assets, clock=clock)
    main[keys.SESSIONS] = sessions
    main[keys.SETTINGS] = create_web_settings(
        settings, is_traced=live.tracing is not None
    )
    main[keys.HANDOVERS] = Handovers(
        store=live.metered, clock=clock, sessions=sessions, revoker=live.revoker
    )
    main[keys.USERS] = users
    add_signers(main, key, settings)
    main[keys.BASIC] = BasicSignIn(
        users=users,
        passwords=live.passwords,
        throttle=live.throttle,
        proofs=live.proofs,
        audit=live.audit,
    )
    adapters = create_adapters(settings.headers)
    check_refusals(settings.access_control, adapters, settings.domains)
    main.add_routes(create_routes(settings.server.base_path, adapters))
    if settings.server.short_way:
        short_way = create_short_way(main, adapters, is_traced=live.tracing is not None)
        if short_way is not None:
            main[keys.SHORT_WAY] = short_way
    main.on_response_prepare.append(hide_server)
    main.cleanup_ctx.append(_finish_touches)
    return Applications(
        main=main,
        management=create_management(main),
        live=live,
        timeouts=timeouts,
        notify=settings.logout.notify,
    )


def _add_live_parts(main: web.Application, live: LiveParts) -> None:
    main[keys.AUDIT] = live.audit
    main[keys.CLOCK] = live.clock
    main[keys.METRICS] = live.metrics
    main[keys.OUTAGE] = live.outage
    main[keys.PASSWORDS] = live.passwords
    main[keys.READINESS] = live.readiness
    main[keys.REVOKER] = live.revoker
    main[keys.SIGN_INS] = live.sign_ins
    main[keys.STORE] = live.store
    main[keys.THROTTLE] = live.throttle


async def _finish_touches(main: web.Application) -> AsyncIterator[None]:
    """Let what lookups have still to write be written before the store closes."""
    yield
    await main[keys.SESSIONS].close()
