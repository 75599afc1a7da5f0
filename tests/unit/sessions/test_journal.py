"""What is pending is refused by all workers, and survives until it is done."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from forwardauth.errors import UnreadableJournalError
from forwardauth.sessions.ids import Digest, create_session_id, digest_of
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.journal_lines import dump_promise
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.sessions.store import Entry
from tests.support.clock import START
from tests.support.disk import full_disk

DAY = timedelta(days=1)
WRITER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.pending import PendingRevocation

journal = RevocationJournal(Path(sys.argv[1]))
until = datetime(2100, 1, 1, tzinfo=UTC)
for number in range(10_000):
    digest = Digest(number.to_bytes(32, "big"))
    journal.add(PendingRevocation(
        digest=digest, login="x" * 2000, owner=None, cause="user", until=until
    ))
    if number % 3 == 2:
        journal.remove(digest)
    os.write(1, b"%d\\n" % number)
"""
"""Adds entries and removes every third; says after each that it is done."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal"


@pytest.fixture
def journal(path: Path) -> RevocationJournal:
    """The journal, as this worker sees it."""
    return RevocationJournal(path)


@pytest.fixture
def other(path: Path) -> RevocationJournal:
    """The same journal, as another worker sees it."""
    return RevocationJournal(path)


def pending(
    *, login: str | None = None, owner: str | None = None, is_for_user: bool = False
) -> PendingRevocation:
    """Return the revocation of a session that no other test has."""
    return PendingRevocation(
        digest=digest_of(create_session_id()),
        login=login,
        owner=owner,
        cause="user",
        until=START + DAY,
        is_for_user=is_for_user,
    )


def entry(revocation: PendingRevocation, *, login: str, owner: str) -> Entry:
    """Return what the store holds for the session of *revocation*."""
    return Entry(
        digest=revocation.digest,
        owner=owner,
        login=login,
        record=b"",
        seen=START,
        expires=START + DAY,
    )


def count_calls(work: Callable[[], object]) -> int:
    """Return how many functions *work* calls, and how often generators go on."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@contextmanager
def no_folder(path: Path) -> Iterator[None]:
    """Move the folder of *path* away, as a volume that is gone."""
    away = path.parent.with_name("away")
    path.parent.rename(away)
    try:
        yield
    finally:
        away.rename(path.parent)


def test_nothing_is_pending_before_anything_was_added(
    journal: RevocationJournal, path: Path
) -> None:
    """To ask makes no file."""
    assert journal.is_empty()
    assert not journal.holds(pending().digest)
    assert not path.exists()


@pytest.mark.parametrize(
    "revocation",
    [
        pytest.param(pending(), id="nothing known"),
        pytest.param(pending(login="l", owner="Ålesund\n", is_for_user=True), id="all"),
        pytest.param(pending(is_for_user=True), id="of an unknown user"),
    ],
)
def test_entry_is_known_everywhere_field_by_field(
    journal: RevocationJournal,
    other: RevocationJournal,
    path: Path,
    revocation: PendingRevocation,
) -> None:
    """This worker, another one, and one after a restart refuse it (L-9, L-15)."""
    assert other.is_empty()
    journal.add(revocation)

    for each in (journal, other, RevocationJournal(path)):
        assert each.holds(revocation.digest)
        assert each.list_pending() == (revocation,)


def test_order_is_that_of_arrival(
    journal: RevocationJournal, other: RevocationJournal
) -> None:
    """Who waits longest comes first, whichever worker took it."""
    entries = [pending() for _ in range(6)]
    journal.add_all(entries[:2])
    other.add_all(entries[2:4])
    journal.add_all(entries[4:])

    assert list(other.list_pending()) == entries
    assert list(journal.list_pending()) == entries


