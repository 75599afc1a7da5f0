"""The configuration that counts: read again, numbered, and handed to a worker."""

import logging
from pathlib import Path

import pytest

from forwardauth.cli.configuration import (
    Configuration,
    ConfigurationSource,
    tell_refusal,
    tell_success,
)
from forwardauth.errors import ConfigError
from tests.support.access import ask
from tests.support.configuration import write_config
from tests.support.portal import CONFIG, USERS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration that can be served, with its users."""
    users = tmp_path / "users.yaml"
    users.write_text(USERS)
    users.chmod(0o600)
    return write_config(tmp_path, CONFIG)


def started(path: Path) -> tuple[ConfigurationSource, Configuration]:
    """Return the source, and what a service was started with."""
    source = ConfigurationSource(path, {})
    found = source.read()
    return source, Configuration(settings=found.settings, users=found.users)


def test_packed_configuration_decides_as_before(path: Path) -> None:
    """Rules, expressions among them, users and what tells their version apart."""
    regex = "    - {domain_regex: 'r[0-9]+.example.com', policy: bypass}\n"
    path.write_text(path.read_text() + regex)
    _, first = started(path)

    again = Configuration.unpack(first.pack())

    assert again == first
    assert again.users.signature == first.users.signature
    assert again.users.read_ns == first.users.read_ns > 0
    assert again.users.ends_whole is first.users.ends_whole
    assert again.users.decoy == first.users.decoy
    for host in ("public.example.com", "r12.example.com", "r12.example.com.evil"):
        asked = ask(host)
        assert again.settings.access_control.select(
            asked
        ) == first.settings.access_control.select(asked)


def test_packed_configuration_can_be_built_from_nothing_but_itself(path: Path) -> None:
    """Files that are gone by then are not missed."""
    _, first = started(path)
    packed = first.pack()
    path.unlink()
    (path.parent / "users.yaml").unlink()

    assert Configuration.unpack(packed) == first


def test_next_configuration_has_the_next_number(path: Path) -> None:
    """It is what the files say at that moment."""
    source, first = started(path)
    users = path.parent / "users.yaml"
    users.write_text(USERS.replace("bob:", "bert:"))

    following = source.read_next(first)

    assert following.generation == first.generation + 1
    assert following.users.get("bert") is not None
    assert following.users.get("bob") is None


def test_users_file_that_was_cut_off_is_refused(path: Path) -> None:
    """As by its watch: those who are missing would be signed out for good."""
    source, first = started(path)
    users = path.parent / "users.yaml"
    users.write_text(USERS[: USERS.index("  carol:")].rstrip())

    with pytest.raises(ConfigError, match="in the middle of a line"):
        source.read_next(first)


def test_file_that_was_there_is_not_done_without(path: Path) -> None:
    """The environment alone would be another policy."""
    source, first = started(path)
    path.unlink()

    with pytest.raises(ConfigError):
        source.read_next(first)


def test_environment_is_that_of_the_start(path: Path) -> None:
    """Nobody can change that of a process that runs."""
    environ = {"FORWARDAUTH_PORTAL__TITLE": "Ours"}
    source = ConfigurationSource(path, environ)
    environ.clear()

    assert source.read().settings.portal.title == "Ours"


def test_warnings_of_a_reload_are_in_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As they are told at the start."""
    source, first = started(path)
    path.write_text(path.read_text() + "server: {trusted_proxies: []}\n")

    source.read_next(first)

    assert "server.trusted_proxies" in caplog.text


def test_success_tells_what_changed(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line, by keys."""
    caplog.set_level(logging.INFO)
    source, first = started(path)
    path.write_text(path.read_text() + "portal: {title: Ours}\nheaders: {user: X}\n")

    tell_success(first, source.read_next(first))

    (message,) = caplog.messages
    assert "reloaded: generation=2 changed=[headers, portal.title] " in message
    assert message.endswith("users=unchanged")


def test_refusal_tells_every_problem(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the words of ``config check``, a line each."""
    source, first = started(path)
    path.write_text(path.read_text() + "portal: {titel: Ours}\nsesion: {}\n")

    with pytest.raises(ConfigError) as caught:
        source.read_next(first)
    tell_refusal(caught.value)

    assert caplog.messages == [
        f"configuration stays as it was: {problem}" for problem in caught.value.problems
    ]
    assert len(caplog.messages) == 2
