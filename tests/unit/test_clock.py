"""The one source of time."""

import time
from datetime import UTC, timedelta

from forwardauth.clock import Clock, SystemClock
from forwardauth.sessions.model import to_ms
from tests.support.clock import START, FakeClock


def test_time_is_aware_and_in_utc() -> None:
    """Expiries are compared in UTC, wherever the machine stands."""
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.utcoffset() == timedelta(0)


def test_time_is_the_time_of_the_machine() -> None:
    """The clock says what the system says, between one reading and the next."""
    before = time.time()

    now = SystemClock().now()

    after = time.time()
    # Both count in floating point, which loses less than a microsecond.
    assert before - 1e-5 <= now.timestamp() <= after + 1e-5


def test_both_clocks_tell_the_same_kind_of_time() -> None:
    """What holds with the clock of the tests holds with the machine's."""
    clocks: list[Clock] = [SystemClock(), FakeClock()]

    kinds = {(type(clock.now()), clock.now().tzinfo) for clock in clocks}

    assert len(kinds) == 1


def test_milliseconds_are_those_of_the_date() -> None:
    """Either way to ask tells the same moment, rounded down."""
    system, still = SystemClock(), FakeClock(START + timedelta(microseconds=1_999))
    before = to_ms(system.now())

    now_ms = system.now_ms()

    assert before <= now_ms <= to_ms(system.now())
    assert still.now_ms() == to_ms(START) + 1
