"""``forwardauth sessions``: the sessions in a store, from the command line."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.model import LiveSession, dump_entry
from forwardauth.sessions.store import Entry
from tests.support.configuration import COMPLETE
from tests.support.stored_sessions import StoredSessions, make_live
from tests.support.users import entry, write_users

A = "a" * 31
"""The beginning of handles that differ in the last digit alone."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a configuration and the users alice and bob."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(COMPLETE)
    write_users(tmp_path / "users.yaml", entry("alice"), entry("bob")).chmod(0o600)
    return tmp_path


@pytest.fixture
def stored(folder: Path) -> StoredSessions:
    """The store of that configuration, and the journal of a service that has run."""
    RevocationJournal(folder / "revocations.journal").check_writable()
    return StoredSessions(folder / "sessions.db")


def run(*arguments: str) -> Result:
    """Run ``forwardauth sessions``, without a terminal."""
    return CliRunner().invoke(main, ["sessions", *arguments])


def audit_lines(result: Result) -> list[str]:
    """Return the lines of the audit log, from the event on."""
    lines = result.stderr.splitlines()
    return [
        line.partition("forwardauth.audit: ")[2] for line in lines if "audit" in line
    ]


def test_list_shows_who_is_signed_in(stored: StoredSessions) -> None:
    """A line for each session: by user, the last used first, and no secret."""
    bob = stored.add(make_live("bob"))
    old = stored.add(make_live(age=timedelta(minutes=20)))
    new = stored.add(make_live(domain="example.org", user_agent="curl/8"))

    result = run("list")

    assert result.exit_code == 0
    heading, *lines = result.stdout.splitlines()
    assert heading.split("  ")[0] == "ID"
    assert [line.split()[:3] for line in lines] == [
        [new.session.handle[:8], "alice", "example.org"],
        [old.session.handle[:8], "alice", "example.com"],
        [bob.session.handle[:8], "bob", "example.com"],
    ]
    assert lines[0].endswith("192.0.2.1  curl")
    assert lines[1].endswith("192.0.2.1  Firefox on Linux")
    assert f"{old.session.seen:%Y-%m-%d %H:%M}" in lines[1]
    assert all(live.digest.hex()[:8] not in result.output for live in (bob, old, new))


def test_one_login_on_two_domains_is_one_session(stored: StoredSessions) -> None:
    """As its user sees it: one row, begun with the first, used when the last was."""
    hour = timedelta(minutes=50)
    first = stored.add(make_live(login="one", age=hour))
    stored.add(make_live(login="one", domain="example.org"))
    stored.add(make_live("bob", login="one"))

    table, records = run("list"), json.loads(run("list", "--json").stdout)

    _, line, other = table.stdout.splitlines()
    assert line.startswith(
        f"{first.session.handle[:8]}  alice  example.com, example.org"
    )
    assert other.split()[1] == "bob"
    assert [each["domains"] for each in records] == [
        ["example.com", "example.org"],
        ["example.com"],
    ]
    assert records[0]["created"] < records[0]["last_seen"]


def test_prefix_of_two_sessions_of_one_login_names_one(stored: StoredSessions) -> None:
    """They end together whichever was meant."""
    both = [stored.add(make_live(handle=f"{A}{digit}", login="one")) for digit in "12"]

    result = run("revoke", "--id", A[:8])

    assert result.exit_code == 0
    assert not any(map(stored.holds, both))


def test_list_for_programs_is_json(stored: StoredSessions) -> None:
    """The names are those of the portal's interface, with the user besides."""
    live = stored.add(make_live(user_agent="\x1b]0;owned\x07\x9b"))

    result = run("list", "--json")

    session = live.session
    assert json.loads(result.stdout) == [
        {
            "id": session.handle,
            "user": "alice",
            "domain": "example.com",
            "domains": ["example.com"],
            "created": f"{session.created:%Y-%m-%dT%H:%M:%SZ}",
            "last_seen": f"{session.seen:%Y-%m-%dT%H:%M:%SZ}",
            "address": "192.0.2.1",
            "user_agent": "\x1b]0;owned\x07\x9b",
            "remembered": False,
        }
    ]
    assert result.stdout.isascii()
    assert result.stdout.replace("\n", "").isprintable()


