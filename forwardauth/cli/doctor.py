"""``forwardauth doctor``: what is wrong with an installation, and what to change."""

import asyncio
import os
import socket
from contextlib import suppress
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import click

from forwardauth.cli.config_file import config_option, find_config
from forwardauth.cli.doctor_inputs import ask_person, check_authority
from forwardauth.cli.epilog import examples
from forwardauth.cli.progress import clear_line, tell_line
from forwardauth.cli.records import dump, json_option, problem_records
from forwardauth.cli.table import table_of
from forwardauth.clock import SystemClock
from forwardauth.config.inspection import Inspection, inspect
from forwardauth.doctor.case import Case
from forwardauth.doctor.examination import examine
from forwardauth.doctor.exchange import Reach
from forwardauth.doctor.findings import Finding, Outcome, fail, has_failed
from forwardauth.doctor.proxies import LINES
from forwardauth.errors import ConfigError
from forwardauth.web.doctor_proof import DoctorProofs
from forwardauth.web.signing import KEY_FILE, check_key, load_key

_MAX_PORT: Final = 65_535


@click.command(
    epilog=examples(
        "forwardauth doctor",
        "forwardauth doctor --url https://app.example.com/ --proxy nginx",
        "forwardauth doctor --url https://app.example.com/ --user alice",
        "forwardauth doctor --resolve '*:443:192.0.2.10' --ca ca.pem --json",
    )
)
@click.option(
    "--url",
    "urls",
    metavar="URL",
    multiple=True,
    help="A protected address to ask for through the proxy; may be repeated.",
)
@click.option(
    "--user",
    metavar="NAME",
    help="Sign in and out as NAME; asks for the password.",
)
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the password of --user from the first line of FILE.",
)
@click.option(
    "--proxy",
    type=click.Choice(list(LINES)),
    help="Which proxy it is, where it does not say so itself.",
)
@click.option(
    "--resolve",
    "addresses",
    metavar="HOST:PORT:ADDRESS",
    multiple=True,
    help="Connect to ADDRESS, or to the host of that name; HOST may be *.",
)
@click.option(
    "--ca",
    "authority",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trust the certificates in FILE, too.",
)
@click.option("--insecure", is_flag=True, help="Look at no certificate.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 60),
    default=5.0,
    show_default=True,
    help="For each request.",
)
@json_option
@config_option
@click.pass_context
def doctor(
    ctx: click.Context,
    *,
    urls: tuple[str, ...],
    user: str | None,
    password_file: Path | None,
    proxy: str | None,
    addresses: tuple[str, ...],
    authority: Path | None,
    insecure: bool,
    timeout: float,
    is_json: bool,
    config_path: Path | None,
) -> None:
    """Look at the service and the proxy from outside, and say what is wrong.

    Run it where the service runs and as its user: it shows the service by the signing
    key that it may be told what the service sees. It changes nothing; with --user it
    signs in and out once.

    The status is 0 when no check has failed, else 1.
    """
    reach = Reach(
        addresses=dict(map(parse_resolve, addresses)),
        authority=authority,
        is_insecure=insecure,
        timeout_seconds=timeout,
    )
    check_authority(authority)
    person = ask_person(user, password_file)
    try:
        inspection = inspect(find_config(config_path), os.environ, check_key=check_key)
    except ConfigError as exc:
        findings = tuple(
            _finding_of(record) for record in problem_records(exc.problems)
        )
    else:
        case = Case(
            inspection=inspection,
            proofs=_lookup_proofs(inspection),
            clock=SystemClock(),
            version=version("forwardauth"),
            reach=reach,
            proxy=proxy,
            urls=urls,
        )
        findings = asyncio.run(
            examine(case, person, tell=lambda what: tell_line(f"looking at {what}"))
        )
        clear_line()
    has_any_failed = has_failed(findings)
    if is_json:
        click.echo(dump({"ok": not has_any_failed, "checks": _records(findings)}))
    else:
        click.echo("\n".join(_report(findings)))
    ctx.exit(1 if has_any_failed else 0)


def parse_resolve(text: str) -> tuple[tuple[str, int], str]:
    """Return host and port of ``HOST:PORT:ADDRESS``, and where to go instead.

    Raises:
        click.UsageError: It is written in another way, or nobody knows the name.
    """
    host, _, rest = text.partition(":")
    port, _, address = rest.partition(":")
    try:
        number = int(port)
        found = _find_address(address.strip("[]"))
    except (ValueError, OSError) as exc:
        message = f"--resolve {text} is not HOST:PORT:ADDRESS, such as *:443:192.0.2.10"
        raise click.UsageError(message) from exc
    if not host or not 1 <= number <= _MAX_PORT:
        raise click.UsageError(f"--resolve {text} names no host and port")
    return (host.lower(), number), found


def _find_address(text: str) -> str:
    """Return the IP address that *text* is, or that a name such as ``traefik`` has.

    Raises:
        ValueError: It is neither.
        OSError: Nobody knows the name.
    """
    with suppress(ValueError):
        return str(ip_address(text))
    if not text:
        raise ValueError("no address")
    _, _, _, _, address = socket.getaddrinfo(text, None, type=socket.SOCK_STREAM)[0]
    return str(address[0])


def _lookup_proofs(inspection: Inspection) -> DoctorProofs | None:
    """Return what shows our right to ask, ``None`` where the key is not ours to read.

    A key that is not there is not made: it would be the file of whoever runs this.
    """
    session = inspection.settings.session
    folder = session.journal.parent
    if session.secret is None and not (folder / KEY_FILE).exists():
        return None
    try:
        return DoctorProofs(load_key(folder, session.secret), SystemClock())
    except OSError:
        return None


def _finding_of(record: dict[str, object]) -> Finding:
    where = ": ".join(str(record[name]) for name in ("place", "key") if record[name])
    detail = f"{where}: {record['reason']}" if where else str(record["reason"])
    return fail("configuration", detail, str(record["remedy"] or "correct it"))


def _records(findings: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [
        {
            "check": each.check,
            "outcome": each.outcome.value,
            "detail": each.detail,
            "remedy": each.remedy or None,
        }
        for each in findings
    ]


def _report(findings: tuple[Finding, ...]) -> list[str]:
    """Return the table, each remedy below its line, and the sum."""
    rows = [("RESULT", "CHECK", "WHAT WAS SEEN")]
    rows += [(each.outcome.value, each.check, each.detail) for each in findings]
    heading, *lines = table_of(rows)
    report = [heading]
    for line, finding in zip(lines, findings, strict=True):
        report.append(line)
        if finding.remedy:
            report += table_of([(f"      -> {finding.remedy}",)])
    counts = {
        outcome: sum(each.outcome is outcome for each in findings)
        for outcome in Outcome
    }
    told = [f"{count} {outcome}" for outcome, count in counts.items() if count]
    return [*report, ", ".join(told)]
