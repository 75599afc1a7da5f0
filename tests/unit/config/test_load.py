"""Loading: the files that are shipped, and the shortest one."""

import dataclasses
from pathlib import Path
from typing import Final

import pytest

from forwardauth.config.load import load_checked, load_settings
from forwardauth.errors import ConfigError
from tests.support.configuration import COMPLETE, load_text, write_config

ROOT: Final = Path(__file__).parents[3]
SHIPPED: Final = [ROOT / "config.yaml", *ROOT.glob("deploy/**/config.yaml")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
def test_shipped_files_are_valid(path: Path) -> None:
    """Nobody starts from a file with a mistake, or with a warning."""
    settings, warnings = load_checked(path, {})

    assert settings.source == path
    assert warnings == ()


def test_the_shipped_file_holds_the_defaults(tmp_path: Path) -> None:
    """Leaving a key out and leaving it as it is are the same."""
    text = (ROOT / "config.yaml").read_text("utf-8")
    shipped = load_settings(write_config(tmp_path, text), {})
    environ = {"FORWARDAUTH_COOKIES__0__DEFAULT_TARGET": "https://www.example.com/"}

    shortest = load_text(tmp_path, "", environ)

    assert dataclasses.asdict(shipped) == dataclasses.asdict(shortest)


def test_warnings_come_with_the_settings(tmp_path: Path) -> None:
    """What is seldom meant is told and does not stop anything."""
    text = COMPLETE + "logout:\n  clear_site_data: [cookies]\n"
    path = write_config(tmp_path, text)

    settings, (warning,) = load_checked(path, {})

    assert settings.logout.clear_site_data == ("cookies",)
    assert str(warning.place) == f"{path}:7: logout.clear_site_data"


def test_a_file_that_is_named_and_missing_is_a_problem(tmp_path: Path) -> None:
    """The environment does not stand in for it."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "config.yaml", {})


def test_nothing_at_all_names_what_is_required() -> None:
    """Without a file and without variables, both required keys are told."""
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {})

    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [
        "environment: cookies: is missing",
        "environment: users.file: is missing",
    ]


def test_loading_looks_at_no_other_file(tmp_path: Path) -> None:
    """The users file and every folder may be missing where a file is checked."""
    text = (
        "session:\n  journal: none/j\n  store: sqlite:none/s\nportal: {templates: t}\n"
    )

    settings = load_text(tmp_path, text)

    assert not settings.users.file.exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]
