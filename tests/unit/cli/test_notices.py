"""A command tells applications of what it has ended, and does not wait for ever."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from forwardauth.cli.main import main
from forwardauth.cli.notices import telling_applications
from forwardauth.config.schema import Settings
from forwardauth.sessions.model import EndCause
from forwardauth.web.logout_tokens import login_id_of
from tests.support.clock import FakeClock
from tests.support.configuration import COMPLETE, load_text, write_config
from tests.support.processes import free_ports
from tests.support.receiver import Receiver
from tests.support.stored_sessions import StoredSessions, make_live
from tests.support.users import entry, write_users

SECRET = "0123456789abcdef0123456789abcdef"


def notify(*urls: str, secret: str | None = SECRET) -> str:
    """Return the lines of a configuration that tells *urls*."""
    session = "" if secret is None else f"session:\n  secret: {secret}\n"
    return f"logout:\n  notify: {json.dumps(urls)}\n{session}"


async def tell(
    settings: Settings, *usernames: str, patience_seconds: float = 5.0
) -> Mapping[str, int]:
    """Tell of the end of a session of each user; return what came of it."""
    told: Counter[str] = Counter()
    telling = telling_applications(
        settings, FakeClock(), told, patience_seconds=patience_seconds
    )
    async with telling as observer:
        for username in usernames:
            live = make_live(username)
            observer.session_ended(live.session, live.digest, EndCause.ADMIN)
    return dict(told)


async def test_application_is_told_before_the_command_returns(tmp_path: Path) -> None:
    """Each login is one notice; nothing is left when the context ends."""
    async with Receiver() as receiver:
        settings = load_text(tmp_path, notify(receiver.url))
        told = await tell(settings, "alice", "bob")
        subjects = [(await receiver.next()).claims["sub"] for _ in range(2)]

    assert told == {"sent": 2}
    assert subjects == ["alice", "bob"]


async def test_application_that_fails_once_is_told_again(tmp_path: Path) -> None:
    """A restart of it at that moment loses nothing."""
    async with Receiver(503, 200) as receiver:
        settings = load_text(tmp_path, notify(receiver.url))
        told = await tell(settings, "alice")

    assert told == {"sent": 1}
    assert receiver.answered == 2


async def test_command_does_not_wait_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who does not answer in time was not told, which the log says; others were."""
    async with Receiver() as receiver, Receiver(is_held=True) as dead:
        settings = load_text(tmp_path, notify(receiver.url, dead.url))
        with caplog.at_level("INFO"):
            told = await asyncio.wait_for(
                tell(settings, "alice", patience_seconds=1.0), timeout=30
            )
        is_told = not receiver.is_untouched

    assert told == {"sent": 1, "dropped": 1}
    assert is_told
    assert f"application={dead.url}" in caplog.text


async def test_nothing_is_waited_for_where_nothing_has_ended(tmp_path: Path) -> None:
    """An application that is down delays no command that has nothing to tell."""
    (port,) = free_ports(1)
    settings = load_text(tmp_path, notify(f"http://127.0.0.1:{port}/"))

    async with asyncio.timeout(15):
        told = await tell(settings)

    assert told == {}


async def test_missing_key_is_told_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be the file of whoever runs the command, and no service's."""
    async with Receiver() as receiver:
        settings = load_text(tmp_path, notify(receiver.url, secret=None))
        told = await tell(settings, "alice")
        is_untouched = receiver.is_untouched

    assert told == {}
    assert is_untouched
    assert "applications cannot be told: there is no " in capsys.readouterr().err
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "refused"])
async def test_revocation_says_how_many_were_told(
    tmp_path: Path, is_taken: bool
) -> None:
    """In words and for programs; who refuses changes nothing about the end."""
    write_users(tmp_path / "users.yaml", entry("alice")).chmod(0o600)
    stored = await asyncio.to_thread(StoredSessions, tmp_path / "sessions.db")
    live = await asyncio.to_thread(stored.add, make_live())
    other = await asyncio.to_thread(stored.add, make_live())
    async with Receiver(200 if is_taken else 400) as receiver:
        config = write_config(tmp_path, COMPLETE + notify(receiver.url))
        arguments = ["sessions", "revoke", "--config", str(config), "--id"]
        words = await asyncio.to_thread(
            CliRunner().invoke, main, [*arguments, live.session.handle]
        )
        program = await asyncio.to_thread(
            CliRunner().invoke, main, [*arguments, other.session.handle, "--json"]
        )
        claims = (await receiver.next()).claims

    sent = 1 if is_taken else 0
    notices = "1 notice" if is_taken else "0 notices"
    assert (words.exit_code, program.exit_code) == (0, 0)
    assert words.stdout == (
        f"1 session of 'alice' ended, {notices} to applications sent\n"
    )
    assert json.loads(program.stdout)["notices"] == {"sent": sent, "missed": 1 - sent}
    assert ("1 notice to an application was not taken" in words.stderr) is not is_taken
    assert claims["sid"] == login_id_of(live.session.login)
    assert claims["sub"] == "alice"
