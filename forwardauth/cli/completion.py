"""``forwardauth completion``: the line that makes a shell complete our commands.

The script that is printed asks ``forwardauth`` itself, so it never lags behind it.

Source: click, "Shell Completion".
"""

from typing import Final

import click
from click.shell_completion import get_completion_class

from forwardauth.cli.epilog import examples

PROGRAM: Final = "forwardauth"
VARIABLE: Final = "_FORWARDAUTH_COMPLETE"
"""What the script sets; click looks for it when the program starts."""


@click.command(
    epilog=examples(
        'eval "$(forwardauth completion bash)"    # in ~/.bashrc',
        'eval "$(forwardauth completion zsh)"     # in ~/.zshrc',
        "forwardauth completion fish | source     # in config.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands and options."""
    found = get_completion_class(shell)
    # The choices above are the shells that click knows.
    if found is not None:
        script = found(ctx.find_root().command, {}, PROGRAM, VARIABLE)
        click.echo(script.source())
