"""Who asks, as header lines: what arrives is what was meant, or nothing passes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwardauth.adapters.identity import (
    MAX_TOTAL_BYTES,
    MAX_VALUE_BYTES,
    IdentityHeaders,
    Lines,
)
from forwardauth.errors import UnfitIdentityError
from forwardauth.request import ANONYMOUS, Subject
from forwardauth.users import fields
from tests.support.access import ALICE

NAMES: Final = IdentityHeaders()
CUSTOM: Final = IdentityHeaders(
    user="X-WebAuth-User",
    groups="X-WebAuth-Groups",
    name="X-WebAuth-Name",
    email="X-WebAuth-Email",
)
TEXTS: Final = st.text(max_size=40) | st.text(st.characters(categories=["L", "Zs"]))
SUBJECTS: Final = st.builds(
    Subject,
    username=TEXTS,
    display_name=TEXTS,
    email=TEXTS,
    groups=st.frozensets(TEXTS, max_size=4),
)
HAVING: Final[dict[str, Callable[[str], Subject]]] = {
    "username": lambda text: replace(ALICE, username=text),
    "display name": lambda text: replace(ALICE, display_name=text),
    "email": lambda text: replace(ALICE, email=text),
}
"""Makes a subject whose one field is some text."""


def _reason(subject: Subject) -> str:
    with pytest.raises(UnfitIdentityError) as refused:
        NAMES.lines(subject)
    return refused.value.reason


def _lines_or_none(subject: Subject) -> Lines | None:
    try:
        return NAMES.lines(subject)
    except UnfitIdentityError:
        return None


def _is_unfit(subject: Subject) -> bool:
    """Whether a short value is one that no header line can carry unchanged."""
    texts = (subject.username, subject.display_name, subject.email, *subject.groups)
    return any(
        text != text.strip()
        or not {category(character) for character in text}.isdisjoint(
            ("Cc", "Cs", "Zl", "Zp")
        )
        for text in texts
    ) or any(not group or "," in group for group in subject.groups)


@pytest.mark.parametrize("names", [NAMES, CUSTOM], ids=["default", "configured"])
@pytest.mark.parametrize("subject", [ALICE, ANONYMOUS], ids=["somebody", "nobody"])
def test_all_four_are_sent_under_their_names(
    names: IdentityHeaders, subject: Subject
) -> None:
    """A header that is left out would let the client's own copy through (V-26)."""
    assert tuple(name for name, _ in names.lines(subject)) == names.names


def test_values_are_those_of_the_subject() -> None:
    """Groups are sorted, so that applications may compare texts."""
    assert NAMES.lines(ALICE) == (
        ("Remote-User", "alice"),
        ("Remote-Groups", "dev,ops"),
        ("Remote-Name", "Alice Liddell"),
        ("Remote-Email", "alice@example.com"),
    )


@given(subject=SUBJECTS)
@example(
    Subject(username="zoë", display_name="李 Ł\u00a0x", groups=frozenset({"é", "e"}))
)
@example(Subject(display_name="a\r\nRemote-User: root"))
@example(Subject(email="a\udcffb"))
@example(Subject(groups=frozenset({"a,b"})))
@example(Subject(username=" a"))
def test_lines_carry_the_value_or_there_are_none(subject: Subject) -> None:
    """Four lines without a control character, which read as what was meant (V-27)."""
    lines = _lines_or_none(subject)

    assert (lines is None) == _is_unfit(subject)
    if lines is None:
        return
    # As a server writes and reads a line: bytes, trimmed of what HTTP does not count.
    sent = [value.encode() for _, value in lines]
    assert not [byte for value in sent for byte in value if byte < 0x20 or byte == 0x7F]
    user, groups, name, email = (value.strip(b" \t").decode() for value in sent)
    assert (user, name, email) == (
        subject.username,
        subject.display_name,
        subject.email,
    )
    assert frozenset(groups.split(",") if groups else ()) == subject.groups


@pytest.mark.parametrize("having", HAVING.values(), ids=HAVING)
@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x1bb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "\ud800",
        " a",
        "a\t",
    ],
    ids=ascii,
)
def test_value_that_a_line_would_change_is_refused(
    having: Callable[[str], Subject], value: str
) -> None:
    """It is not mended: the mended one might be somebody else (V-27)."""
    assert _reason(having(value)) == "identity_unsafe"


@pytest.mark.parametrize("group", ["", "a,b", "a\nb", " a", "a "], ids=ascii)
def test_group_that_a_list_would_change_is_refused(group: str) -> None:
    """No name can add a group, or take one away (V-27)."""
    groups = frozenset({"dev", group})

    assert _reason(replace(ALICE, groups=groups)) == "identity_unsafe"


@pytest.mark.parametrize(
    "subject",
    [
        replace(ALICE, display_name="x" * (MAX_VALUE_BYTES + 1)),
        replace(ALICE, display_name="é" * (MAX_VALUE_BYTES // 2) + "x"),
        replace(ALICE, groups=frozenset(f"group-{n}" for n in range(500))),
        replace(
            ALICE,
            username="u" * (MAX_VALUE_BYTES // 2 + 1),
            display_name="n" * MAX_VALUE_BYTES,
            email="e" * (MAX_VALUE_BYTES // 2),
        ),
    ],
    ids=["name", "name in bytes", "groups", "together"],
)
def test_long_identity_is_refused(subject: Subject) -> None:
    """It is not cut: the rest might be somebody else, or another group (V-27)."""
    assert _reason(subject) == "identity_too_long"


def test_longest_value_passes() -> None:
    """The limit itself is within the limit."""
    subject = Subject(
        username="u" * MAX_VALUE_BYTES, email="e" * (MAX_TOTAL_BYTES - MAX_VALUE_BYTES)
    )

    assert sum(len(value) for _, value in NAMES.lines(subject)) == MAX_TOTAL_BYTES


def test_whatever_the_users_file_accepts_fits() -> None:
    """A mistake is told when the file is read, and not when somebody is denied."""
    longest = "é" * (fields.MAX_VALUE_BYTES // 2)
    names = tuple(f"{n:0255}" for n in range(15))
    groups = fields.check_groups([*names, "g" * 254, "h"])
    subject = Subject(
        username=fields.check_username("u" * fields.MAX_NAME_BYTES),
        display_name=fields.check_value(longest, what="displayname"),
        email=fields.check_value(longest, what="email"),
        groups=frozenset(groups),
    )

    lines = dict(NAMES.lines(subject))

    assert len(lines["Remote-Groups"]) == fields.MAX_GROUPS_BYTES


def test_refusal_does_not_tell_the_value() -> None:
    """The log says which header is unfit, and nothing that was in it."""
    with pytest.raises(UnfitIdentityError) as refused:
        NAMES.lines(replace(ALICE, email="private\n@example.com"))

    assert "Remote-Email" in str(refused.value)
    assert "private" not in str(refused.value)
