"""What subcommands share: the file that is read, and warnings."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from forwardauth.cli.config_file import config_option, find_config
from forwardauth.cli.context import load
from forwardauth.errors import ConfigError
from tests.support.configuration import COMPLETE, write_config


@click.command()
@config_option
def show(config_path: Path | None) -> None:
    """Show the title of the portal."""
    click.echo(load(config_path).portal.title)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_the_file_in_the_current_folder_is_read(tmp_path: Path) -> None:
    """Without ``--config`` it is ``config.yaml``."""
    write_config(tmp_path, COMPLETE + "portal: {title: Here}\n")

    assert CliRunner().invoke(show).stdout == "Here\n"


def test_a_file_that_is_named_wins(tmp_path: Path) -> None:
    """The file in the current folder has no say then."""
    write_config(tmp_path, "broken: [")
    (tmp_path / "etc").mkdir()
    path = write_config(tmp_path / "etc", COMPLETE + "portal: {title: There}\n")

    assert CliRunner().invoke(show, ["--config", str(path)]).stdout == "There\n"


def test_without_a_file_the_environment_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Containers need no file."""
    monkeypatch.setenv("FORWARDAUTH_COOKIES__0__DOMAIN", "example.com")
    monkeypatch.setenv("FORWARDAUTH_COOKIES__0__PORTAL", "https://auth.example.com")
    monkeypatch.setenv("FORWARDAUTH_USERS__FILE", "users.yaml")
    monkeypatch.setenv("FORWARDAUTH_PORTAL__TITLE", "Nowhere")

    assert find_config(None) is None
    assert CliRunner().invoke(show).stdout == "Nowhere\n"


def test_a_file_that_is_named_and_missing_is_no_reason_to_go_on() -> None:
    """The problem is the caller's to tell."""
    result = CliRunner().invoke(show, ["--config", "missing.yaml"])

    assert isinstance(result.exception, ConfigError)
    assert "missing.yaml: cannot be read" in str(result.exception)


def test_warnings_go_to_standard_error(tmp_path: Path) -> None:
    """Output that is piped on stays clean."""
    write_config(tmp_path, COMPLETE + "logout: {clear_site_data: [cookies]}\n")

    result = CliRunner().invoke(show)

    assert result.stdout == "Sign in\n"
    assert result.stderr.startswith("Warning: config.yaml:6: logout.clear_site_data: ")
