"""YAML with comments: what is read back is what was written."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.migration.yaml_text import Entry, write_document, write_scalar


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    """Whatever is in it: quotes, line breaks, colons."""
    node = yaml.compose(f"key: {write_scalar(text)}\n", yaml.SafeLoader)

    assert node is not None
    assert node.value[0][1].value == text
    assert "\n" not in write_scalar(text)


def test_words_stand_without_quotes() -> None:
    """And what YAML takes for null does not."""
    words = ("deny", "10.0.0.0/8", "127.0.0.1:9091", "null", "a: b", "memory:", None)

    assert [write_scalar(word) for word in words] == [
        *("deny", "10.0.0.0/8", "127.0.0.1:9091", '"null"', '"a: b"', '"memory:"'),
        "null",
    ]


def test_a_document_has_its_comments_above_its_keys() -> None:
    """A comment cannot end its line, whatever it holds."""
    rule = (
        Entry(name="domain", value="a.example.com", notes=("rule 0\n- evil",)),
        Entry(name="query", value=[[(Entry(name="key", value="x y"),)]]),
    )
    entries = (
        Entry(name="session", value=(Entry(name="a", value="1h", notes=("from b",)),)),
        Entry(name="rules", value=[rule]),
        Entry(name="long", value=["x" * 50, "y" * 50]),
    )

    text = write_document(entries, heading=("Written.",))

    assert text == (
        "# Written.\n\nsession:\n  # from b\n  a: 1h\n\nrules:\n"
        "  # 'rule 0\\n- evil'\n  - domain: a.example.com\n"
        '    query: [[{key: "x y"}]]\n\nlong:\n'
        f"  - {'x' * 50}\n  - {'y' * 50}\n"
    )
