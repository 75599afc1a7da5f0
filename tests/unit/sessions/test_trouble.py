"""A trouble is told when it comes and when it goes, and now and then in between."""

import logging

import pytest

from forwardauth.sessions.trouble import REMIND_SECONDS, Trouble

log = logging.getLogger(__name__)


class _Time:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> _Time:
    """A clock to hold."""
    return _Time()


@pytest.fixture
def trouble(time: _Time) -> Trouble:
    """One that is not there yet."""
    return Trouble(
        log, what="cannot write", over="written again", remedy="make room", now=time
    )


def test_first_and_last_are_told(
    trouble: Trouble, time: _Time, caplog: pytest.LogCaptureFixture
) -> None:
    """The first line has cause and remedy, the last one how long it was."""
    trouble.meet("no space left")
    time.seconds += 12
    trouble.end()

    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("ERROR", "cannot write: no space left; make room"),
        ("WARNING", "written again, after 12 s"),
    ]


def test_thousand_of_one_moment_are_one_line(
    trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    """However many meet it, the log has room for what else happens."""
    for _ in range(1_000):
        trouble.meet("no space left")

    assert len(caplog.records) == 1


def test_what_lasts_is_told_again(
    trouble: Trouble, time: _Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a minute later, with how often it was met."""
    trouble.meet("no space left")
    trouble.meet("no space left")
    time.seconds += REMIND_SECONDS
    trouble.meet("still none")

    _, again = (each.message for each in caplog.records)
    assert again == ("cannot write, for 30 s and 3 times by now: still none; make room")


def test_what_comes_back_is_told_as_new(
    trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever watches the log sees that it was over in between."""
    trouble.meet("no space left")
    trouble.end()
    trouble.meet("no space left")

    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING", "ERROR"]


def test_remedy_is_the_one_of_the_cause(
    trouble: Trouble, time: _Time, caplog: pytest.LogCaptureFixture
) -> None:
    """A cause that knows better says so; without any remedy there is the cause."""
    other = Trouble(log, what="away", over="back", now=time)
    trouble.meet("read-only", remedy="mount it anew")
    other.meet("refused")

    assert [each.message for each in caplog.records] == [
        "cannot write: read-only; mount it anew",
        "away: refused",
    ]


def test_end_of_nothing_is_no_news(
    trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    """What was never there is not told as over."""
    trouble.end()

    assert caplog.records == []
