"""What names, addresses, groups and flags may hold."""

import pytest

from forwardauth.users import fields
from forwardauth.users.problems import RefusedValueError
from tests.support.users import ARGON2ID

UNSEEN = "holds a line break or another character that cannot be seen"


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "Zoë",
        "a b",
        "alice@example.com",
        "o'neil",
        "山田",
        "x" * 255,
        "1",
        "no",
    ],
)
def test_usual_name_is_accepted(name: str) -> None:
    """Names in use elsewhere can be kept."""
    assert fields.check_username(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        ("a,b", "holds a comma or a colon"),
        ("a:b", "holds a comma or a colon"),
        ("a\0", UNSEEN),
        ("a\r\nX-Admin: 1", UNSEEN),
        ("a\x7f", UNSEEN),
        ("a\x85", UNSEEN),
        ("a\u2028", UNSEEN),
        ("a\u200b", UNSEEN),
        ("a\u202eb", UNSEEN),
        ("a\ud800", UNSEEN),
        (" a", "has space around it"),
        ("a ", "has space around it"),
        ("e\u0301", "is not in its composed form (NFC)"),
        ("x" * 256, "is 256 bytes long, more than 255"),
        ("é" * 128, "is 256 bytes long, more than 255"),
    ],
    ids=ascii,
)
def test_name_that_could_be_mistaken_is_refused(name: str, reason: str) -> None:
    """V-27, V-39: no name breaks a header or a list, or looks like another."""
    with pytest.raises(RefusedValueError) as caught:
        fields.check_username(name)

    assert reason in caught.value.reason
    assert caught.value.reason.isprintable()


@pytest.mark.parametrize(
    "text", ["", "Doe, Alice", "Zoë: Ops", "👩\u200d🚀 Ada", "x" * 512], ids=ascii
)
def test_usual_display_name_is_accepted(text: str) -> None:
    """For people: joined emoji, commas and colons are fine."""
    assert fields.check_value(text, what="displayname") == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\nb", f"displayname {UNSEEN}"),
        ("a\0", f"displayname {UNSEEN}"),
        ("a\t", f"displayname {UNSEEN}"),
        (" a", "displayname has space around it"),
        ("x" * 513, "displayname is 513 bytes long, more than 512"),
    ],
    ids=["line break", "NUL", "tab", "space", "too long"],
)
def test_value_that_no_header_can_carry_is_refused(text: str, reason: str) -> None:
    """V-27: it is refused in the file, not cut on the way to an application."""
    with pytest.raises(RefusedValueError) as caught:
        fields.check_value(text, what="displayname")

    assert caught.value.reason == reason


def test_groups_keep_their_order() -> None:
    """The list is sent as it is written."""
    assert fields.check_groups(["dev", "admins"]) == ("dev", "admins")


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        (["dev", ""], "the group '' is empty or holds a comma"),
        (["dev,admins"], "the group 'dev,admins' is empty or holds a comma"),
        (["dev\n"], f"the group 'dev\\n' {UNSEEN}"),
        (["x" * 255] * 17, "the groups are 4351 bytes long, more than 4096"),
    ],
    ids=["empty", "comma", "line break", "too many"],
)
def test_groups_that_could_be_mistaken_are_refused(
    groups: list[str], reason: str
) -> None:
    """V-27: a group cannot smuggle in another one."""
    with pytest.raises(RefusedValueError) as caught:
        fields.check_groups(groups)

    assert caught.value.reason == reason


def test_hash_is_returned_without_the_old_marker() -> None:
    """Files of Authelia before 4.38 carry it."""
    found = fields.check_password_hash("{CRYPT}" + ARGON2ID, username="alice")

    assert found == ARGON2ID


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("", "user 'alice' has no password", "forwardauth users passwd alice"),
        (
            "hunter2",
            "the password of user 'alice' looks like plain text",
            "run forwardauth users hash",
        ),
    ],
    ids=["missing", "plain text"],
)
def test_missing_hash_is_refused_with_a_command(
    text: str, reason: str, remedy: str
) -> None:
    """The remedy is a command to run, and the password is not repeated."""
    with pytest.raises(RefusedValueError) as caught:
        fields.check_password_hash(text, username="alice")

    assert caught.value.reason == reason
    assert remedy in caught.value.remedy
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "flag"),
    [("true", True), ("Yes", True), ("ON", True), ("false", False), ("no", False)],
)
def test_flag_is_read_as_yaml_spells_it(text: str, flag: bool) -> None:
    """Both spellings of YAML 1.1 are in use."""
    assert fields.parse_flag(text, what="disabled") is flag


@pytest.mark.parametrize("text", ["", "1", "maybe", "ture"])
def test_unknown_word_does_not_leave_a_user_enabled(text: str) -> None:
    """A slip of the pen in ``disabled`` is a mistake, not a no."""
    with pytest.raises(RefusedValueError, match="not yes or no"):
        fields.parse_flag(text, what="disabled")


@pytest.mark.parametrize(
    ("key", "help_"),
    [
        ("pasword", "did you mean password?"),
        ("displayName", "did you mean displayname?"),
        ("zzz", "known are disabled, displayname, password, email, groups"),
    ],
)
def test_unknown_key_gets_help(key: str, help_: str) -> None:
    """The nearest key is named, or all of them."""
    assert fields.nearest_of(key, fields.KEYS) == help_
