"""Examples below the help."""

import click
from click.testing import CliRunner

from forwardauth.cli.epilog import examples


def test_examples_keep_their_lines() -> None:
    """Each can be copied as it stands, however long the one before it."""
    lines = ("forwardauth " + "x" * 80, "forwardauth serve")
    command = click.Command("forwardauth", epilog=examples(*lines))

    output = CliRunner().invoke(command, ["--help"]).output

    shown = [line.strip() for line in output.splitlines()[-3:]]
    assert shown == ["Examples:", *lines]
