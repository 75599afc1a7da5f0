"""YAML: what is read, what is refused, and that nothing in it runs or unfolds."""

import os
import threading
from pathlib import Path

import pytest

from forwardauth.config.document import load_document, parse_yaml
from forwardauth.config.problems import Findings, Place, Problem, RefusedValueError
from forwardauth.config.tree import Listing, Scalar, Table
from forwardauth.errors import ConfigError

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]\n" for n in range(1, 10)
)


def load(folder: Path, content: str | bytes) -> tuple[Table, list[Problem]]:
    """Return what *content* holds, and the lesser mistakes in it."""
    path = folder / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    findings = Findings()
    return load_document(path, findings=findings), findings.problems


def failure_of(folder: Path, content: str | bytes) -> Problem:
    """Return the one problem that stops reading."""
    with pytest.raises(ConfigError) as caught:
        load(folder, content)
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    return problem


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    """Keys are placed by their own line, items by theirs."""
    root, _ = load(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - y\n")

    a = root.entries["a"]
    assert isinstance(a, Table)
    c = a.entries["c"]
    assert isinstance(c, Listing)
    assert (a.place.line, a.entries["b"].place.line, c.place.line) == (1, 2, 3)
    assert [(i.place.key, i.place.line) for i in c.items] == [
        ("a.c.0", 4),
        ("a.c.1", 5),
    ]


@pytest.mark.parametrize(
    "text", ["no", "0755", "1e3", "2024-01-01", "12:30:00", "true", "1.0", "=", "0x1F"]
)
def test_scalars_stay_as_they_were_written(tmp_path: Path, text: str) -> None:
    """YAML 1.1 does not turn a name into a truth value or a number."""
    root, problems = load(tmp_path, f"a: {text}\n")

    value = root.entries["a"]
    assert isinstance(value, Scalar)
    assert value.text == text
    assert not problems


def test_quotes_make_null_a_text(tmp_path: Path) -> None:
    """Only what stands without quotes can be null."""
    root, _ = load(tmp_path, "a: null\nb: 'null'\nc:\n")

    nulls = [v.is_null for v in root.entries.values() if isinstance(v, Scalar)]
    assert nulls == [True, False, True]


def test_anchors_repeat_what_they_name(tmp_path: Path) -> None:
    """An alias is the value again, placed where it is used."""
    root, problems = load(tmp_path, "a: &x [1]\nb: *x\n")

    b = root.entries["b"]
    assert isinstance(b, Listing)
    assert [i.text for i in b.items if isinstance(i, Scalar)] == ["1"]
    assert b.place.key == "b"
    assert not problems


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    root, _ = load(tmp_path, b"\xef\xbb\xbfa: 1\n")

    assert list(root.entries) == ["a"]


@pytest.mark.parametrize(
    ("content", "line", "keyword"),
    [
        pytest.param("", 1, "holds nothing", id="empty"),
        pytest.param("# nothing\n", 1, "holds nothing", id="comment"),
        pytest.param("---\n", 1, "holds nothing", id="empty-document"),
        pytest.param("- a\n", 1, "does not hold keys", id="list"),
        pytest.param("just text\n", 1, "does not hold keys", id="text"),
        pytest.param("a: 1\nb: caf\xe9\n".encode("latin-1"), 2, "UTF-8", id="latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), 1, "UTF-8", id="utf-16"),
        pytest.param("a: 1\nb: \0\n", 2, "U+0000", id="nul"),
        pytest.param('a: 1\nb: "x\\ud800"\n', 2, "U+D800", id="half-a-character"),
        pytest.param("a:\n\tb: 1\n", 2, "is not YAML", id="tab"),
        pytest.param("a: 1\nb: [1\nc: 2\n", 3, "is not YAML", id="open-bracket"),
        pytest.param("a: 1\n b: 2\n", 2, "is not YAML", id="indentation"),
        pytest.param("a: 'x\n", 2, "is not YAML", id="open-quote"),
        pytest.param("a: *x\n", 1, "undefined alias", id="unknown-alias"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "another document", id="two-documents"),
        pytest.param("a: @x\n", 1, "is not YAML", id="reserved-character"),
        pytest.param("%YAML 3.0\n---\na: 1\n", 1, "version", id="version"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_problem(
    tmp_path: Path, content: str | bytes, line: int, keyword: str
) -> None:
    """What cannot be read is told once, with its line, and nothing is guessed."""
    problem = failure_of(tmp_path, content)

    assert problem.place.source == str(tmp_path / "config.yaml")
    assert problem.place.line == line
    assert keyword in problem.reason
    assert problem.remedy


def test_tabs_get_a_remedy_of_their_own(tmp_path: Path) -> None:
    """The most common mistake in YAML is named."""
    assert "spaces" in failure_of(tmp_path, "a:\n\tb: 1\n").remedy


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(BOMB, id="aliases"),
        pytest.param("a: &a [*a]\n", id="alias-of-itself"),
        pytest.param("a: " + "[" * 50 + "]" * 50, id="fifty-brackets"),
        pytest.param("[" * 5_000, id="thousands-of-brackets"),
        pytest.param("a: 1\n" + "#" * 1_048_576, id="size"),
    ],
)
def test_nothing_unfolds_without_bounds(tmp_path: Path, content: str) -> None:
    """A few lines cannot take all memory, nor a large file."""
    problem = failure_of(tmp_path, content)

    assert any(
        word in problem.reason for word in ("unfolds", "nested", "longer", "YAML")
    )


def test_ten_thousand_rules_are_read(tmp_path: Path) -> None:
    """Bounds are for what nobody writes, and somebody may well write these."""
    rule = "{domain: a.example.com, groups: [admins], policy: one_factor}"
    rules = f"r: &r {rule}\nrules: [{', '.join(['*r'] * 10_000)}]\n"

    root, problems = load(tmp_path, rules)

    found = root.entries["rules"]
    assert isinstance(found, Listing)
    assert len(found.items) == 10_000
    assert not problems


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """A file that was named is never replaced by defaults."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_document(tmp_path / "missing.yaml", findings=Findings())


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's reason is passed on."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_document(tmp_path, findings=Findings())


def test_a_pipe_that_nobody_writes_to_holds_nothing(tmp_path: Path) -> None:
    """A reload waits for nobody; what somebody writes to a pipe is read whole."""
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="holds nothing"):
        load_document(pipe, findings=Findings())
    read, write = os.pipe()

    def write_late() -> None:
        with os.fdopen(write, "wb") as file:
            file.write(b"a: 1\n")

    writer = threading.Timer(0.05, write_late)
    writer.start()

    root = load_document(Path(f"/dev/fd/{read}"), findings=Findings())

    writer.join()
    os.close(read)
    assert list(root.entries) == ["a"]


@pytest.mark.parametrize(
    ("content", "key", "line", "keyword"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n", "a", 3, "twice, first on line 1", id="twice"
        ),
        pytest.param("a:\n  b: 1\n  b: 1\n", "a.b", 3, "twice", id="twice-below"),
        pytest.param("a: !!binary aGk=\n", "a", 1, "tag", id="standard-tag"),
        pytest.param("a: !x y\n", "a", 1, "has a tag", id="local-tag"),
        pytest.param("a: !!set {b}\n", "a", 1, "tag", id="set"),
        pytest.param("a: &x {b: 1}\nc:\n  <<: *x\n", "c", 3, "no name", id="merge"),
        pytest.param("? [a]\n: 1\n", "", 1, "no name", id="list-as-key"),
    ],
)
def test_lesser_mistakes_are_noted_and_reading_goes_on(
    tmp_path: Path, content: str, key: str, line: int, keyword: str
) -> None:
    """The rest of the file can still be checked."""
    _, problems = load(tmp_path, content)

    assert [(p.place.key, p.place.line) for p in problems] == [(key, line)]
    assert keyword in problems[0].reason


def test_a_tag_makes_no_object(tmp_path: Path) -> None:
    """The text of a tagged value stays text: nothing is constructed."""
    root, problems = load(
        tmp_path, "a: !!python/object/apply:os.system [touch marker]\n"
    )

    assert isinstance(root.entries["a"], Listing)
    assert len(problems) == 1
    assert not (tmp_path / "marker").exists()


def test_a_key_with_control_characters_is_shown_escaped(tmp_path: Path) -> None:
    """A name in a message cannot steer the terminal."""
    root, _ = load(tmp_path, '"a\\e[31m": 1\n')

    assert list(root.entries) == [r"'a\x1b[31m'"]


def test_the_value_of_a_variable_has_no_lines() -> None:
    """Problems of a variable name the variable instead."""
    place = Place(key="cookies", source="FORWARDAUTH_COOKIES")
    findings = Findings()

    node = parse_yaml("[{domain: a,\n domain: b}]", place, findings=findings)

    assert isinstance(node, Listing)
    assert [str(p.place) for p in findings.problems] == [
        "FORWARDAUTH_COOKIES: cookies.0.domain"
    ]
    assert node.items[0].place.line is None


def test_a_variable_that_is_no_yaml_is_refused() -> None:
    """The caller notes it together with the variable's name."""
    with pytest.raises(RefusedValueError, match="not YAML"):
        parse_yaml("[a", Place(), findings=Findings())
