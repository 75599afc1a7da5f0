"""How long failures make wait."""

from datetime import timedelta

import pytest

from forwardauth.attempts.limits import Limit

LIMIT = Limit(
    free=2,
    forget_every=timedelta(minutes=10),
    first_wait=timedelta(seconds=1),
    longest_wait=timedelta(seconds=30),
)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (2, 0), (3, 1), (4, 2), (5, 4), (7, 16), (8, 30), (9, 30), (10**6, 30)],
)
def test_wait_doubles_up_to_the_longest(failures: int, seconds: int) -> None:
    """The first failures are free, and no wait is longer than the longest."""
    assert LIMIT.wait_after_ms(failures) == seconds * 1000


def test_count_ends_where_the_wait_no_longer_grows() -> None:
    """More failures would only take longer to forget."""
    assert LIMIT.wait_after_ms(LIMIT.most) == 30_000
    assert LIMIT.wait_after_ms(LIMIT.most - 2) < 30_000
