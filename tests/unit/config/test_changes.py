"""What a running service can go on with, and what it is told of that."""

import os
import re
from pathlib import Path

import pytest

from forwardauth.config.changes import RESTART_KEYS, changed_keys, check_changeable
from forwardauth.config.inspection import Inspection, inspect
from forwardauth.config.keys import KEYS
from forwardauth.config.problems import Problem
from forwardauth.errors import ConfigError
from forwardauth.web.signing import check_key
from tests.support.portal import USERS
from tests.support.repository import ROOT

BASE = """\
cookies: [{domain: example.com, portal: "https://auth.example.com"}]
users: {file: users.yaml}
"""


@pytest.fixture(autouse=True)
def users(tmp_path: Path) -> None:
    """The file that the configuration names."""
    path = tmp_path / "users.yaml"
    path.write_text(USERS)
    path.chmod(0o600)


def read(folder: Path, text: str = "") -> Inspection:
    """Return what the common lines and *text* say."""
    path = folder / "config.yaml"
    path.write_text(BASE + text)
    return inspect(path, os.environ, check_key=check_key)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ()),
        ("server: {trusted_proxies: [10.0.0.0/8]}\n", ("server.trusted_proxies",)),
        (
            "session: {idle_timeout: 5m, absolute_timeout: 9h}\n",
            ("session.absolute_timeout", "session.idle_timeout"),
        ),
        ("logout: {default_target: login}\n", ("logout.default_target",)),
        ("headers: {user: X-User}\n", ("headers",)),
        (
            "access_control: {default_policy: one_factor}\n",
            ("access_control.default_policy",),
        ),
        (
            "access_control: {rules: [{domain: a.example.com, policy: bypass}]}\n",
            ("access_control.rules",),
        ),
        ("logging: {level: debug}\n", ("logging.level",)),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else None,
)
def test_changed_keys_are_told(tmp_path: Path, text: str, keys: tuple[str]) -> None:
    """By the names that they have in the file."""
    old = read(tmp_path).settings

    new = read(tmp_path, text)

    assert changed_keys(old, new.settings) == keys
    check_changeable(old, new)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("server: {listen: '127.0.0.1:9999'}\n", "server.listen"),
        ("server: {management: null}\n", "server.management"),
        ("server: {workers: 2}\n", "server.workers"),
        ("server: {short_way: off}\n", "server.short_way"),
        ("session: {store: 'sqlite:others.db'}\n", "session.store"),
        ("session: {journal: other.journal}\n", "session.journal"),
        (f"session: {{secret: {'x' * 32}}}\n", "session.secret"),
        ("logging: {format: json}\n", "logging.format"),
        ("logging: {audit: stdout}\n", "logging.audit"),
    ],
    ids=lambda value: value.partition(":")[0],
)
def test_what_needs_a_restart_is_refused_with_its_place(
    tmp_path: Path, text: str, key: str
) -> None:
    """The message names the key, the line and what to do; nothing else is taken."""
    old = read(tmp_path).settings
    new = read(tmp_path, text + "portal: {title: Another}\n")

    with pytest.raises(ConfigError) as caught:
        check_changeable(old, new)

    (found,) = caught.value.problems
    assert isinstance(found, Problem)
    assert (found.place.key, found.place.line) == (key, 3)
    assert "restart" in found.remedy


def test_every_key_that_needs_a_restart_is_one() -> None:
    """None is called otherwise in the table of all keys."""
    assert set(RESTART_KEYS) <= KEYS.keys()


def test_every_key_that_needs_a_restart_is_documented() -> None:
    """Where people read what a reload takes."""
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    listed = text.partition("These keys take a restart")[2].partition(".\n")[0]

    assert set(re.findall("`([a-z_.]+)`", listed)) == set(RESTART_KEYS)
