"""``forwardauth redirect``: the one validator of targets, asked from a shell."""

from pathlib import Path

import click

from forwardauth.cli.context import config_option, load
from forwardauth.cli.epilog import examples
from forwardauth.redirects import explain_target


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
@config_option
@click.pass_context
def explain(ctx: click.Context, url: str, config_path: Path | None) -> None:
    """Say whether URL is accepted as a target, and by which rule.

    The status is 0 when it is accepted and 1 when it is refused.
    """
    verdict = explain_target(url, load(config_path).target_policy)
    if verdict.accepted:
        click.echo(f"accepted ({verdict.rule})")
        return
    click.echo(f"refused ({verdict.rule})")
    click.echo(f"{verdict.reason}: {verdict.detail}")
    ctx.exit(1)
