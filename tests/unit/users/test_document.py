"""YAML with the place of every value."""

import pytest

from forwardauth.errors import ConfigError
from forwardauth.users.document import Node, content_end, parse_document

TEXT = """\
# head
users:
  zoë:  # name
    password: "x"   # secret
    groups:
      - dev   # first
    bio: |
      one
      two

  # behind
  bob: {disabled: no,
        groups: [a]}  # braces
"""


def parse(text: str) -> Node:
    """Return the document in *text*."""
    root = parse_document(text, place="users.yaml")
    assert root is not None
    return root


def value_at(root: Node, *keys: str) -> Node:
    """Return the value below *keys*."""
    for key in keys:
        pair = root.lookup(key)
        assert pair is not None
        root = pair[1]
    return root


@pytest.mark.parametrize(
    ("keys", "line", "written"),
    [
        (("users", "zoë", "password"), 4, '"x"'),
        (("users", "zoë", "groups"), 6, "- dev"),
        (("users", "zoë", "bio"), 7, "|\n      one\n      two"),
        (("users", "bob", "disabled"), 12, "no"),
        (("users", "bob", "groups"), 13, "[a]"),
    ],
)
def test_value_knows_where_it_stands(
    keys: tuple[str, ...], line: int, written: str
) -> None:
    """Line and offsets are those of the text, comments left out."""
    node = value_at(parse(TEXT), *keys)

    assert node.line == line
    assert TEXT[node.start : content_end(node, TEXT)] == written


def test_windows_line_ends_count_as_one() -> None:
    """Offsets hold for files that were edited on Windows."""
    text = TEXT.replace("\n", "\r\n")
    node = value_at(parse(text), "users", "bob", "groups")

    assert node.line == 13
    assert text[node.start : content_end(node, text)] == "[a]"


def test_scalar_stays_text() -> None:
    """A user may be called no, and a password is no number."""
    root = parse("no: 0123\n'null': ''\nnothing:\n")

    assert [key.text for key, _ in root.pairs or ()] == ["no", "null", "nothing"]
    assert value_at(root, "no").text == "0123"
    assert not value_at(root, "null").is_null
    assert value_at(root, "nothing").is_null


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n"])
def test_empty_text_is_no_document(text: str) -> None:
    """Comments alone are nothing."""
    found = parse_document(text, place="users.yaml")

    assert found is None or found.is_null


def test_alias_is_one_node() -> None:
    """A list that is written once and used twice is read twice."""
    root = parse("a: &g [x]\nb: *g\n")

    assert value_at(root, "b") is value_at(root, "a")


def test_document_that_holds_itself_ends() -> None:
    """An alias to what is around it does not run for ever."""
    text = "&all\nusers: [*all]\n"
    root = parse(text)

    assert text[: content_end(root, text)] == "&all\nusers: [*all]"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("users:\n\talice: 1\n", 2),
        ("users:\n  a: [1\n  b: 2\n", 3),
        ("users: {}\n---\nusers: {}\n", 2),
        ("users:\n  a: *b\n", 2),
        ("users:\n  é: \x07\n", 2),
        ('users:\n  a: "x\n', 3),
    ],
    ids=["tab", "bracket", "two documents", "alias", "control character", "quote"],
)
def test_text_that_is_no_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    """Whoever saved a half-finished edit is told where."""
    with pytest.raises(ConfigError) as caught:
        parse_document(text, place="users.yaml")

    (problem,) = caught.value.problems
    assert str(problem).startswith(f"users.yaml:{line}: this is not YAML: ")


def test_deep_nesting_is_refused() -> None:
    """Ten thousand brackets do not end the process."""
    with pytest.raises(ConfigError, match="nest"):
        parse_document("[" * 10_000, place="users.yaml")


@pytest.mark.parametrize("password", ["*hunter2", "!hunter2!x", "&hunter2 a, x: *b2"])
def test_mistake_in_a_password_is_told_without_it(password: str) -> None:
    """Without quotes some are aliases and tags, whose names the parser would tell."""
    with pytest.raises(ConfigError) as caught:
        parse_document(f"users: {{alice: {{password: {password}}}}}", place="u")

    assert "u:1: this is not YAML" in str(caught.value)
    assert "hunter2" not in str(caught.value)
