"""The table of keys, and that the files people read agree with it."""

import dataclasses
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Final

import pytest

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.config import schema
from forwardauth.config.document import load_document
from forwardauth.config.inspection import inspect
from forwardauth.config.keys import KEYS, names_below, pattern_of, variable_of
from forwardauth.config.problems import Findings
from forwardauth.config.tree import Listing, Node, Table
from forwardauth.errors import ConfigError
from forwardauth.web.signing import check_key
from tests.support.configuration import COOKIES, USERS, problems_in, write_config
from tests.support.users import ARGON2ID, entry, write_users

ROOT: Final = Path(__file__).parents[3]
DOCUMENT: Final = (ROOT / "docs/configuration.md").read_text("utf-8")

SECTIONS: Final = {
    "server": schema.ServerSettings,
    "session": schema.SessionSettings,
    "logout": schema.LogoutSettings,
    "users": schema.UsersSettings,
    "headers": IdentityHeaders,
    "logging": schema.LoggingSettings,
    "portal": schema.PortalSettings,
}
DERIVED: Final = {"default_to_login"}
"""Fields that have no key of their own."""


def documented() -> dict[str, tuple[str, str]]:
    """Return default and variable of each key that has a heading of its own."""
    rows = re.findall(
        r"^### `([a-z_.*]+)`\n\n"
        r"\| type \| default \| environment \|\n\|---\|---\|---\|\n"
        r"\| [^|]+ \| (?:`(.+?)`|(required)) \| `([A-Z0-9_]+)` \|\n\n\S",
        DOCUMENT,
        re.MULTILINE,
    )
    return {key: (default or word, name) for key, default, word, name in rows}


def examples() -> list[str]:
    """Return each example in YAML, completed where it shows one key alone."""
    complete = []
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL):
        text = dedent(block)
        if text.startswith("- "):
            text = "access_control:\n  rules:\n" + indent(text, "    ")
        if "users:\n  file" not in text:
            text += USERS
        if "cookies:\n" not in text:
            text += COOKIES
        complete.append(text)
    return complete


def written_default(key: str) -> str:
    """Return the default of *key* as it would stand in the file."""
    entry = KEYS[key]
    if entry.is_required:
        return "required"
    if isinstance(entry.default, tuple):
        items = [f'"{i}"' if i.startswith(":") else i for i in entry.default]
        return items[0] if key == "server.listen" else f"[{', '.join(items)}]"
    return "null" if entry.default is None else entry.default


def walk(node: Node) -> Iterator[str]:
    """Yield the pattern of every key at or below *node*."""
    if isinstance(node, Table):
        for child in node.entries.values():
            yield from walk(child)
    elif isinstance(node, Listing) and any(isinstance(i, Table) for i in node.items):
        yield pattern_of(node.place.key)
        for item in node.items:
            yield from walk(item)
    else:
        yield pattern_of(node.place.key)


def test_every_key_is_documented_with_its_default_and_variable() -> None:
    """No row is missing, wrong or left over."""
    expected = {
        key: (written_default(key), variable_of(key.replace("*", "0"))) for key in KEYS
    }

    assert documented() == expected


def test_the_shipped_file_has_every_key() -> None:
    """Whoever edits it sees all there is; lists of entries are empty as shipped."""
    root = load_document(ROOT / "config.yaml", findings=Findings())

    empty = ("access_control.networks.", "access_control.rules.", "portal.footer.")
    keys = {key for key in KEYS if not key.startswith(empty)}
    assert set(walk(root)) == keys


def test_the_shipped_file_explains_every_key() -> None:
    """A comment stands above each key, or above the group it belongs to."""
    lines = (ROOT / "config.yaml").read_text("utf-8").splitlines()

    bare = [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r"  [a-z_]+: \S|    (?:portal|default_target):", line)
        if "#" not in before
    ]
    assert bare == ["  cookie_name: forwardauth_session"]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_a_field_of_the_settings(name: str) -> None:
    """What can be written is what the program is built from."""
    fields = {field.name for field in dataclasses.fields(SECTIONS[name])}

    assert fields - DERIVED == set(names_below(name))


def test_every_section_is_a_field_of_the_settings() -> None:
    """The settings are named like the sections of the file."""
    fields = {field.name for field in dataclasses.fields(schema.Settings)}

    assert fields - {"source"} == set(names_below(""))


@pytest.mark.parametrize("text", examples())
def test_every_example_in_the_documentation_is_valid(tmp_path: Path, text: str) -> None:
    """Examples are copied, so they have to work."""
    assert problems_in(write_config(tmp_path, text)) == ()


def test_the_problems_in_the_documentation_are_real(tmp_path: Path) -> None:
    """What the page shows of a message is what the program says."""
    write_users(tmp_path / "users.yaml", entry("alice", ARGON2ID))
    session = "session:\n  journal: /var/lib/none/journal\n  idle_tmeout: 1h\n"
    text = f"{USERS}{COOKIES}{session}logout:\n  paths: [logout]\n"
    path = write_config(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        inspect(path, {}, check_key=check_key)

    said = {str(problem).partition(": ")[2] for problem in caught.value.problems}
    shown = re.findall(r"^    config\.yaml:\d+: (.+)", DOCUMENT, re.MULTILINE)
    assert set(shown) == said


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("cookies.0.domain", "cookies.*.domain"),
        ("access_control.rules.12.policy", "access_control.rules.*.policy"),
        ("session.store", "session.store"),
        ("cookies.00.domain", "cookies.00.domain"),
        ("access_control.rules.10000.policy", "access_control.rules.*.policy"),
        ("cookies.100000.domain", "cookies.100000.domain"),
        ("0.domain", "0.domain"),
    ],
)
def test_patterns_stand_for_every_index(key: str, pattern: str) -> None:
    """An index is a number below a hundred thousand without leading zeros."""
    assert pattern_of(key) == pattern


def test_names_below_an_entry_are_those_of_every_entry() -> None:
    """The index makes no difference."""
    assert names_below("cookies.7") == ("domain", "portal", "default_target")
