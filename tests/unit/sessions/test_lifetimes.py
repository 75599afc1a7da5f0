"""The longest life is known, whichever timeout is the longest."""

from datetime import timedelta

import pytest

from forwardauth.sessions.lifetimes import Timeouts

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("absolute", "remember_me", "longest"),
    [
        pytest.param(DAY, 30 * DAY, 30 * DAY, id="remembered sessions live longer"),
        pytest.param(DAY, None, DAY, id="nobody is remembered"),
        pytest.param(DAY, HOUR, DAY, id="remembered sessions live shorter"),
    ],
)
def test_longest_is_the_longest_that_any_session_lives(
    absolute: timedelta, remember_me: timedelta | None, longest: timedelta
) -> None:
    """A pending revocation is kept for as long as its session could live (L-9)."""
    timeouts = Timeouts(absolute=absolute, idle=2 * DAY, remember_me=remember_me)

    assert timeouts.longest == longest
