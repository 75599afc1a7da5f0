"""The composition root: settings in, applications out.

Law: everything is built here and handed on; no other module looks for its parts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.registry import create_adapters
from forwardauth.clock import Clock, SystemClock
from forwardauth.config.problems import Place, Problem
from forwardauth.config.schema import LogoutScope, SameSite, Settings
from forwardauth.errors import ConfigError
from forwardauth.sessions.awaited_glances import AwaitedGlances, AwaitedStore
from forwardauth.sessions.events import EventStore
from forwardauth.sessions.glances import GlancingStore, SessionGlances
from forwardauth.sessions.handovers import Handovers
from forwardauth.sessions.housekeeping import Housekeeper
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.observer import Observers
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.factory import build_store
from forwardauth.users.file import UsersFile
from forwardauth.users.passwords import Passwords
from forwardauth.users.policy import PasswordPolicy, words_of
from forwardauth.users.proofs import RecentProofs
from forwardauth.users.table import UsersTable
from forwardauth.users.throttle import LoginThrottle
from forwardauth.web import keys
from forwardauth.web.accent import accent_rules
from forwardauth.web.answers import SERVER_NAME
from forwardauth.web.assets import Assets
from forwardauth.web.audit import AuditLog
from forwardauth.web.awaited_way import AwaitedWay
from forwardauth.web.basic import BasicSignIn
from forwardauth.web.csrf import FormTokens
from forwardauth.web.forms import MAX_BODY_BYTES
from forwardauth.web.frame import FooterLink
from forwardauth.web.identity import Identities
from forwardauth.web.language_choice import LanguageChoice
from forwardauth.web.link_state import LinkStates
from forwardauth.web.logout_tokens import LogoutTokens
from forwardauth.web.metrics import Metrics
from forwardauth.web.middlewares.errors import answer_errors
from forwardauth.web.notices import Notices
from forwardauth.web.notifier import LogoutNotifier
from forwardauth.web.pages import Pages
from forwardauth.web.routes import create_management_routes, create_routes
from forwardauth.web.self_test import check_refusals
from forwardauth.web.settings import LogoutSettings, WebSettings
from forwardauth.web.short_way import Parts, ShortWay
from forwardauth.web.sign_in_log import SignInLog
from forwardauth.web.signing import load_key
from forwardauth.web.user_changes import UserChanges

_SAME_SITE: Final = {SameSite.LAX: "Lax", SameSite.STRICT: "Strict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applications:
    """What is served.

    Attributes:
        main: Verify and the portal; owns the resources and the background work.
        management: Metrics and probes, for a listener of its own.
    """

    main: web.Application
    management: web.Application


def create_applications(
    settings: Settings,
    *,
    users_table: UsersTable | None = None,
    clock: Clock | None = None,
    store: SessionStore | None = None,
) -> Applications:
    """Return the applications for *settings*, with nothing opened yet.

    Args:
        settings: From ``config.load``.
        users_table: The users file as it has been read before; see ``UsersFile``.
        clock: The machine's when not given.
        store: What ``session.store`` names when not given.

    Raises:
        ConfigError: The users file, the journal or the key file cannot be used.
        SelfTestError: A request would pass that must not.
    """
    clock = clock or SystemClock()
    store = store or build_store(settings.session.store, clock)
    timeouts = Timeouts(
        absolute=settings.session.absolute_timeout,
        idle=settings.session.idle_timeout,
        remember_me=settings.session.remember_me,
    )
    metrics = Metrics()
    audit = AuditLog(metrics)
    # First of all: where it cannot be kept, the signing key beside it cannot either.
    journal = open_journal(settings)
    key = _load_key(settings)
    issuer = settings.domains.home.portal_url("")
    logout_tokens = LogoutTokens(key, issuer=issuer, clock=clock)
    notifier = LogoutNotifier(
        settings.logout.notify, tokens=logout_tokens, audit=audit, clock=clock
    )
    observer = Observers(audit, notifier)
    revoker = SessionRevoker(
        store=store,
        clock=clock,
        timeouts=timeouts,
        journal=journal,
        observer=observer,
    )
    sessions = SessionManager(
        store=store, clock=clock, timeouts=timeouts, revoker=revoker, observer=observer
    )
    user_changes = UserChanges(sessions, revoker)
    users = UsersFile(settings.users.file, on_change=user_changes, table=users_table)
    user_changes.lookup_user = users.get
    assets = _create_assets(settings)
    main = web.Application(middlewares=[answer_errors], client_max_size=MAX_BODY_BYTES)
    main[keys.ACCESS_CONTROL] = settings.access_control
    main[keys.ASSETS] = assets
    main[keys.AUDIT] = audit
    main[keys.CLOCK] = clock
    main[keys.IDENTITIES] = Identities(sessions, revoker, users)
    main[keys.LANGUAGE_CHOICE] = LanguageChoice(
        settings.portal.languages, cookie_name=settings.session.cookie_name
    )
    main[keys.LOGOUT_TOKENS] = logout_tokens
    main[keys.METRICS] = metrics
    main[keys.PAGES] = Pages(
        title=settings.portal.title,
        templates=settings.portal.templates,
        base_path=settings.server.base_path,
        assets=assets,
        remember_me=settings.session.remember_me,
        clock=clock,
        languages=settings.portal.languages,
        footer=[
            FooterLink(label=link.label, url=link.url)
            for link in settings.portal.footer
        ],
    )
    main[keys.PASSWORDS] = Passwords(decoy=lambda: users.table.decoy)
    main[keys.REVOKER] = revoker
    main[keys.SESSIONS] = sessions
    main[keys.SETTINGS] = _web_settings(settings)
    main[keys.SIGN_INS] = SignInLog(
        store if isinstance(store, EventStore) else None, clock
    )
    main[keys.STORE] = store
    main[keys.THROTTLE] = LoginThrottle(clock)
    main[keys.HANDOVERS] = Handovers(
        store=store, clock=clock, sessions=sessions, revoker=revoker
    )
    main[keys.USERS] = users
    _add_signers(main, key)
    main[keys.BASIC] = BasicSignIn(
        users=users,
        passwords=main[keys.PASSWORDS],
        throttle=main[keys.THROTTLE],
        proofs=RecentProofs(clock),
        audit=audit,
    )
    adapters = create_adapters(settings.headers)
    check_refusals(settings.access_control, adapters, settings.domains)
    main.add_routes(create_routes(settings.server.base_path, adapters))
    if settings.server.short_way:
        short_way = _create_short_way(main, adapters, timeouts)
        if short_way is not None:
            main[keys.SHORT_WAY] = short_way
    main.on_response_prepare.append(_hide_server)
    # First in, last out: what the rest ends while it closes is told of, too.
    main.cleanup_ctx.append(notifier.run)
    main.cleanup_ctx.append(_run_background)
    return Applications(main=main, management=_create_management(main))


def _create_assets(settings: Settings) -> Assets:
    accent = settings.portal.accent
    return Assets(
        base_path=settings.server.base_path,
        replacements=settings.portal.templates,
        logo=settings.portal.logo,
        extra_style="" if accent is None else accent_rules(accent),
    )


def open_journal(settings: Settings) -> RevocationJournal:
    """Return the journal of *settings*, which can be written.

    Raises:
        ConfigError: It cannot; a service that forgets what it promised must not start.
    """
    journal = RevocationJournal(settings.session.journal)
    try:
        journal.check_writable()
    except OSError as exc:
        raise _unusable(settings, "session.journal", exc) from exc
    return journal


def _load_key(settings: Settings) -> bytes:
    try:
        return load_key(settings.session.journal.parent, settings.session.secret)
    except OSError as exc:
        raise _unusable(settings, "session.secret", exc) from exc


def _unusable(settings: Settings, key: str, error: OSError) -> ConfigError:
    place = Place(key=key, source=str(settings.source or ""))
    remedy = "choose a folder that the service may write to"
    return ConfigError([Problem(place=place, reason=str(error), remedy=remedy)])


def _add_signers(main: web.Application, key: bytes) -> None:
    """Add what signs with *key*, each for its own purpose."""
    clock = main[keys.CLOCK]
    main[keys.LINK_STATES] = LinkStates(key, clock)
    main[keys.NOTICES] = Notices(key, clock)
    main[keys.TOKENS] = FormTokens(key, clock)


def _web_settings(settings: Settings) -> WebSettings:
    logout = LogoutSettings(
        paths=frozenset(settings.logout.paths),
        default_target=settings.logout.default_target,
        default_to_login=settings.logout.default_to_login,
        is_for_user=settings.logout.scope is LogoutScope.USER,
        clear_cookies=settings.logout.clear_cookies,
        clear_site_data=settings.logout.clear_site_data,
    )
    return WebSettings(
        domains=settings.domains,
        targets=settings.target_policy,
        default_targets={
            entry.domain.name: entry.default_target
            for entry in settings.cookies
            if entry.default_target is not None
        },
        trusted_proxies=settings.server.trusted_proxies,
        base_path=settings.server.base_path,
        cookie_name=settings.session.cookie_name,
        same_site=_SAME_SITE[settings.session.same_site],
        remember_me=settings.session.remember_me,
        password_policy=PasswordPolicy(
            min_length=settings.users.min_password_length,
            min_score=settings.users.min_password_score,
            known=words_of(
                settings.portal.title,
                *(entry.domain.name for entry in settings.cookies),
            ),
        ),
        logout=logout,
    )


def _create_short_way(
    main: web.Application, adapters: Iterable[Adapter], timeouts: Timeouts
) -> ShortWay | None:
    """Return the short way with the parts of *main*, ``None`` if its store has none."""
    parts = Parts(
        adapters=tuple(adapters),
        settings=main[keys.SETTINGS],
        access_control=main[keys.ACCESS_CONTROL],
        users=main[keys.USERS],
        metrics=main[keys.METRICS],
    )
    store, clock = main[keys.STORE], main[keys.CLOCK]
    backlog = main[keys.REVOKER].backlog
    if isinstance(store, AwaitedStore):
        awaited = AwaitedGlances(store, backlog=backlog, clock=clock, timeouts=timeouts)
        return AwaitedWay(parts, awaited)
    if isinstance(store, GlancingStore):
        glances = SessionGlances(store, backlog=backlog, clock=clock, timeouts=timeouts)
        return ShortWay(parts, glances)
    return None


def _create_management(main: web.Application) -> web.Application:
    """Return the management application, which shares what *main* holds."""
    management = web.Application(middlewares=[answer_errors])
    management[keys.LANGUAGE_CHOICE] = main[keys.LANGUAGE_CHOICE]
    management[keys.METRICS] = main[keys.METRICS]
    management[keys.PAGES] = main[keys.PAGES]
    management[keys.STORE] = main[keys.STORE]
    management.add_routes(create_management_routes())
    management.on_response_prepare.append(_hide_server)
    return management


async def _hide_server(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_NAME


async def _run_background(app: web.Application) -> AsyncIterator[None]:
    """Run what nobody asks for, and close everything when the service stops."""
    work = [
        asyncio.create_task(Housekeeper(app[keys.REVOKER]).run()),
        asyncio.create_task(app[keys.USERS].watch()),
    ]
    yield
    for task in work:
        task.cancel()
    for task in work:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await app[keys.SESSIONS].close()
    await app[keys.SIGN_INS].close()
    await app[keys.PASSWORDS].close()
    await app[keys.STORE].close()
