"""``forwardauth store``: what an operator does with whole stores.

Law: an address may hold a password, so none is shown but by ``mask_store``.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from forwardauth.cli.config_file import config_option
from forwardauth.cli.context import load
from forwardauth.cli.epilog import examples
from forwardauth.cli.progress import progress_bar
from forwardauth.cli.records import dump, json_option
from forwardauth.clock import Clock, SystemClock
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.schema import Settings
from forwardauth.config.secrets import mask_store
from forwardauth.config.session import SQLITE, parse_store
from forwardauth.errors import ConfigError
from forwardauth.sessions.event_migration import copy_events
from forwardauth.sessions.events import EventStore
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.lifetimes import Timeouts
from forwardauth.sessions.migration import MigrationCounts, SessionMigration
from forwardauth.sessions.migration_ledger import NOTHING, MigrationLedger
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.store_name import give_name, lookup_name
from forwardauth.sessions.stores.factory import build_store
from forwardauth.sessions.stores.identity import MEMORY, identity_of
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.users.reader import load_users
from forwardauth.web.sign_in_log import KEPT, KEPT_FOR, topics_of

CONFIGURED: Final = "configured"  # stands for ``session.store`` of the configuration

_VARIABLE: Final = "env:"
_MARGIN: Final = timedelta(days=1)


@click.group("store")
def stores() -> None:
    """Move sessions from one store to another."""


@stores.command(
    epilog=examples(
        "forwardauth store migrate configured redis://redis:6379/0 --dry-run",
        "forwardauth store migrate sqlite:sessions.db env:NEW_STORE",
        "forwardauth store migrate redis://old:6379/0 redis+cluster://a,b,c",
    )
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--dry-run", "is_dry", is_flag=True, help="Count, and write nothing.")
@json_option
@config_option
def migrate(
    source: str, target: str, is_dry: bool, is_json: bool, config_path: Path | None
) -> None:
    """Copy the live sessions of one store to another; nobody is signed out.

    FROM and TO are written as in session.store; "configured" stands for that key, and
    env:NAME for the variable NAME, which keeps a password off the command line.

    Run it while the service runs: that copies nearly all. Stop the service, and run it
    again: that copies the rest, and ends in TO what has ended in FROM meanwhile. Then
    set session.store to TO, and start the service. It may be repeated and interrupted.
    """
    settings = load(config_path)
    from_url, to_url = (_parse(text, settings) for text in (source, target))
    _check_pair(from_url, to_url)
    with progress_bar("copying sessions") as tell:
        result = asyncio.run(_migrate(settings, from_url, to_url, is_dry, tell))
    if is_json:
        click.echo(dump(_record_of(result, from_url, to_url, is_dry=is_dry)))
        return
    for line in _lines_of(result, from_url, to_url, is_dry=is_dry):
        click.echo(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    sessions: MigrationCounts
    events: int


def _parse(text: str, settings: Settings) -> str:
    """Return the address that *text* stands for.

    Raises:
        click.UsageError: It stands for none; the text is not repeated.
    """
    if text == CONFIGURED:
        return settings.session.store
    if text.startswith(_VARIABLE):
        name = text.removeprefix(_VARIABLE)
        if name not in os.environ:
            raise click.UsageError(f"the variable {name} is not set")
        text = os.environ[name]
    try:
        return parse_store(text, folder=Path.cwd())
    except RefusedValueError as exc:
        raise click.UsageError(f"FROM or TO is no store: {exc.reason}") from exc


def _check_pair(source: str, target: str) -> None:
    if MEMORY in {source, target}:
        raise click.UsageError(
            "memory: is seen by the service alone, so nothing can be copied from it or"
            " to it: choose sqlite: or redis:"
        )
    if identity_of(source) == identity_of(target):
        raise click.UsageError("FROM and TO are the same store")
    path = _file_of(source)
    if path is not None and not path.exists():
        raise click.ClickException(f"{path} does not exist")


def _file_of(url: str) -> Path | None:
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


async def _migrate(
    settings: Settings,
    source_url: str,
    target_url: str,
    is_dry: bool,
    tell: Callable[[int, int], None],
) -> _Result:
    clock = SystemClock()
    source = build_store(source_url, clock)
    target = _open_target(target_url, clock, is_dry=is_dry)
    lifetime = _longest_of(settings) + _MARGIN
    try:
        total = await source.count()
        if not isinstance(source, EventStore) or not isinstance(target, EventStore):
            raise click.ClickException("both stores have to keep events")
        name = await _name_of(source, clock, lifetime=lifetime, is_dry=is_dry)
        target_name = await lookup_name(target)
        if name == target_name:
            raise click.UsageError("FROM and TO are the same store")
        way_back = NOTHING
        if target_name is not None:
            back = MigrationLedger(source, clock, source=target_name, lifetime=lifetime)
            way_back = await back.read()
        migration = SessionMigration(
            source,
            target,
            ledger=MigrationLedger(target, clock, source=name, lifetime=lifetime),
            way_back=way_back,
            journal=RevocationJournal(settings.session.journal),
            clock=clock,
            is_dry=is_dry,
            tell=lambda done: tell(done, total),
        )
        counts = await migration.run()
        events = await copy_events(
            source,
            target,
            [topic for name in _usernames(settings) for topic in topics_of(name)],
            keep=KEPT,
            lifetime=KEPT_FOR,
            now=clock.now(),
            is_dry=is_dry,
        )
        return _Result(sessions=counts, events=events)
    finally:
        await source.close()
        await target.close()


async def _name_of(
    store: EventStore, clock: Clock, *, lifetime: timedelta, is_dry: bool
) -> str:
    """Return the name of FROM, which is given one unless nothing is to be written."""
    if is_dry:
        return await lookup_name(store) or "nobody's"
    return await give_name(store, clock, lifetime=lifetime)


def _longest_of(settings: Settings) -> timedelta:
    session = settings.session
    return Timeouts(
        absolute=session.absolute_timeout,
        idle=session.idle_timeout,
        remember_me=session.remember_me,
    ).longest


def _open_target(url: str, clock: Clock, *, is_dry: bool) -> SessionStore:
    """Return TO; a file that is not there yet is not made in order to count."""
    path = _file_of(url)
    if is_dry and path is not None and not path.exists():
        return MemoryStore()
    return build_store(url, clock)


def _usernames(settings: Settings) -> list[str]:
    """Return the users, of whom the store keeps sign-ins; none if that is not known."""
    try:
        return list(load_users(settings.users.file).users)
    except ConfigError as exc:
        for problem in exc.problems:
            click.echo(f"Warning: no sign-ins are copied: {problem}", err=True)
        return []


def _record_of(
    result: _Result, source: str, target: str, *, is_dry: bool
) -> dict[str, object]:
    counts = asdict(result.sessions)
    return {
        "from": mask_store(source),
        "to": mask_store(target),
        "dry_run": is_dry,
        "settled": counts.pop("is_settled"),
        "sessions": counts,
        "events": result.events,
    }


def _lines_of(result: _Result, source: str, target: str, *, is_dry: bool) -> list[str]:
    counts = result.sessions
    rows = (
        (counts.copied, "copied"),
        (counts.present, "there already"),
        (counts.ended, "ended in TO, as they live in FROM no longer"),
        (counts.withheld, "not copied: ended in TO, or about to be"),
        (counts.expired, "not copied: their time is over"),
        (counts.handovers, "codes between portals, not copied: worth a minute"),
        (result.events, "sign-ins of the account page copied"),
    )
    done = "would be done" if is_dry else "done"
    lines = [f"from {mask_store(source)}", f"to   {mask_store(target)}", f"{done}:"]
    lines += [f"  {count:>8}  {what}" for count, what in rows if count]
    if not any(count for count, _ in rows):
        lines.append("  nothing: FROM holds no sessions")
    if not counts.is_settled:
        lines.append(
            "FROM has changed meanwhile: stop the service and run this again, before"
            " session.store leads to TO"
        )
    return lines