def test_list_leaves_out_what_does_not_live(stored: StoredSessions) -> None:
    """Expired sessions still stand in the store, and are nobody's any more."""
    stored.add(make_live(age=timedelta(hours=2)))

    table, records = run("list"), run("list", "--json")

    assert table.stdout == "there are no sessions\n"
    assert records.stdout == "[]\n"
    assert table.exit_code == records.exit_code == 0


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice"])
def test_user_is_found_however_it_is_spelled(stored: StoredSessions, name: str) -> None:
    """A name is compared as at the login, and another user's session is left out."""
    live = stored.add(make_live())
    stored.add(make_live("bob"))

    result = run("list", "--user", name, "--json")

    assert [each["id"] for each in json.loads(result.stdout)] == [live.session.handle]


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_revoke_user_ends_every_session_of_the_user(
    stored: StoredSessions, name: str
) -> None:
    """All sessions of one user end, on all domains, and nobody else's (L-10, L-11)."""
    ended = [stored.add(make_live()), stored.add(make_live(domain="example.org"))]
    bob = stored.add(make_live("bob"))

    result = run("revoke", "--user", name)

    assert result.exit_code == 0
    assert result.stdout == "2 sessions of 'alice' ended\n"
    assert not any(map(stored.holds, ended))
    assert stored.holds(bob)


def test_old_spellings_of_a_user_end_as_well(stored: StoredSessions) -> None:
    """Sessions keep the spelling of their day, also of who is gone from the file."""
    ended = [stored.add(make_live(name)) for name in ("Carol", "CAROL", "carol")]
    stored.add(make_live("caroline"))

    result = run("revoke", "--user", "caroL")

    assert result.exit_code == 0
    assert result.stdout == "3 sessions of 3 users ended\n"
    assert not any(map(stored.holds, ended))
    assert stored.count() == 1


def test_each_end_is_audited(stored: StoredSessions) -> None:
    """The line is that of the service, with the cause ``admin`` (L-56)."""
    live = stored.add(make_live())

    result = run("revoke", "--user", "alice")

    (line,) = audit_lines(result)
    assert line == (
        "event=session_ended reason=admin user=alice"
        f" session={live.digest.hex()[:8]} domain=example.com"
    )


def test_revoke_all_ends_everybody(stored: StoredSessions) -> None:
    """No entry is left, readable or not (L-11)."""
    ended = [stored.add(make_live(name)) for name in ("alice", "bob", "bob", "Zoë")]
    unreadable = make_live("dave")
    stored.add_entry(entry_without_record(unreadable))

    result = run("revoke", "--all")

    assert result.exit_code == 0
    assert result.stdout == "4 sessions of 3 users ended\n"
    assert not any(map(stored.holds, [*ended, unreadable]))
    assert len(audit_lines(result)) == 5


def entry_without_record(live: LiveSession) -> Entry:
    """Return an entry that no release can read."""
    return replace(dump_entry(live.session, live.digest), record=b"\xff")


@pytest.mark.parametrize("length", [6, 8, 32])
@pytest.mark.parametrize("is_upper", [False, True], ids=["lower", "upper"])
def test_revoke_id_ends_one_login(
    stored: StoredSessions, length: int, is_upper: bool
) -> None:
    """A prefix names a session; what is linked to it ends as well (L-11, L-14)."""
    named = stored.add(make_live(handle="abcdef" + "0" * 26, login="one"))
    linked = stored.add(make_live(login="one", domain="example.org"))
    other = stored.add(make_live(handle="abcdee" + "0" * 26))
    prefix = named.session.handle[:length]

    result = run("revoke", "--id", prefix.upper() if is_upper else prefix)

    assert result.exit_code == 0
    assert result.stdout == "1 session of 'alice' ended\n"
    assert not stored.holds(named)
    assert not stored.holds(linked)
    assert stored.holds(other)


def test_ambiguous_id_ends_nothing(stored: StoredSessions) -> None:
    """All candidates are shown, with as much of the ID as tells them apart."""
    candidates = [stored.add(make_live(handle=f"{A}{last}")) for last in "12"]

    result = run("revoke", "--id", "aaaaaa")

    assert result.exit_code == 1
    assert "2 sessions have an ID that starts with aaaaaa" in result.stderr
    assert all(live.session.handle in result.stderr for live in candidates)
    assert result.stdout == ""
    assert all(map(stored.holds, candidates))


