"""What has been written is read as the service would read it."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.acceptance import check_config
from tests.support.configuration import COMPLETE


def test_a_sound_text_becomes_settings(tmp_path: Path) -> None:
    """Relative paths start where the file will lie."""
    settings, warnings = check_config(COMPLETE, source="config.yaml", folder=tmp_path)

    assert settings.users.file == tmp_path / "users.yaml"
    assert warnings == ()


@pytest.mark.parametrize(
    ("text", "line"), [("theme: dark\n", 6), ("session: [}\n", 1), ("- a\n", None)]
)
def test_whatever_is_wrong_is_told(tmp_path: Path, text: str, line: int | None) -> None:
    """With the line of the text, which is not there as a file yet."""
    whole = text if line is None else COMPLETE + text

    with pytest.raises(ConfigError) as caught:
        check_config(whole, source="config.yaml", folder=tmp_path)

    assert str(caught.value.problems[0]).startswith(f"config.yaml:{line or 1}")
