"""Sections: types, defaults, and problems that do not hide each other."""

from pathlib import Path

import pytest

from forwardauth.config.problems import Findings, Place, RefusedValueError
from forwardauth.config.section import Reading, Section, parse_path
from forwardauth.config.tree import Listing, Node, Scalar, Table

FILE_FOLDER = Path("/etc/forwardauth")
WORKING_FOLDER = Path("/srv")


def scalar(key: str, text: str, *, line: int | None = 3) -> Scalar:
    """Return a plain value at *key*."""
    return Scalar(place=Place(key=key, source="config.yaml", line=line), text=text)


def section(findings: Findings, name: str = "session", **entries: Node) -> Section:
    """Return the section *name* with *entries*."""
    place = Place(key=name, source="config.yaml", line=2)
    reading = Reading(
        findings=findings, file_folder=FILE_FOLDER, working_folder=WORKING_FOLDER
    )
    return Section(Table(place=place, entries=dict(entries)), reading)


def refuse(text: str) -> str:
    """Accept nothing but the default of ``session.cookie_name``."""
    if text != "forwardauth_session":
        raise RefusedValueError("is refused", "write something else")
    return text


def test_a_value_is_parsed() -> None:
    """What stands there wins over the default."""
    findings = Findings()

    value = section(findings, store=scalar("session.store", "memory:")).text(
        "store", str
    )

    assert value == "memory:"
    assert not findings.problems


def test_a_missing_value_is_the_default() -> None:
    """The default goes through the same parser."""
    assert section(Findings()).text("cookie_name", str.upper) == "FORWARDAUTH_SESSION"


def test_a_refused_value_is_noted_and_the_default_taken() -> None:
    """Reading goes on, and the section knows that the key is not sound."""
    findings = Findings()
    read = section(findings, cookie_name=scalar("session.cookie_name", "x"))

    assert read.text("cookie_name", refuse) == "forwardauth_session"

    assert [str(p) for p in findings.problems] == [
        "config.yaml:3: session.cookie_name: is refused; write something else"
    ]
    assert not read.is_sound("store", "cookie_name")
    assert read.is_sound("store")


def test_null_is_a_value_where_it_may_be() -> None:
    """``remember_me: null`` is not the default."""
    findings = Findings()
    read = section(findings, remember_me=scalar("session.remember_me", "null"))

    assert read.optional("remember_me", str) is None
    assert not findings.problems


def test_null_is_a_problem_elsewhere() -> None:
    """A key without a value was forgotten."""
    findings = Findings()

    section(findings, store=scalar("session.store", "")).text("store", str)

    assert [p.reason for p in findings.problems] == ["is empty"]


def test_a_list_where_one_value_belongs_is_a_problem() -> None:
    """Nobody takes the first of several values."""
    findings = Findings()
    place = Place(key="session.store", line=3)

    section(findings, store=Listing(place=place)).text("store", str)

    assert [p.reason for p in findings.problems] == ["must be one value"]


def test_a_single_value_is_a_list_of_one() -> None:
    """Brackets may be left out."""
    read = section(Findings(), "logout", paths=scalar("logout.paths", "/a"))

    assert read.texts("paths", str) == ("/a",)


def test_each_wrong_item_of_a_list_is_noted() -> None:
    """The items that hold are kept, the others are told by index."""
    findings = Findings()
    place = Place(key="logout.paths", line=3)
    items = (
        scalar("logout.paths.0", "forwardauth_session"),
        scalar("logout.paths.1", "x"),
        Table(place=place.below("2")),
        scalar("logout.paths.3", "null"),
    )
    read = section(findings, "logout", paths=Listing(place=place, items=items))

    assert read.texts("paths", refuse) == ("forwardauth_session",)
    assert [p.place.key for p in findings.problems] == [
        f"logout.paths.{index}" for index in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("name", "key", "remedy"),
    [
        ("session", "stroe", "did you mean 'store'?"),
        ("session", "paths", "did you mean 'logout.paths'?"),
        ("headers", "zzz", "the keys here are user, groups, name, email"),
        ("access_control.rules.0", "polcy", "did you mean 'policy'?"),
    ],
    ids=["near", "elsewhere", "neither", "entry"],
)
def test_an_unknown_key_names_the_nearest(name: str, key: str, remedy: str) -> None:
    """A misspelt key is a problem with a way out, never a setting without effect."""
    findings = Findings()

    section(findings, name, **{key: scalar(f"{name}.{key}", "x")})

    assert [(p.reason, p.remedy) for p in findings.problems] == [
        ("is not a key", remedy)
    ]


