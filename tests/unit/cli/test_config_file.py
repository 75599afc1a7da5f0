"""The file that a command reads: the named one, else the one that lies there."""

from pathlib import Path

import pytest

from forwardauth.cli.config_file import CONFIG_FILE, find_config

NAMED = Path("named.yaml")


@pytest.mark.parametrize(
    ("named", "is_there", "found"),
    [
        pytest.param(NAMED, True, NAMED, id="named"),
        pytest.param(NAMED, False, NAMED, id="named and missing"),
        pytest.param(None, True, Path(CONFIG_FILE), id="there"),
        pytest.param(None, False, None, id="nowhere"),
    ],
)
def test_file_is_the_named_one_else_the_one_that_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: Path | None,
    *,
    is_there: bool,
    found: Path | None,
) -> None:
    """One that is named is not looked for; nowhere leaves all to the environment."""
    monkeypatch.chdir(tmp_path)
    if is_there:
        Path(CONFIG_FILE).touch()

    assert find_config(named) == found
