"""``forwardauth redirect``: the one validator of targets, asked from a shell."""

from pathlib import Path

import click

from forwardauth.cli.config_file import config_option
from forwardauth.cli.context import load
from forwardauth.cli.epilog import examples
from forwardauth.cli.records import dump, json_option
from forwardauth.redirects import TargetExplanation, explain_target


@click.group()
def redirect() -> None:
    """Explain where browsers may be sent after login and logout."""


@redirect.command(
    epilog=examples(
        "forwardauth redirect explain https://app.example.com/inbox",
        r"forwardauth redirect explain 'https://app.example.com\@evil.example/'",
    )
)
@click.argument("url")
@json_option
@config_option
@click.pass_context
def explain(
    ctx: click.Context, url: str, is_json: bool, config_path: Path | None
) -> None:
    """Say whether URL is accepted as a target, and by which rule.

    The status is 0 when it is accepted and 1 when it is refused.
    """
    verdict = explain_target(url, load(config_path).target_policy)
    if is_json:
        click.echo(dump(_record_of(verdict)))
    elif verdict.accepted:
        click.echo(f"accepted ({verdict.rule})")
    else:
        click.echo(f"refused ({verdict.rule})")
        click.echo(f"{verdict.reason}: {verdict.detail}")
    ctx.exit(0 if verdict.accepted else 1)


def _record_of(verdict: TargetExplanation) -> dict[str, object]:
    return {
        "accepted": verdict.accepted,
        "rule": verdict.rule,
        "reason": verdict.reason or None,
        "detail": verdict.detail or None,
    }
