"""What the page after a redirect says: ours, theirs, and for a while."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from forwardauth.sessions.ids import Digest
from forwardauth.web.answers import PortalUrl
from forwardauth.web.notices import FIELD, SHOWN_FOR, Notice, Notices
from tests.support.clock import FakeClock

KEY: Final = b"k" * 32
HERE: Final = Digest(b"h" * 32)
THERE: Final = Digest(b"t" * 32)
URL: Final = PortalUrl("https://auth.example.com/")


@pytest.fixture
def clock() -> FakeClock:
    """The clock that notices age by."""
    return FakeClock()


@pytest.fixture
def notices(clock: FakeClock) -> Notices:
    """Notices under the key of all instances."""
    return Notices(KEY, clock)


def text_of(url: str) -> str:
    """Return the notice in the query of *url*."""
    ((name, text),) = parse_qsl(urlsplit(url).query)
    assert name == FIELD
    return text


@pytest.mark.parametrize("notice", Notice)
def test_notice_is_shown_to_its_session(notices: Notices, notice: Notice) -> None:
    """What was signed is read again, by another instance with the key as well."""
    url = notices.add_to(URL, notice, HERE)

    assert url.startswith("https://auth.example.com/?")
    assert notices.lookup(text_of(url), HERE) is notice
    assert Notices(KEY, FakeClock()).lookup(text_of(url), HERE) is notice


def test_notice_is_not_shown_to_another_session(notices: Notices) -> None:
    """A link that was made for one browser tells another one nothing."""
    text = text_of(notices.add_to(URL, Notice.ENDED, HERE))

    assert notices.lookup(text, THERE) is None


def test_notice_of_another_key_is_none(notices: Notices, clock: FakeClock) -> None:
    """Only who has our key can claim anything."""
    text = text_of(Notices(b"x" * 32, clock).add_to(URL, Notice.ENDED, HERE))

    assert notices.lookup(text, HERE) is None


@pytest.mark.parametrize(
    ("age", "is_shown"),
    [
        pytest.param(timedelta(0), True, id="at once"),
        pytest.param(SHOWN_FOR - timedelta(seconds=1), True, id="by a reload"),
        pytest.param(SHOWN_FOR, False, id="from a bookmark"),
        pytest.param(timedelta(minutes=-1), True, id="of a clock ahead"),
        pytest.param(timedelta(minutes=-2), False, id="of the future"),
    ],
)
def test_notice_has_its_time(
    notices: Notices, clock: FakeClock, age: timedelta, *, is_shown: bool
) -> None:
    """A reload shows it again, and a bookmark does not."""
    text = text_of(notices.add_to(URL, Notice.ENDED, HERE))

    clock.advance(age)

    assert (notices.lookup(text, HERE) is Notice.ENDED) == is_shown


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda text: text.replace("ended", "gone", 1), id="other words"),
        pytest.param(lambda text: text.rpartition(".")[0], id="no signature"),
        pytest.param(lambda text: text + "0", id="longer"),
        pytest.param(lambda text: text.upper(), id="upper case"),
        pytest.param(lambda text: text[:-1] + "é", id="not ASCII"),
        pytest.param(lambda _: "." * 5, id="dots"),
        pytest.param(lambda _: "x" * 100_000, id="long"),
        pytest.param(lambda _: "\ud800", id="no text"),
    ],
)
def test_changed_notice_is_none(notices: Notices, change: Callable[[str], str]) -> None:
    """Nothing but what was signed is read."""
    text = text_of(notices.add_to(URL, Notice.ENDED, HERE))

    assert notices.lookup(change(text), HERE) is None
