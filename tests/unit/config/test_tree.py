"""Nodes: which text is null."""

import pytest

from forwardauth.config.problems import Place
from forwardauth.config.tree import Listing, Node, Scalar, Table, lookup_node, place_of


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_plain_nulls_are_null(text: str) -> None:
    """Every spelling of YAML 1.2 counts."""
    assert Scalar(place=Place(), text=text).is_null


@pytest.mark.parametrize("text", ["", "null", "~"])
def test_quoted_nulls_are_text(text: str) -> None:
    """A user may be called null."""
    assert not Scalar(place=Place(), text=text, is_plain=False).is_null


@pytest.mark.parametrize("text", ["no", "nUll", "0", "none"])
def test_other_text_is_not_null(text: str) -> None:
    """Nothing else stands for the absence of a value."""
    assert not Scalar(place=Place(), text=text).is_null


def test_a_scalar_does_not_show_its_text() -> None:
    """A node in a traceback gives no secret away."""
    assert "hunter2" not in repr(Scalar(place=Place(), text="hunter2"))


def at(key: str, line: int) -> Place:
    """Return a place in the file."""
    return Place(key=key, source="config.yaml", line=line)


LIST = Listing(
    place=at("a.list", 3), items=(Scalar(place=at("a.list.0", 4), text="x"),)
)
ENTRIES: dict[str, Node] = {
    "list": LIST,
    "empty": Scalar(place=at("a.empty", 5), text=""),
    "text": Scalar(place=at("a.text", 6), text="x"),
}
ROOT = Table(place=at("", 1), entries={"a": Table(place=at("a", 2), entries=ENTRIES)})


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("a.list.0", at("a.list.0", 4)),
        ("a.list.1", at("a.list", 3)),
        ("a.b", at("a.b", 2)),
        ("a.empty.b", at("a.empty.b", 5)),
        ("a.text.b", at("a.text", 6)),
        ("b.c", at("b.c", 1)),
    ],
)
def test_a_key_has_the_place_of_what_was_written_or_would_hold_it(
    key: str, place: Place
) -> None:
    """A default has the line of its section."""
    assert place_of(ROOT, key) == place


@pytest.mark.parametrize(
    ("key", "found"),
    [("a.list", LIST), ("a.list.1", None), ("a.b.c", None), ("a.text.0", None)],
)
def test_only_what_was_written_is_looked_up(key: str, found: Listing | None) -> None:
    """A default has no node of its own."""
    assert lookup_node(ROOT, key) is found
