"""The options of ``forwardauth import`` become choices, strict without any."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from forwardauth.access_control.decision import Policy
from forwardauth.cli.import_options import site_options
from forwardauth.migration.choices import Choices


def choices_of(*arguments: str) -> Choices:
    """Return what the options come to."""
    found: list[Choices] = []

    @click.command()
    @site_options
    def command(choices: Choices, **_: object) -> None:
        found.append(choices)

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return found[0]


def test_without_options_everything_is_strict() -> None:
    """Relative paths start in the current folder."""
    assert choices_of() == Choices(folder=Path.cwd())


def test_every_option_is_a_choice(tmp_path: Path) -> None:
    """With a file to write, relative paths start beside it."""
    choices = choices_of(
        *("--two-factor", "one_factor", "--any-query", "--portal", "https://a.b.c"),
        *("--domain", "b.c", "--trusted-proxy", "10.0.0.0/8", "--users-file", "u.yml"),
        *("--output", str(tmp_path / "config.yaml")),
    )

    assert choices == Choices(
        two_factor=Policy.ONE_FACTOR,
        any_query=True,
        portal="https://a.b.c",
        domain="b.c",
        trusted_proxies=("10.0.0.0/8",),
        users_file=Path("u.yml"),
        folder=tmp_path,
    )


@pytest.mark.parametrize("value", ["bypass", "two_factor"])
def test_two_factor_cannot_become_anything_else(value: str) -> None:
    """Open to everybody is no reading of a second factor."""

    @click.command()
    @site_options
    def command(**_: object) -> None:
        raise AssertionError

    assert CliRunner().invoke(command, ["--two-factor", value]).exit_code == 2