def read_alternatives(findings: Findings, node: Node) -> list[list[str | None]]:
    """Return the values of ``subject``, as a list of lists."""
    read = section(findings, RULE, subject=node)
    return [
        [read.value("subject", item, str, ("is no text", "write a")) for item in items]
        for items in read.alternatives("subject")
    ]


def listing(key: str, *items: Node) -> Listing:
    """Return a list at *key*."""
    return Listing(place=Place(key=key, source="config.yaml", line=3), items=items)


RULE = "access_control.rules.0"
SUBJECT = f"{RULE}.subject"


def test_brackets_of_a_list_of_one_may_be_left_out() -> None:
    """One value, a list, and a list of lists are read alike."""
    findings = Findings()
    a, b, c = (scalar(SUBJECT, text) for text in "abc")

    assert read_alternatives(findings, a) == [["a"]]
    assert read_alternatives(findings, listing(SUBJECT, a, b)) == [["a"], ["b"]]
    assert read_alternatives(findings, listing(SUBJECT, listing(SUBJECT, a, b), c)) == [
        ["a", "b"],
        ["c"],
    ]
    assert not findings.problems


def test_an_empty_list_among_lists_is_a_problem() -> None:
    """All of nothing would be met by everything."""
    findings = Findings()

    read_alternatives(findings, listing(SUBJECT, listing(SUBJECT)))

    assert [p.reason for p in findings.problems] == ["is an empty list"]


def test_brackets_that_are_needed_are_asked_for() -> None:
    """Mappings have their place by two indexes, so that both lists have to be there."""
    findings = Findings()
    item = Table(place=Place(key=f"{RULE}.query.0", line=4))
    read = section(findings, RULE, query=listing(f"{RULE}.query", item))

    assert read.alternatives("query", shape="write [[{}]]") == ()
    assert [(p.reason, p.remedy) for p in findings.problems] == [
        ("must be a list of lists", "write [[{}]]")
    ]


def test_an_item_of_another_shape_is_a_problem() -> None:
    """The remedy shows how it is written."""
    findings = Findings()
    table = Table(place=Place(key=f"{SUBJECT}.0", line=4))
    text = scalar(f"{RULE}.query.0", "x")

    assert read_alternatives(findings, listing(SUBJECT, table)) == [[None]]
    assert section(findings, RULE).within("query", text, shape="write {}") is None

    assert [(p.reason, p.remedy) for p in findings.problems] == [
        ("is no text", "write a"),
        ("must hold keys", "write {}"),
    ]


def test_a_required_key_that_is_missing_is_told_where_it_belongs() -> None:
    """The line is that of the mapping it is missing from."""
    findings = Findings()

    assert section(findings, "users").path("file") is None

    assert str(findings.problems[0].place) == "config.yaml:2: users.file"
    assert findings.problems[0].reason == "is missing"


def test_paths_start_where_they_were_written() -> None:
    """The file's folder, but the working folder for the environment."""
    from_file = section(Findings(), journal=scalar("session.journal", "a"))
    from_variable = section(
        Findings(), journal=scalar("session.journal", "a", line=None)
    )

    assert from_file.path("journal") == FILE_FOLDER / "a"
    assert from_variable.path("journal") == WORKING_FOLDER / "a"
    assert section(Findings()).path("journal") == FILE_FOLDER / "revocations.journal"


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_a_path_has_to_name_something(text: str) -> None:
    """What the system cannot open is found before the start."""
    with pytest.raises(RefusedValueError):
        parse_path(text, folder=FILE_FOLDER)


def test_a_section_that_is_no_mapping_is_a_problem() -> None:
    """``logout: /logout`` says something, and it is not this."""
    findings = Findings()
    root = section(findings, "", logout=scalar("logout", "/logout"))

    assert root.section("logout").texts("paths", str) == ("/logout",)
    assert [p.reason for p in findings.problems] == ["must hold keys"]


def test_a_section_without_keys_is_as_good_as_none() -> None:
    """``portal:`` with every key commented out has the defaults."""
    findings = Findings()
    root = section(findings, "", portal=scalar("portal", ""))

    assert root.section("portal").text("title", str) == "Sign in"
    assert not findings.problems


def test_entries_have_to_be_mappings_in_a_list() -> None:
    """One mapping is no list, and one word is no mapping."""
    findings = Findings()
    place = Place(key="cookies", line=3)
    section(findings, "", cookies=Table(place=place)).entries("cookies")
    item = scalar("cookies.0", "example.com")
    section(findings, "", cookies=Listing(place=place, items=(item,))).entries(
        "cookies"
    )

    assert [(p.place.key, p.reason) for p in findings.problems] == [
        ("cookies", "must be a list"),
        ("cookies.0", "must hold keys"),
    ]
