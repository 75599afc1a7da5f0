"""``forwardauth config``: everything that is wrong, before the service is started."""

from pathlib import Path

import click

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.rules import Rule
from forwardauth.cli.context import config_option, load_inspected, tell_warnings
from forwardauth.cli.epilog import examples
from forwardauth.config.inspection import Inspection
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.users.table import UsersTable


@click.group()
def config() -> None:
    """Check the configuration."""


@config.command(
    epilog=examples(
        "forwardauth config check",
        "forwardauth config check /etc/forwardauth/config.yaml",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
def check(file: Path | None, config_path: Path | None) -> None:
    """Check FILE, the environment, the users file and the folders they name.

    All problems are told at once, each with its place, its reason and a remedy. The
    status is 0 when the service would start and 2 when it would not.
    """
    if file is not None and config_path is not None:
        raise click.UsageError("name the file once: FILE or --config FILE")
    inspection = load_inspected(file or config_path)
    tell_warnings(_unknown_names(inspection))
    for line in _summary(inspection.settings, inspection.users):
        click.echo(line)


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
    store = settings.session.store
    scheme = store.partition(":")[0]
    lines = [
        "the configuration is valid",
        *(f"  portal   {d.portal_url('/')}" for d in settings.domains.entries),
        f"  listen   {', '.join(map(str, settings.server.listen))}",
        f"  store    {store if scheme in {'memory', 'sqlite'} else scheme}",
        f"  users    {len(users.users)}",
        # Without the query, where a secret may stand.
        *(f"  notify   {url.partition('?')[0]}" for url in settings.logout.notify),
        f"  rules    {len(rules)}, then {settings.access_control.default_policy}",
    ]
    lines += (f"  open to everybody: {_describe(rule)}" for rule in _bypassing(rules))
    if settings.access_control.default_policy is Policy.BYPASS:
        lines.append("  open to everybody: what no rule matches")
    return lines


def _bypassing(rules: tuple[Rule, ...]) -> list[Rule]:
    return [rule for rule in rules if rule.policy is Policy.BYPASS]


def _describe(rule: Rule) -> str:
    """Return what *rule* opens, and (V-21) how much of it is open."""
    narrowed = [f"{name} {criterion}" for name, criterion in rule.criteria()]
    path = rule.path
    wide = [
        note
        for note, is_wide in {
            "many hosts": _names_many_hosts(rule),
            "every method": rule.methods is None,
            "every path": path is None,
            "every path below": path is not None and bool(path.prefixes),
        }.items()
        if is_wide
    ]
    note = f": {', '.join(wide)}" if wide else ""
    return f"{'; '.join([rule.hosts, *narrowed])} (rule {rule.number}{note})"


def _names_many_hosts(rule: Rule) -> bool:
    return bool(rule.domain_regexes) or any(each.is_wildcard for each in rule.domains)