def test_unknown_id_is_an_error(stored: StoredSessions) -> None:
    """Nothing has ended, so nothing is told as ended."""
    live = stored.add(make_live(handle=f"{A}1"))

    result = run("revoke", "--id", "bbbbbb")

    assert result.exit_code == 1
    assert result.stderr == "Error: no session has an ID that starts with bbbbbb\n"
    assert stored.holds(live)


@pytest.mark.parametrize("command", [["list"], ["revoke"], ["revoke", "--yes"]])
def test_unknown_user_is_an_error(stored: StoredSessions, command: list[str]) -> None:
    """A name that nobody has is mistyped, and must not look like success."""
    live = stored.add(make_live())

    result = run(*command, "--user", "alicia")

    assert result.exit_code == 1
    assert "has no user 'alicia'" in result.stderr
    assert result.stdout == ""
    assert stored.holds(live)


def test_known_user_without_sessions_is_no_error(stored: StoredSessions) -> None:
    """What was asked for is so already."""
    stored.add(make_live("bob"))

    result = run("revoke", "--user", "alice")

    assert result.exit_code == 0
    assert result.stdout == "no sessions ended\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "say one of --user NAME, --id PREFIX and --all"),
        (["--all", "--user", "alice"], "say one of"),
        (["--id", "abcdef", "--all"], "say one of"),
        (["--user", ""], "the user name is empty"),
        (["--user", "a,b"], "holds a comma or a colon"),
        (["--user", "al\x1b[31mice"], "cannot be seen"),
        (["--id", "abcde"], "--id has 5 characters; it needs 6 to 32"),
        (["--id", ""], "--id has 0 characters"),
        (["--id", "a" * 33], "--id has 33 characters"),
        (["--id", "abcdeg"], "is not made of hex digits"),
        (["--id", "%%%%%%"], "is not made of hex digits"),
    ],
    ids=str,
)
def test_bad_call_is_status_2(
    stored: StoredSessions, arguments: list[str], reason: str
) -> None:
    """A mistake in the call ends nothing."""
    live = stored.add(make_live())

    result = run("revoke", *arguments)

    assert result.exit_code == 2
    assert reason in result.stderr
    assert stored.holds(live)


@pytest.mark.parametrize("command", [["list"], ["revoke", "--all"]], ids=" ".join)
def test_memory_store_is_refused(folder: Path, command: list[str]) -> None:
    """A process of its own has none of the service's sessions, and says so."""
    config = folder / "config.yaml"
    config.write_text(f'{COMPLETE}session:\n  store: "memory:"\n')

    result = run(*command)

    assert result.exit_code == 2
    assert "session.store: memory: is seen by the service alone" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [["list"], ["revoke", "--all"]], ids=" ".join)
def test_store_that_is_not_there_is_not_made(folder: Path, command: list[str]) -> None:
    """Another configuration is meant, and an empty file would look like success."""
    result = run(*command)

    assert result.exit_code == 1
    assert "sessions.db does not exist" in result.stderr
    assert result.stdout == ""
    assert not (folder / "sessions.db").exists()
    assert not (folder / "revocations.journal").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--all"], ["--user", "alice"], ["--id", "abcdef"], ["--all", "--json"]],
    ids=" ".join,
)
def test_store_that_is_down_is_no_success(
    stored: StoredSessions, arguments: list[str]
) -> None:
    """Status 1, a sentence, and no claim (L-9)."""
    stored.destroy()

    result = run("revoke", *arguments)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: nothing was ended: the session store does")
    assert result.stdout == ""


def test_list_of_a_store_that_is_down_is_an_error(stored: StoredSessions) -> None:
    """An outage does not read as "nobody is signed in"."""
    stored.destroy()

    result = run("list")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: sqlite store ")
    assert result.stdout == ""


def test_revoke_for_programs_is_json(stored: StoredSessions) -> None:
    """Programs get what has ended, and whether that is all."""
    live = stored.add(make_live())

    result = run("revoke", "--user", "alice", "--json")

    answer = json.loads(result.stdout)
    assert [each["id"] for each in answer.pop("ended")] == [live.session.handle]
    assert answer == {
        "left": [],
        "complete": True,
        "pending": False,
        "notices": {"sent": 0, "missed": 0},
    }


