"""``forwardauth config``: everything that is wrong, and everything that counts.

Law: what is shown holds no secret, of whatever key; see ``config.secrets``.
"""

import os
from pathlib import Path
from typing import Final

import click

from forwardauth.access_control.openings import describe_openings
from forwardauth.adapters.registry import create_adapters
from forwardauth.cli.config_file import config_option, find_config
from forwardauth.cli.context import load_inspected, tell_warnings
from forwardauth.cli.epilog import examples
from forwardauth.cli.records import dump, json_option, problem_records
from forwardauth.config.effective import Kinds, Origin, origins_of, plain, resolve
from forwardauth.config.effective_yaml import dump_yaml
from forwardauth.config.inspection import Inspection
from forwardauth.config.load import read_draft
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError
from forwardauth.users.table import UsersTable
from forwardauth.web.self_test import check_refusals

_INVALID: Final = 2


@click.group()
def config() -> None:
    """Check the configuration, and show what counts."""


@config.command(
    epilog=examples(
        "forwardauth config check",
        "forwardauth config check /etc/forwardauth/config.yaml",
        "forwardauth config check --json",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
@config_option
@click.pass_context
def check(
    ctx: click.Context, file: Path | None, is_json: bool, config_path: Path | None
) -> None:
    """Check FILE, the environment, the users file and the folders they name.

    All problems are told at once, each with its place, its reason and a remedy. The
    status is 0 when the service would start and 2 when it would not.
    """
    try:
        inspection = load_inspected(_named_once(file, config_path))
    except ConfigError as exc:
        _tell_problems(ctx, exc, is_json=is_json)
        raise
    unknown = _unknown_names(inspection)
    tell_warnings(unknown)
    settings = inspection.settings
    check_refusals(
        settings.access_control, create_adapters(settings.headers), settings.domains
    )
    if is_json:
        click.echo(dump(_record_of(inspection, (*inspection.warnings, *unknown))))
        return
    for line in _summary(settings, inspection.users):
        click.echo(line)


@config.command(
    epilog=examples(
        "forwardauth config show",
        "forwardauth config show /etc/forwardauth/config.yaml --json",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
@config_option
@click.pass_context
def show(
    ctx: click.Context, file: Path | None, is_json: bool, config_path: Path | None
) -> None:
    """Show every key as it counts, and where its value comes from.

    Defaults are filled in. Secrets are masked, so that the output can be shown to
    others; without them it could be read again.
    """
    try:
        draft = read_draft(find_config(_named_once(file, config_path)), os.environ)
        tell_warnings(draft.findings.check())
    except ConfigError as exc:
        _tell_problems(ctx, exc, is_json=is_json)
        raise
    effective = resolve(draft.root, os.environ)
    if not is_json:
        click.echo(dump_yaml(effective))
        return
    origins = {key: _origin_record(each) for key, each in origins_of(effective)}
    click.echo(dump({"settings": plain(effective), "origins": origins}))


def _tell_problems(ctx: click.Context, error: ConfigError, *, is_json: bool) -> None:
    """Tell programs what is wrong, and end; people are told by the root command."""
    if is_json:
        problems = problem_records(error.problems)
        click.echo(dump({"valid": False, "problems": problems}))
        ctx.exit(_INVALID)


def _origin_record(origin: Origin) -> dict[str, object]:
    return {
        "kind": origin.kind.value,
        "source": None if origin.kind is Kinds.DEFAULT else origin.source,
        "line": origin.line,
        "path": origin.path,
    }


def _named_once(file: Path | None, config_path: Path | None) -> Path | None:
    if file is not None and config_path is not None:
        raise click.UsageError("name the file once: FILE or --config FILE")
    return file or config_path


def _unknown_names(inspection: Inspection) -> tuple[Problem, ...]:
    """Return a warning for each rule that names nobody there is."""
    settings, users = inspection.settings, inspection.users
    groups = {group for user in users.users.values() for group in user.groups}
    warnings: list[Problem] = []
    for rule in settings.access_control.rules:
        unknown = {
            "user": sorted(rule.subject.all_users - users.users.keys()),
            "group": sorted(rule.subject.all_groups - groups),
        }
        warnings += (
            Problem(
                place=inspection.place_of(f"access_control.rules.{rule.number - 1}"),
                reason=f"names the {kind} {name}, whom {settings.users.file} has not",
                remedy="correct the name; upper and lower case count",
            )
            for kind, names in unknown.items()
            for name in names
        )
    return tuple(warnings)


def _summary(settings: Settings, users: UsersTable) -> list[str]:
    """Return what would be started, a line each; V-21: with every open door."""
    rules = settings.access_control.rules
    lines = [
        "the configuration is valid",
        *(f"  portal   {d.portal_url('/')}" for d in settings.domains.entries),
        f"  listen   {', '.join(map(str, settings.server.listen))}",
        f"  store    {_store_of(settings)}",
        f"  users    {len(users.users)}",
        *(f"  notify   {url}" for url in _told_of(settings)),
        f"  rules    {len(rules)}, then {settings.access_control.default_policy}",
    ]
    lines += (f"  {line}" for line in describe_openings(settings.access_control))
    return lines


def _record_of(
    inspection: Inspection, warnings: tuple[Problem, ...]
) -> dict[str, object]:
    """Return the summary for programs."""
    settings = inspection.settings
    access_control = settings.access_control
    return {
        "valid": True,
        "warnings": problem_records(warnings),
        "portals": [each.portal_url("/") for each in settings.domains.entries],
        "listen": [str(address) for address in settings.server.listen],
        "store": _store_of(settings),
        "users": len(inspection.users.users),
        "notify": list(_told_of(settings)),
        "rules": len(access_control.rules),
        "default_policy": access_control.default_policy.value,
        "openings": list(describe_openings(access_control)),
    }


def _store_of(settings: Settings) -> str:
    """Return the store, and of one with a password the kind alone."""
    store = settings.session.store
    scheme = store.partition(":")[0]
    return store if scheme in {"memory", "sqlite"} else scheme


def _told_of(settings: Settings) -> tuple[str, ...]:
    """Return who is told of logouts, without the query, where a secret may stand."""
    return tuple(url.partition("?")[0] for url in settings.logout.notify)