def test_journal_holds_no_session_id(journal: RevocationJournal, path: Path) -> None:
    """A thief of the file cannot use it; others may not even read it."""
    session_id = create_session_id()

    journal.add(replace(pending(), digest=digest_of(session_id)))

    assert session_id.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_removed_entry_is_forgotten_everywhere(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """Done is done for every worker, and after a restart."""
    first, second = pending(), pending()
    journal.add_all([first, second])
    other.remove(first.digest)

    for each in (journal, other, RevocationJournal(path)):
        assert each.list_pending() == (second,)


def test_removal_twice_and_of_unknown_digests_is_no_error(
    journal: RevocationJournal, other: RevocationJournal
) -> None:
    """Two workers may have carried out the same."""
    revocation = pending()
    journal.add(revocation)
    other.remove(revocation.digest)
    journal.remove(revocation.digest)
    journal.remove(pending().digest)
    journal.remove()

    assert journal.is_empty()
    assert other.is_empty()


def test_entry_that_comes_again_is_pending_again(
    journal: RevocationJournal, other: RevocationJournal
) -> None:
    """What another worker has just finished does not swallow a new promise."""
    revocation = pending()
    journal.add(revocation)
    assert other.holds(revocation.digest)
    journal.remove(revocation.digest)
    again = replace(revocation, is_for_user=True)
    other.add(again)

    assert journal.list_pending() == (again,)
    assert other.list_pending() == (again,)


def test_later_knowledge_replaces_the_entry(
    journal: RevocationJournal, other: RevocationJournal
) -> None:
    """What the store has told meanwhile is written down as well."""
    revocation = pending()
    journal.add(revocation)
    assert other.holds(revocation.digest)
    completed = replace(revocation, login="login-1")
    journal.add(completed)

    assert other.list_pending() == (completed,)


LOGIN = pending(login="a")
USER = pending(login="a", owner="alice", is_for_user=True)


@pytest.mark.parametrize(
    ("revocation", "names", "is_covered"),
    [
        pytest.param(LOGIN, ("a", "alice"), True, id="same login"),
        pytest.param(LOGIN, ("b", "alice"), False, id="another login"),
        pytest.param(USER, ("b", "alice"), True, id="same user"),
        pytest.param(USER, ("b", "bob"), False, id="another user"),
        pytest.param(pending(), ("a", "alice"), False, id="nothing known"),
    ],
)
def test_linked_session_is_refused_as_far_as_is_known(
    journal: RevocationJournal,
    revocation: PendingRevocation,
    names: tuple[str, str],
    is_covered: bool,
) -> None:
    """A pending end reaches the sessions that end with it (L-14)."""
    login, owner = names
    journal.add(revocation)

    assert journal.covers(entry(pending(), login=login, owner=owner)) is is_covered
    assert journal.covers(entry(revocation, login="x", owner="y"))


@pytest.mark.parametrize(
    ("revocation", "may_cover"),
    [
        pytest.param(pending(owner="alice", is_for_user=True), True, id="theirs"),
        pytest.param(pending(owner="bob", is_for_user=True), False, id="another's"),
        pytest.param(pending(is_for_user=True), True, id="somebody's"),
        pytest.param(pending(), False, id="one session"),
    ],
)
def test_end_of_a_user_is_known_before_they_sign_in(
    journal: RevocationJournal, revocation: PendingRevocation, may_cover: bool
) -> None:
    """Whose sessions all end is known, or may be anybody."""
    journal.add(revocation)

    assert journal.may_cover_user("alice") is may_cover


@pytest.mark.parametrize(
    ("until", "is_kept"),
    [
        pytest.param(START + timedelta(milliseconds=1), True, id="may live"),
        pytest.param(START, False, id="just over"),
        pytest.param(START - DAY, False, id="long over"),
    ],
)
def test_outdated_entries_are_forgotten(
    journal: RevocationJournal, other: RevocationJournal, until: datetime, is_kept: bool
) -> None:
    """The journal does not grow for ever: what has expired needs no end (L-9)."""
    revocation = pending()
    journal.add_all([pending(), replace(revocation, until=until)])

    journal.forget_outdated(START)

    assert other.holds(revocation.digest) is is_kept
    assert len(other.list_pending()) == 1 + is_kept


FOREIGN = [
    b'{"add": {}}',
    b'{"add": null}',
    b'{"add": "text"}',
    b'{"add": {"digest": "00", "login": null, "owner": null, "cause": "u", "until":1}}',
    b'{"add": {"digest": 5, "login": null, "owner": null, "cause": "u", "until": 1}}',
    b'{"done": 5}',
    b'{"done": "xyz"}',
    b'{"moved": true}',
    b"{}",
    b'{"add": {"digest": "' + b"00" * 32 + b'"',
    *(
        b'{"add":{"digest":"' + b"00" * 32 + b'","cause":"user",' + rest + b"}}"
        for rest in (
            b'"login":null,"owner":null,"until":Infinity',
            b'"login":null,"owner":null,"until":NaN',
            b'"login":null,"owner":null,"until":1e300',
            b'"login":null,"owner":null,"until":"soon"',
            b'"login":5,"owner":null,"until":1',
            b'"login":null,"owner":["alice"],"until":1',
            b'"login":"","owner":null,"until":1',
            b'"owner":null,"until":1',
        )
    ),
]


@pytest.mark.parametrize("line", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_line_says_nothing(
    journal: RevocationJournal, path: Path, line: bytes
) -> None:
    """What we did not write neither ends a session nor hides the lines around it."""
    before, after = pending(), pending()
    journal.add(before)
    with path.open("ab") as raw:
        raw.write(line)
    journal.add(after)

    assert RevocationJournal(path).list_pending() == (before, after)


def test_line_of_an_older_release_is_read(
    journal: RevocationJournal, path: Path
) -> None:
    """An entry from before all sessions of a user could be meant names one session."""
    path.write_bytes(
        b'\n{"add":{"v":1,"digest":"' + b"ab" * 32 + b'","login":"l","owner":null,'
        b'"cause":"from-the-future","until":1772366400000}}\n'
    )

    (found,) = journal.list_pending()

    assert found.digest == Digest(b"\xab" * 32)
    assert (found.login, found.owner, found.is_for_user) == ("l", None, False)
    assert found.cause == "from-the-future"


def test_deleted_file_frees_no_session(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """Who removes the file removes no revocation from a worker that knew it."""
    revocation = pending()
    journal.add(revocation)
    assert other.holds(revocation.digest)
    path.unlink()

    assert journal.holds(revocation.digest)
    assert other.holds(revocation.digest)
    assert not journal.is_written()


def test_deleted_file_is_written_again(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """The next write restores what was deleted, for a restart too."""
    first, second = pending(), pending()
    journal.add(first)
    path.unlink()
    journal.add(second)

    restarted = RevocationJournal(path)
    assert {each.digest for each in restarted.list_pending()} == {
        first.digest,
        second.digest,
    }
    assert other.holds(first.digest)
    assert journal.is_written()


def test_file_deleted_between_two_looks_frees_no_session(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """A worker that knew an entry keeps it, though another has made a new file."""
    revocation, later, done = pending(), pending(), pending()
    journal.add_all([revocation, done])
    assert journal.holds(revocation.digest)
    path.unlink()
    other.add_all([later, done])
    other.remove(done.digest)

    assert journal.holds(revocation.digest)
    assert journal.holds(later.digest)
    assert not journal.holds(done.digest)
    journal.write_held()
    assert other.holds(revocation.digest)


def test_emptied_file_frees_no_session(journal: RevocationJournal, path: Path) -> None:
    """Nor does a file that somebody cut short."""
    revocation = pending()
    journal.add(revocation)
    os.truncate(path, 0)

    assert journal.holds(revocation.digest)
    journal.write_held()
    assert RevocationJournal(path).holds(revocation.digest)


def test_full_disk_is_told_and_the_session_is_refused_here(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """This worker keeps its word; when there is room, the others learn of it (L-9)."""
    revocation = pending()
    journal.check_writable()
    with full_disk(), pytest.raises(OSError, match="large"):
        journal.add(revocation)
    refused_here, refused_elsewhere = (
        each.holds(revocation.digest) for each in (journal, other)
    )
    is_written = journal.is_written()
    journal.write_held()

    assert refused_here
    assert not refused_elsewhere
    assert not is_written
    assert other.list_pending() == (revocation,)
    assert journal.is_written()
    assert RevocationJournal(path).holds(revocation.digest)


def test_full_disk_does_not_bring_back_what_is_done(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """What this worker has carried out it does not carry out for ever."""
    first, second = pending(), pending()
    journal.add_all([first, second])
    with full_disk(path.stat().st_size), pytest.raises(OSError, match="large"):
        journal.remove(first.digest)
    left_here = journal.list_pending()
    journal.write_held()

    assert left_here == (second,)
    assert other.list_pending() == (second,)


def test_line_that_a_full_disk_has_torn_harms_nothing(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """Half a line is closed by the next, and the entry is written again."""
    entries = [pending() for _ in range(3)]
    journal.add(entries[0])
    with full_disk(path.stat().st_size + 300), pytest.raises(OSError, match="large"):
        journal.add_all(entries[1:])
    journal.write_held()

    assert {each.digest for each in other.list_pending()} == {
        each.digest for each in entries
    }


def test_missing_folder_is_told_and_the_session_is_refused_here(
    journal: RevocationJournal, path: Path
) -> None:
    """A volume that is gone for a while loses nothing that this worker knows."""
    known, new = pending(), pending()
    journal.add(known)
    with no_folder(path):
        with pytest.raises(FileNotFoundError):
            journal.add(new)

        assert journal.holds(known.digest)
        assert journal.holds(new.digest)
    journal.write_held()

    assert len(RevocationJournal(path).list_pending()) == 2


def test_unreadable_journal_is_an_error_and_not_an_empty_one(
    journal: RevocationJournal, path: Path
) -> None:
    """Verify fails closed where it cannot tell who was signed out (V-2)."""
    path.mkdir()

    with pytest.raises(UnreadableJournalError, match="directory"):
        journal.holds(pending().digest)
    with pytest.raises(UnreadableJournalError, match="directory"):
        journal.add(pending())
    with pytest.raises(IsADirectoryError):
        journal.check_writable()


def test_check_makes_the_file(journal: RevocationJournal, path: Path) -> None:
    """A service that cannot keep its word does not start."""
    journal.check_writable()
    is_there = path.exists()
    journal.check_writable()

    assert is_there
    assert path.read_bytes() == b""
    with pytest.raises(NotADirectoryError):
        RevocationJournal(path / "missing" / "journal").check_writable()


def test_file_is_empty_when_nothing_is_pending(
    journal: RevocationJournal, path: Path
) -> None:
    """The names of those who have signed out are not kept."""
    entries = [pending(owner="alice", is_for_user=True) for _ in range(50)]
    journal.add_all(entries)
    journal.remove(*(each.digest for each in entries))

    assert b"alice" not in path.read_bytes()
    assert path.stat().st_size < 100


def test_two_workers_can_shorten_the_file(
    journal: RevocationJournal, other: RevocationJournal, path: Path
) -> None:
    """A long outage leaves no long file, and no worker loses sight of an entry."""
    kept = [pending() for _ in range(3)]
    sizes = []
    for number in range(17):
        entries = [pending() for _ in range(100)]
        worker, reader = (journal, other) if number % 2 else (other, journal)
        if number % 8 == 0:
            worker.add(kept[number // 8])
        worker.add_all(entries)
        assert all(reader.holds(each.digest) for each in entries)
        reader.remove(*(each.digest for each in entries))
        sizes.append(path.stat().st_size)

    for each in (journal, other, RevocationJournal(path)):
        assert each.list_pending() == tuple(kept)
    assert max(sizes) < 1_100 * 500
    assert sizes[-1] < max(sizes)


def test_promise_of_a_newer_release_stays_as_it_came(
    journal: RevocationJournal, path: Path
) -> None:
    """Also where the file has become shorter: who wrote it knows it all (L-15)."""
    newer, others = pending(), [pending() for _ in range(1_100)]
    line = dump_promise(newer.digest, newer)
    line["add"] |= {"v": 2, "reason": "news"}
    path.write_text(json.dumps(line) + "\n", "utf-8")
    before = journal.holds(newer.digest)

    journal.add_all(others)
    journal.remove(*(each.digest for each in others))

    lines = [json.loads(each) for each in path.read_text("utf-8").split()]
    assert before
    assert len(lines) < len(others)
    assert line in lines


def test_full_disk_keeps_a_long_file_and_loses_nothing(
    journal: RevocationJournal,
    other: RevocationJournal,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What could not be made shorter is only long."""
    revocation = pending()
    journal.add(revocation)
    path.with_name("journal.new").mkdir()

    journal.remove(revocation.digest)

    assert journal.is_empty()
    assert other.is_empty()
    assert "cannot shorten" in caplog.text


def test_many_entries_stay_quick(journal: RevocationJournal, path: Path) -> None:
    """Each write costs what it writes, not what the file holds (L-60)."""
    journal.add_all([pending() for _ in range(3_000)])
    before = path.stat()

    journal.add(pending())
    journal.remove(pending().digest)

    after = path.stat()
    assert after.st_ino == before.st_ino
    assert after.st_size - before.st_size < 500
    assert len(journal.list_pending()) == 3_001


@pytest.mark.parametrize("is_removal", [False, True], ids=["add", "remove"])
def test_change_costs_the_same_however_many_are_pending(
    tmp_path: Path, *, is_removal: bool
) -> None:
    """Nobody makes a logout slow with invented cookies (L-60)."""
    costs = []
    for number in (10, 3_000):
        journal = RevocationJournal(tmp_path / f"{number}")
        entries = [pending(login=f"l{n}", owner=f"o{n}") for n in range(number)]
        journal.add_all(entries)
        journal.add(pending(login="l"))  # Now and then one reserves room, too.
        if is_removal:
            costs.append(count_calls(partial(journal.remove, entries[5].digest)))
        else:
            costs.append(count_calls(partial(journal.add, pending(login="l"))))

    assert costs[0] == costs[1] > 10


def test_journal_has_a_bound(path: Path) -> None:
    """New entries beyond it have no room; news of old ones always have."""
    journal = RevocationJournal(path, max_pending=3)
    entries = [pending() for _ in range(3)]
    had_room = journal.has_room_for(entries)
    journal.add_all(entries)
    news = [replace(each, login="l") for each in entries]

    assert had_room
    assert journal.has_room_for(news)
    assert not journal.has_room_for([pending()])
    journal.remove(entries[0].digest)
    assert journal.has_room_for([pending()])
    assert not journal.has_room_for([pending(), pending()])


def test_nothing_acknowledged_is_lost_by_kill_9(path: Path) -> None:
    """Killed in the middle of an append, an instance still knows its word (L-9, L-15).

    Whatever it was doing when it died, after the restart exactly what it had spoken for
    is pending; the last entry may be there as well, or may be gone.
    """
    for acknowledged in (2, 25):
        path.unlink(missing_ok=True)
        with subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            for _ in range(acknowledged):
                writer.stdout.readline()
            writer.kill()
            spoken_for = acknowledged + len(writer.stdout.read().splitlines())
        restarted = RevocationJournal(path)
        later = pending()
        restarted.add(later)

        numbers = [
            int.from_bytes(each.digest, "big")
            for each in restarted.list_pending()
            if each != later
        ]

        expected = [number for number in range(spoken_for) if number % 3 != 2]
        assert set(expected) <= set(numbers) <= {*expected, spoken_for}
        assert restarted.holds(later.digest)
