"""The ``forwardauth`` command: which subcommands there are, and how failures end.

A subcommand is imported when it is run, so that ``forwardauth config check`` does not
wait for the web server it does not need.

Law: a failure that can be expected is told in a sentence, on standard error, with 2 for
a mistake in the call or the configuration and 1 for anything else; never a traceback.
"""

import errno
import sys
from typing import Any, Final

import click

from forwardauth.cli.epilog import examples
from forwardauth.cli.loading import load
from forwardauth.cli.streams import open_missing, words_of
from forwardauth.errors import ConfigError, ForwardAuthError

COMMANDS: Final = {
    "serve": "Run the service.",
    "demo": "Try everything on this machine, with a real proxy.",
    "config": "Check the configuration, and show what counts.",
    "doctor": "Find out what is wrong, from outside.",
    "health": "Say whether the service that runs here is well.",
    "users": "Add, list, change and remove users.",
    "sessions": "List sessions, and end them.",
    "store": "Move sessions from one store to another.",
    "access": "Explain which rule decides about a request.",
    "redirect": "Explain whether a redirect target is accepted.",
    "import": "Write a configuration from that of another program.",
    "completion": "Print what makes a shell complete commands.",
}
"""Each subcommand, named like its module and its object there, with its help."""

_MODULES: Final = {"import": "imports", "store": "stores"}
"""Those whose name cannot be that of a module, or is taken."""

_FAILURE: Final = 1
_CONFIGURATION_FAILURE: Final = 2


class CommandGroup(click.Group):
    """A group whose commands are modules, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one command; ``None`` when there is none of the name."""
        if cmd_name not in COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name)
        module = load(f"forwardauth.cli.{name}")
        command: click.Command = getattr(module, name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return names and options that begin so, without importing any command."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - shells alone ask

        names = [
            CompletionItem(name, help=purpose)
            for name, purpose in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the command, and end with a sentence where it fails as one may."""
        try:
            return super().invoke(ctx)
        except ConfigError as exc:
            for problem in exc.problems:
                click.echo(str(problem), err=True)
            ctx.exit(_CONFIGURATION_FAILURE)
        except ForwardAuthError as exc:
            raise click.ClickException(str(exc)) from exc
        except OSError as exc:
            if exc.errno == errno.EPIPE:
                raise
            raise click.ClickException(words_of(exc)) from exc

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run what was called, whatever standard streams there are.

        Help is written while the call is read, before there is anything to invoke.
        """
        open_missing()
        try:
            return super().main(*args, **kwargs)
        except OSError as exc:
            if not kwargs.get("standalone_mode", True):
                raise
            click.echo(f"Error: {words_of(exc)}", err=True)
            sys.exit(_FAILURE)


@click.group(
    cls=CommandGroup,
    epilog=examples(
        "forwardauth users add alice",
        "forwardauth config check",
        "forwardauth serve --config /etc/forwardauth/config.yaml",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="forwardauth", prog_name="forwardauth")
def main() -> None:
    """Forward authentication for reverse proxies, with a logout that ends the session.

    Each command reads config.yaml in the current folder, or the file that --config
    names, and the environment variables that start with FORWARDAUTH_.
    """