def test_broken_users_file_keeps_nobody_signed_in(
    folder: Path, stored: StoredSessions
) -> None:
    """Ending sessions must work on the day that something else is broken."""
    live = stored.add(make_live())
    (folder / "users.yaml").write_text("users: [")

    result = run("revoke", "--user", "alice")

    assert result.exit_code == 0
    assert "Warning: " in result.stderr
    assert not stored.holds(live)


def test_configuration_that_is_named_counts(
    folder: Path, stored: StoredSessions
) -> None:
    """``--config`` leads to another store, relative to that file."""
    live = stored.add(make_live())
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yaml").write_text(COMPLETE)
    write_users(elsewhere / "users.yaml").chmod(0o600)
    other = StoredSessions(elsewhere / "sessions.db")
    named = other.add(make_live())

    result = run("revoke", "--all", "--config", "elsewhere/config.yaml")

    assert result.exit_code == 0
    assert not other.holds(named)
    assert stored.holds(live)


@pytest.mark.parametrize("command", ["list", "revoke"])
def test_help_has_an_example(command: str) -> None:
    """Each command shows how it is called."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"forwardauth sessions {command}" in result.output.partition("Examples:")[2]


@pytest.mark.parametrize(
    ("arguments", "typed", "is_ended"),
    [
        (["--all"], b"\n", False),
        (["--all"], b"y\n", True),
        (["--user", "ALICE"], b"y\n", True),
        (["--all", "--yes"], None, True),
        (["--id", "aaaaaa"], None, True),
    ],
    ids=str,
)
def test_terminal_is_asked(
    stored: StoredSessions, arguments: list[str], typed: bytes | None, is_ended: bool
) -> None:
    """On a terminal, more than one login ends only after a yes."""
    live = stored.add(make_live(handle=f"{A}1"))

    status, output, shown = run_on_terminal(*arguments, typed=typed)

    assert status == (0 if is_ended else 1)
    assert ("End 1 session of " in shown) is (typed is not None)
    assert output == ("1 session of 'alice' ended\n" if is_ended else "")
    assert stored.holds(live) is not is_ended


@pytest.mark.parametrize("has_journal", [True, False], ids=["journal", "no journal"])
def test_store_that_goes_away_is_told(
    folder: Path, stored: StoredSessions, has_journal: bool
) -> None:
    """Status 1: the session is written down if a service is here to end it (L-9)."""
    live = stored.add(make_live())
    journal = folder / "revocations.journal"
    if not has_journal:
        journal.unlink()

    status, output, shown = run_on_terminal(
        "--all", "--json", typed=b"y\n", before_typing=stored.destroy
    )

    answer = json.loads(output)
    assert status == 1
    assert [each["id"] for each in answer.pop("left")] == [live.session.handle]
    assert answer == {
        "ended": [],
        "complete": False,
        "pending": has_journal,
        "notices": {"sent": 0, "missed": 0},
    }
    assert "not everything has ended" in shown
    assert ("1 session is written down in" in shown) is has_journal
    assert ("run the command again" in shown) is not has_journal
    assert RevocationJournal(journal).holds(live.digest) is has_journal


def run_on_terminal(
    *arguments: str,
    typed: bytes | None,
    before_typing: Callable[[], None] = lambda: None,
) -> tuple[int, str, str]:
    """Run ``revoke`` on a terminal of its own, and type an answer if it should ask.

    Returns:
        Exit status, standard output, and what the terminal showed.
    """
    controller, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "forwardauth", "sessions", "revoke", *arguments],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        text=True,
    ) as process:
        os.close(terminal)
        shown = ""
        if typed is not None:
            while not shown.endswith("[y/N]: "):
                shown += os.read(controller, 1024).decode()
            before_typing()
            os.write(controller, typed)
        output, _ = process.communicate(timeout=30)
        # What is left to read ends with an error, since nobody has the other end.
        with suppress(OSError):
            while True:
                shown += os.read(controller, 1024).decode()
    os.close(controller)
    return process.returncode, output, shown
