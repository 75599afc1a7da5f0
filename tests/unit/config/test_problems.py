"""Problems: how they read, and that none is lost."""

from pathlib import Path

import pytest

from forwardauth.config.problems import Findings, Place, Problem, quote, show_path
from forwardauth.errors import ConfigError


def test_problem_reads_as_place_reason_and_remedy() -> None:
    """A problem is one line that an editor can jump to."""
    place = Place(key="session.store", source="config.yaml", line=12)

    problem = Problem(place=place, reason="is empty", remedy="write a value")

    assert str(problem) == "config.yaml:12: session.store: is empty; write a value"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (
            Place(key="users.file", source="FORWARDAUTH_USERS__FILE"),
            "FORWARDAUTH_USERS",
        ),
        (Place(source="config.yaml", line=3), "config.yaml:3"),
        (Place(source="config.yaml"), "config.yaml"),
        (Place(key="cookies"), "cookies"),
    ],
)
def test_place_leaves_out_what_is_unknown(place: Place, text: str) -> None:
    """Neither a line nor a key is made up."""
    assert str(place).startswith(text)
    assert not str(place).endswith(":")


def test_place_below_keeps_the_line() -> None:
    """A key that is missing is reported where its parent stands."""
    place = Place(key="cookies.0", source="config.yaml", line=4).below("portal")

    assert place == Place(key="cookies.0.portal", source="config.yaml", line=4)


def test_findings_raise_all_problems_in_the_order_of_the_file() -> None:
    """Everything is told at once, lines first, then the environment."""
    findings = Findings()
    for source, line in (("VARIABLE", None), ("config.yaml", 9), ("config.yaml", 2)):
        findings.refuse(Place(source=source, line=line), "is wrong", "change it")

    with pytest.raises(ConfigError) as caught:
        findings.check()

    lines = [str(problem).partition(": ")[0] for problem in caught.value.problems]
    assert lines == ["config.yaml:2", "config.yaml:9", "VARIABLE"]


def test_findings_return_the_warnings_when_nothing_is_wrong() -> None:
    """A warning stops nothing."""
    findings = Findings()
    findings.warn(Place(key="logout"), "is odd", "look at it")

    (warning,) = findings.check()

    assert str(warning) == "logout: is odd; look at it"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", "'plain'"),
        ("a\x1b[31m", r"'a\x1b[31m'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 81, "'" + "x" * 80 + "…'"),
    ],
    ids=["plain", "escape", "newline", "long"],
)
def test_quote_shows_no_control_character_and_no_novel(text: str, quoted: str) -> None:
    """What somebody wrote cannot take over the terminal that shows it."""
    assert quote(text) == quoted


@pytest.mark.parametrize(
    ("key", "is_sound"),
    [("logout", False), ("logout.paths", False), ("logout.path", True), ("log", True)],
)
def test_a_key_is_sound_when_nothing_is_wrong_at_or_below_it(
    key: str, is_sound: bool
) -> None:
    """A key whose name only starts alike has no part in it."""
    findings = Findings()

    findings.refuse(Place(key="logout.paths.0"), "is wrong", "change it")

    assert findings.is_sound(key) is is_sound


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/var/lib/é", "/var/lib/é"),
        ("/a\x1b[31m", r"'/a\x1b[31m'"),
        ("/" + "x" * 300, "…" + "x" * 200),
    ],
    ids=["plain", "escape", "long"],
)
def test_a_path_is_shown_whole_unless_it_would_spoil_the_line(
    path: str, shown: str
) -> None:
    """The end of a long one says most."""
    assert show_path(Path(path)) == shown


def test_a_long_value_is_masked_before_it_is_cut() -> None:
    """Without its @, nobody could tell a password from a host."""
    shown = quote(f"https://alice:{'hunter2' * 20}@app.example.com/")

    assert shown == "'https://********@app.example.com/'"


def test_a_value_in_place_of_a_key_is_masked() -> None:
    """One line break too many makes a key of the address of a store."""
    place = Place(key="session").below("redis://u:hunter2@h/0")

    assert str(place) == "session.redis://********@h/0"
