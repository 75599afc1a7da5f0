"""A command beside a service: the same store, and its log on standard error."""

import logging
from pathlib import Path

import click
import pytest

from forwardauth.cli.administration import Administration
from forwardauth.cli.store import administer
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError, StoreUnavailableError
from tests.support.configuration import load_text
from tests.support.stored_sessions import StoredSessions, make_live


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration whose store is a file that does not exist."""
    return load_text(tmp_path, "")


@pytest.fixture
def stored(tmp_path: Path) -> StoredSessions:
    """That file."""
    return StoredSessions(tmp_path / "sessions.db")


async def count(administration: Administration) -> int:
    """Return how many sessions live."""
    return len((await administration.survey()).sessions)


def test_work_is_done_on_the_store_that_is_configured(
    settings: Settings, stored: StoredSessions
) -> None:
    """What another process has written is seen."""
    stored.add(make_live())

    assert administer(settings, count) == 1


def test_missing_file_is_not_made(settings: Settings, tmp_path: Path) -> None:
    """An empty store would answer every question with "nobody"."""
    with pytest.raises(click.ClickException) as caught:
        administer(settings, count)

    assert "does not exist" in caught.value.message
    assert not (tmp_path / "sessions.db").exists()


def test_memory_is_refused_by_its_key(tmp_path: Path) -> None:
    """The problem names the key, as every other of the configuration does."""
    settings = load_text(tmp_path, 'session:\n  store: "memory:"\n')

    with pytest.raises(ConfigError) as caught:
        administer(settings, count)

    assert "session.store: memory: is seen by" in str(caught.value)


def test_outage_is_raised(settings: Settings, stored: StoredSessions) -> None:
    """What it means for the command is for the command to say."""
    stored.destroy()

    with pytest.raises(StoreUnavailableError):
        administer(settings, count)


def test_log_is_left_as_it_was(settings: Settings, stored: StoredSessions) -> None:
    """Two commands in one process do not write each line twice."""
    logger = logging.getLogger("forwardauth")
    before = (logger.level, list(logger.handlers))
    stored.add(make_live())

    administer(settings, count)

    assert (logger.level, list(logger.handlers)) == before


def test_nothing_is_drawn_where_nobody_looks(
    settings: Settings, stored: StoredSessions, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress is for terminals; a log file gets log lines alone."""

    async def end(administration: Administration) -> None:
        survey = await administration.survey()
        await administration.end_users(survey.usernames, survey.sessions)

    stored.add(make_live())
    administer(settings, end)
    output = capsys.readouterr()

    assert output.out == ""
    (line,) = output.err.splitlines()
    assert " INFO forwardauth.audit: event=session_ended reason=admin " in line
    assert line.isprintable()
