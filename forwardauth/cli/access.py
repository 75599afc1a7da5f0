"""``forwardauth access``: the rules, asked about a request that nobody has to make."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import click

from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import (
    CRITERION_UNCLEAR_REASON,
    PATH_AMBIGUOUS_REASON,
    PREFLIGHT_REASON,
    SCHEME_INSECURE_REASON,
    Decision,
    Outcome,
    Policy,
)
from forwardauth.access_control.explain import Check, Explanation, Step
from forwardauth.access_control.explain import explain as explain_access
from forwardauth.cli.access_record import access_record
from forwardauth.cli.config_file import config_option
from forwardauth.cli.context import load
from forwardauth.cli.epilog import examples
from forwardauth.cli.records import dump, json_option
from forwardauth.config.schema import Settings
from forwardauth.errors import ProxyRequestError
from forwardauth.request import (
    ANONYMOUS,
    METHODS,
    OriginalRequest,
    Subject,
    parse_url,
)
from forwardauth.users.reader import load_users

_SIGNED_IN = 1
_UNCLEAR = {Policy.DENY: "matches", Policy.BYPASS: "does not match"}


@click.group()
def access() -> None:
    """Explain who may ask for what."""


@access.command(
    epilog=examples(
        "forwardauth access explain https://git.example.com/",
        "forwardauth access explain https://git.example.com/ --user alice",
    )
)
@click.argument("url")
@click.option("--user", metavar="NAME", help="Signed in as NAME; nobody by default.")
@click.option("--method", default="GET", show_default=True, help="In upper case.")
@click.option("--ip", metavar="ADDRESS", help="The address of the client.")
@click.option(
    "--preflight", is_flag=True, help="The CORS preflight of a browser: OPTIONS."
)
@json_option
@config_option
def explain(
    *,
    url: str,
    user: str | None,
    method: str,
    ip: str | None,
    preflight: bool,
    is_json: bool,
    config_path: Path | None,
) -> None:
    """Say which rule decides about a request for URL, and why.

    The groups of the user are those in the users file.
    """
    original = parse_request(url, method="OPTIONS" if preflight else method, ip=ip)
    original = replace(original, is_preflight=preflight)
    settings = load(config_path)
    subject = ANONYMOUS if user is None else _load_subject(settings, user)
    if is_json:
        click.echo(dump(access_record(settings, subject, original)))
        return
    groups = ", ".join(sorted(subject.groups)) or "none"
    who = "nobody" if subject.is_anonymous else f"{subject.username}, groups: {groups}"
    click.echo(f"{original.method} {original.url}  as {who}")
    for line in _answer(settings, subject, original):
        click.echo(line)


def parse_request(url: str, *, method: str, ip: str | None) -> OriginalRequest:
    """Return the request as an adapter would read it.

    Raises:
        click.UsageError: It would be refused before any rule is asked.
    """
    client = None if ip is None else _parse_ip(ip)
    try:
        return parse_url(url, method=method, client=client)
    except ProxyRequestError as exc:
        hint = f"; known are {', '.join(sorted(METHODS))}"
        message = f"{exc}{hint if exc.reason == 'method_unknown' else ''}"
        raise click.UsageError(message) from exc


def _parse_ip(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError as exc:
        raise click.UsageError(f"--ip {text!r} is no IP address") from exc


def _load_subject(settings: Settings, name: str) -> Subject:
    """Return the user as a session would name one.

    Raises:
        click.ClickException: There is no such user, or the user is disabled.
    """
    user = load_users(settings.users.file).get(name)
    if user is None or user.disabled:
        trouble = "has no such user" if user is None else "has this user disabled"
        message = f"{settings.users.file} {trouble}: {name}"
        raise click.ClickException(message)
    return Subject(
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        groups=frozenset(user.groups),
        level=_SIGNED_IN,
    )


def _answer(
    settings: Settings, subject: Subject, original: OriginalRequest
) -> list[str]:
    """Return the way to the decision, a line for each step."""
    domain = settings.domains.lookup(original.host)
    if domain is None:
        return [f"refused: {original.host} is below no cookie domain"]
    if domain.is_secure and original.scheme != "https":
        original = replace(original, is_plain_http=True)
    if original.path in settings.logout.paths:
        if original.is_plain_http:
            return ["leads to the portal: nobody is signed out by plain http"]
        return [f"signs out: {original.path} is in logout.paths, before any rule"]
    return _tell(explain_access(settings.access_control, subject, original))


def _tell(explanation: Explanation) -> list[str]:
    lines: list[str] = []
    for step in explanation.steps:
        mark = "  <- decides" if step.is_deciding else ""
        lines.append(f"  rule {step.rule}: {step.policy}{mark}")
        lines += (f"    {_tell_check(check, step)}" for check in step.checks)
    return [*lines, _tell_verdict(explanation.decision)]


def _tell_check(check: Check, step: Step) -> str:
    line = f"{check.match:<8}{check.name:<9}{check.wanted}"
    if check.match is not Match.UNKNOWN:
        return line
    if check.name == "subject":
        return f"{line}  (nobody is signed in: only signing in can tell)"
    counts = _UNCLEAR.get(step.policy, "lets nobody by")
    return f"{line}  (cannot be told, so a rule of {step.policy} {counts})"


def _tell_verdict(decision: Decision) -> str:
    if decision.reason == PATH_AMBIGUOUS_REASON:
        return (
            f"{decision.outcome}: {decision.reason}, a rule for this host looks at the"
            " path, and programs read this one in different ways"
        )
    by = "no rule matches" if decision.rule is None else f"rule {decision.rule}"
    verdict = f"{decision.outcome}: {by}, policy {decision.policy}"
    if decision.reason == SCHEME_INSECURE_REASON:
        return f"{verdict}, {decision.reason}: plain http needs plain_http: allow"
    if decision.reason == CRITERION_UNCLEAR_REASON:
        return f"{verdict}, {decision.reason}: nobody can tell whether it is meant"
    if decision.reason == PREFLIGHT_REASON:
        word = "allowed" if decision.outcome is Outcome.ALLOW else "not allowed"
        return f"{verdict}, {decision.reason} {word}"
    if decision.outcome is Outcome.SIGN_IN and decision.allows_basic:
        return f"{verdict}, at the portal or by Basic"
    return verdict
