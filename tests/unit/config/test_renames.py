"""An old name is read as the new one, with a warning, and never beside it.

No key has another name so far, so the renames are the test's own, to keys that exist.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import pytest

from forwardauth.config.keys import KEYS
from forwardauth.config.load import Draft, read_draft
from forwardauth.config.renames import RENAMES, Rename
from tests.support.configuration import COMPLETE, write_config

RENAMED: Final = (
    Rename(old="session.lifetime", new="session.absolute_timeout", until="2.0"),
    Rename(old="sign_out.paths", new="logout.paths", until="2.0"),
    Rename(old="journal", new="session.journal", until="2.0"),
)
OLD_VARIABLE: Final = "FORWARDAUTH_SESSION__LIFETIME"
NEW_VARIABLE: Final = "FORWARDAUTH_SESSION__ABSOLUTE_TIMEOUT"

T = TypeVar("T")


def read(folder: Path, text: str = "", **environ: str) -> Draft:
    """Return what a sound file that ends with *text* says, with an environment."""
    path = write_config(folder, COMPLETE + text)
    return read_draft(path, environ, renames=RENAMED)


def only(found: list[T]) -> T:
    """Return the one that was found."""
    (one,) = found
    return one


def test_old_name_in_the_file_is_read_with_a_warning(tmp_path: Path) -> None:
    """The setting counts, and the line that is to be changed is named."""
    draft = read(tmp_path, "session:\n  lifetime: 2h\n  idle_timeout: 5m\n")

    warning = only(draft.findings.warnings)
    assert draft.settings.session.absolute_timeout == timedelta(hours=2)
    assert draft.settings.session.idle_timeout == timedelta(minutes=5)
    assert draft.findings.problems == []
    assert warning.place.key == "session.lifetime"
    assert warning.place.line == COMPLETE.count("\n") + 2
    assert "until 2.0" in warning.reason
    assert "session.absolute_timeout" in warning.remedy


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_old_name_in_the_environment_is_read_with_a_warning(
    tmp_path: Path, suffix: str
) -> None:
    """The variable counts as the new one would, over what the file says."""
    secret = tmp_path / "value"
    secret.write_text("2h\n")
    value = str(secret) if suffix else "2h"
    file = "session:\n  absolute_timeout: 3h\n"

    draft = read(tmp_path, file, **{OLD_VARIABLE + suffix: value})

    warning = only(draft.findings.warnings)
    assert draft.settings.session.absolute_timeout == timedelta(hours=2)
    assert draft.findings.problems == []
    assert warning.place.source == OLD_VARIABLE + suffix
    assert warning.remedy == f"write {NEW_VARIABLE}{suffix} instead"


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        pytest.param("session: {lifetime: 2h, absolute_timeout: 3h}\n", {}, id="file"),
        pytest.param("", {OLD_VARIABLE: "2h", NEW_VARIABLE: "3h"}, id="environment"),
        pytest.param(
            "", {OLD_VARIABLE: "2h", NEW_VARIABLE + "_FILE": "/x"}, id="file-variable"
        ),
    ],
)
def test_both_names_at_once_are_refused(
    tmp_path: Path, text: str, environ: dict[str, str]
) -> None:
    """Nobody can tell which of two values is meant."""
    draft = read(tmp_path, text, **environ)

    told = [each for each in draft.findings.problems if "old name" in each.reason]
    assert only(told).remedy == "take it out"
    assert draft.findings.warnings == []


def test_wrong_value_is_told_once_on_its_line(tmp_path: Path) -> None:
    """What is wrong with a value does not depend on the name it stands below."""
    draft = read(tmp_path, "session:\n  lifetime: soon\n")

    problem = only(draft.findings.problems)
    assert problem.place.key == "session.absolute_timeout"
    assert problem.place.line == COMPLETE.count("\n") + 2


@pytest.mark.parametrize("section", ["", "session:\n"], ids=["none", "empty"])
def test_key_can_move_to_another_section(tmp_path: Path, section: str) -> None:
    """Also from a section that is no more, and to one that says nothing yet."""
    draft = read(
        tmp_path, section + "sign_out:\n  paths: [/bye]\njournal: /var/lib/promises\n"
    )

    assert draft.findings.problems == []
    assert draft.settings.logout.paths == ("/bye",)
    assert draft.settings.session.journal == Path("/var/lib/promises")
    assert len(draft.findings.warnings) == 2


def test_section_of_another_shape_is_told_as_such(tmp_path: Path) -> None:
    """A value in the place of a section hides nothing that is wrong with it."""
    draft = read(tmp_path, "session: nonsense\njournal: /var/lib/promises\n")

    assert [each.place.key for each in draft.findings.problems] == ["session"]


def test_names_that_are_read_today_are_names_of_keys() -> None:
    """A rename leads to a key that exists, from one that does not."""
    assert all(each.new in KEYS and each.old not in KEYS for each in RENAMES)
