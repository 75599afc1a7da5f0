"""Log lines: no value breaks out of its field."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.web.log_lines import Event
from tests.support.log_lines import parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("alice", "alice"),
        ("a.b-c_d@example.com", "a.b-c_d@example.com"),
        ("/path/to", "/path/to"),
        ("2001:db8::1", "2001:db8::1"),
        (12, "12"),
        (True, "True"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("a\nb", '"a\\nb"'),
        ("a\r\nb", '"a\\r\\nb"'),
        ("a\0b", '"a\\u0000b"'),
        ("a\tb", '"a\\tb"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("a\x7fb", '"a\\u007fb"'),
        ("\x9b31m", '"\\u009b31m"'),
        ("a\u0085b", '"a\\u0085b"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("\u202etxt", '"\\u202etxt"'),
        ("ü", '"\\u00fc"'),
        ("\udcff", '"\\udcff"'),
        ("\U0001f600", '"\\ud83d\\ude00"'),
    ],
    ids=ascii,
)
def test_value_that_is_not_plain_is_quoted(value: object, expected: str) -> None:
    """No quote, line break, terminal sequence or odd letter stands raw (V-48)."""
    assert str(Event("e", name=value)) == f"event=e name={expected}"


def test_absent_values_are_left_out() -> None:
    """None is no value; an empty text and zero are."""
    line = str(Event("e", a=None, b="", c=0))

    assert line == 'event=e b="" c=0'


@pytest.mark.parametrize("value", ["x", "\n", "\U0001f600", '"'], ids=ascii)
def test_long_value_is_cut(value: str) -> None:
    """A line has a limit, whatever the client sends (L-34, V-42)."""
    at_limit = parse(str(Event("e", name=value * 200)))
    above = parse(str(Event("e", name=value * 100_000)))

    assert at_limit["name"] == value * 200
    assert above["name"] == value * 200 + "…"


@given(st.text(max_size=250), st.text(max_size=250))
def test_no_value_breaks_out_of_its_field(one: str, other: str) -> None:
    """Any two texts stay in their fields, on one line of printable ASCII (V-48)."""
    line = str(Event("e", one=one, other=other))

    assert re.fullmatch(r"[ -~]+", line)
    fields = parse(line)
    assert list(fields) == ["event", "one", "other"]
    # A surrogate pair is one character to a reader of JSON.
    cut = [text if len(text) <= 200 else text[:200] + "…" for text in (one, other)]
    expected = [json.loads(json.dumps(text)) for text in cut]
    assert [fields["one"], fields["other"]] == expected
