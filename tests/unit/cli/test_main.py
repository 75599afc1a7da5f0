"""The root command: its list, its imports, and how failures end."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from forwardauth.cli.main import COMMANDS, CommandGroup, main
from forwardauth.errors import (
    ConfigError,
    CredentialsError,
    ForwardAuthError,
    StoreUnavailableError,
)

SILENT = {"serve", "demo", "completion"}
"""What runs, or prints a script."""


def failing(error: BaseException) -> CommandGroup:
    """Return a group of which every command raises *error*."""

    class Failing(CommandGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            def fail() -> None:
                raise error

            assert ctx.command is self
            return click.Command(cmd_name, callback=fail)

    return Failing("forwardauth")


def test_help_lists_every_command_with_its_purpose() -> None:
    """Nobody has to guess what there is."""
    result = CliRunner().invoke(main, ["--help"])

    assert result.exit_code == 0
    for name, purpose in COMMANDS.items():
        assert f"  {name} " in result.output
        assert purpose in result.output
    assert "Examples:\n  " in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_helps(name: str) -> None:
    """What is listed can be imported, and says what it does."""
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: main {name} ")


def subcommands() -> list[list[str]]:
    """Return the names of every command that does something."""
    paths: list[list[str]] = []
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {}
        paths += [[name, below] for below in inner] or [[name]]
    return paths


@pytest.mark.parametrize("path", subcommands(), ids=" ".join)
def test_every_command_reads_the_configuration_that_is_named(path: list[str]) -> None:
    """``--config`` works everywhere, but where no configuration is read."""
    output = CliRunner().invoke(main, [*path, "--help"]).output

    reads_none = path in (["users", "hash"], ["demo"]) or path[0] in {
        "import",
        "completion",
    }
    assert ("--config" in output) is not reads_none


@pytest.mark.parametrize("path", subcommands(), ids=" ".join)
def test_every_command_that_tells_something_tells_programs(path: list[str]) -> None:
    """``--json`` works everywhere, but where there is nothing to tell."""
    output = CliRunner().invoke(main, [*path, "--help"]).output

    assert ("--json" in output) is not (path[0] in SILENT)


def test_help_imports_no_command() -> None:
    """The list is quick, and so is every command that needs no web server."""
    code = (
        "import sys; from forwardauth.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'aiohttp', 'yaml', 'jinja2', 'redis'} & sys.modules.keys()\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )

    finished = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("name", ["confg", "main", "context", "__init__", "config.x"])
def test_an_unknown_command_is_a_mistake_in_the_call(name: str) -> None:
    """Only what is listed is a command: modules beside them are none."""
    result = CliRunner().invoke(main, [name])

    assert result.exit_code == 2
    assert f"No such command '{name}'" in result.stderr


def test_every_problem_of_a_configuration_has_a_line() -> None:
    """All on standard error, with status 2."""
    result = CliRunner().invoke(failing(ConfigError(["a: b; c", "d: e; f"])), ["x"])

    assert result.exit_code == 2
    assert (result.stdout, result.stderr) == ("", "a: b; c\nd: e; f\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StoreUnavailableError("the store does not answer"), "does not answer"),
        (CredentialsError("refused"), "refused"),
        (ForwardAuthError("x"), "x"),
        (PermissionError(13, "Permission denied", "/a"), "Permission denied: '/a'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_expected_failure_is_a_sentence(error: Exception, message: str) -> None:
    """Status 1, and no traceback."""
    result = CliRunner().invoke(failing(error), ["x"])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.endswith(f"{message}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["users", "--help"]])
def test_output_that_cannot_be_written_is_a_sentence(arguments: list[str]) -> None:
    """Help is written before there is a command, and a full disk takes none of it."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        finished = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "forwardauth", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert finished.returncode == 1
    assert finished.stderr == "Error: No space left on device\n"


def test_a_closed_pipe_is_no_failure_to_talk_about() -> None:
    """``forwardauth users list | head -1`` says nothing about the pipe."""
    result = CliRunner().invoke(failing(BrokenPipeError(32, "Broken pipe")), ["x"])

    assert result.exit_code == 1
    assert result.stderr == ""


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    """What nobody expected is not dressed up as an answer."""
    result = CliRunner().invoke(failing(ZeroDivisionError()), ["x"])

    assert isinstance(result.exception, ZeroDivisionError)
