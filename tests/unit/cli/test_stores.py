"""``forwardauth store migrate`` as a command: what it takes, tells and refuses."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE
from tests.support.processes import free_ports
from tests.support.stored_sessions import StoredSessions, make_live
from tests.support.users import entry, write_users


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredSessions:
    """The store of the configuration in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(COMPLETE)
    write_users(tmp_path / "users.yaml", entry("alice")).chmod(0o600)
    return StoredSessions(tmp_path / "sessions.db")


def migrate(*arguments: str) -> Result:
    """Run the command, without a terminal."""
    return CliRunner().invoke(main, ["store", "migrate", *arguments])


def test_configured_store_is_a_source(stored: StoredSessions, tmp_path: Path) -> None:
    """The word stands for the address, and what was done is told."""
    live = stored.add(make_live())

    result = migrate("configured", "sqlite:new.db")

    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        f"from sqlite:{tmp_path}/sessions.db",
        f"to   sqlite:{tmp_path}/new.db",
        "done:",
        "         1  copied",
    ]
    assert StoredSessions(tmp_path / "new.db").holds(live)


def test_counts_are_told_to_programs(stored: StoredSessions) -> None:
    """Each by its name; a second run finds everything there."""
    stored.add(make_live())
    migrate("configured", "sqlite:new.db")

    content = json.loads(migrate("configured", "sqlite:new.db", "--json").stdout)

    assert content["sessions"]["copied"] == 0
    assert content["sessions"]["present"] == 1
    assert content["settled"] is True
    assert content["dry_run"] is False


@pytest.mark.usefixtures("stored")
def test_empty_store_is_told() -> None:
    """Nothing is not silence."""
    assert "FROM holds no sessions" in migrate("configured", "sqlite:new.db").stdout


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("configured", "memory:"), "memory: is seen by the service alone"),
        (("memory", "configured"), "memory: is seen by the service alone"),
        (("configured", "configured"), "are the same store"),
        (("configured", "sqlite:./sessions.db"), "are the same store"),
        (("configured", "env:NOWHERE"), "NOWHERE is not set"),
        (("configured", "mysql:hunter2"), "is no store"),
        (("redis://u:hunter2@h@i", "configured"), "is no store"),
    ],
)
def test_pair_that_makes_no_sense_is_a_usage_error(
    arguments: tuple[str, str], reason: str
) -> None:
    """Before anything is opened, and without the password in it."""
    result = migrate(*arguments)

    assert result.exit_code == 2
    assert reason in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.usefixtures("stored")
def test_missing_source_is_not_made(tmp_path: Path) -> None:
    """An empty store would end every copy of a former run."""
    result = migrate("sqlite:gone.db", "sqlite:new.db")

    assert result.exit_code == 1
    assert "gone.db does not exist" in result.stderr
    assert not (tmp_path / "gone.db").exists()
    assert not (tmp_path / "new.db").exists()


@pytest.mark.usefixtures("stored")
def test_address_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on no command line, and in no message of a failure."""
    (port,) = free_ports(1)
    monkeypatch.setenv("NEW_STORE", f"redis://u:hunter2@127.0.0.1:{port}")

    result = migrate("configured", "env:NEW_STORE")

    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_broken_users_file_keeps_nobody_back(
    stored: StoredSessions, tmp_path: Path
) -> None:
    """Sessions are copied; that sign-ins are not is a warning."""
    stored.add(make_live())
    (tmp_path / "users.yaml").write_text("users: [")

    result = migrate("configured", "sqlite:new.db")

    assert result.exit_code == 0
    assert "Warning: no sign-ins are copied" in result.stderr
    assert "1  copied" in result.stdout


def test_terminal_sees_a_bar(stored: StoredSessions) -> None:
    """It goes to standard error; standard output is the answer alone."""
    for _ in range(3):
        stored.add(make_live())
    manager, terminal = pty.openpty()
    with open(terminal, "wb") as error:  # noqa: PTH123 - a descriptor
        done = subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "forwardauth"),
                *("store", "migrate", "configured", "sqlite:new.db", "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=error,
            check=True,
        )
    shown = b""
    with suppress(OSError):
        while chunk := os.read(manager, 4096):
            shown += chunk
    os.close(manager)

    assert json.loads(done.stdout)["sessions"]["copied"] == 3
    assert b"copying sessions" in shown
    assert b"100%" in shown
