"""The last addresses that signed in, packed for a store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forwardauth.attempts.known import ENTRY_BYTES, KnownAddresses
from forwardauth.users.throttle import RULES

HOME, WORK, AWAY = (letter * 16 for letter in (b"h", b"w", b"\0"))
NOW = 1_700_000_000_000
MONTH = RULES.known_for_ms


def test_nothing_is_known_at_first() -> None:
    """An account that nobody has signed in to is at home nowhere."""
    assert not KnownAddresses().holds(HOME, RULES, NOW)


@pytest.mark.parametrize(
    ("elapsed", "is_known"),
    [(0, True), (MONTH - 1, True), (MONTH, False), (-3_600_000, True)],
    ids=["now", "nearly a month", "a month", "clock set back"],
)
def test_address_is_known_for_a_month(elapsed: int, *, is_known: bool) -> None:
    """From its last sign-in on."""
    known = KnownAddresses().add(HOME, RULES, NOW - MONTH).add(HOME, RULES, NOW)

    assert known.holds(HOME, RULES, NOW + elapsed) is is_known
    assert not known.holds(AWAY, RULES, NOW + elapsed)


def test_the_one_not_used_for_longest_goes_first() -> None:
    """An account cannot fill the store with its addresses."""
    rules = replace(RULES, addresses=2)
    known = KnownAddresses()
    for number, address in enumerate((HOME, WORK, HOME, AWAY)):
        known = known.add(address, rules, NOW + number)

    found = [known.holds(address, rules, NOW) for address in (HOME, WORK, AWAY)]

    assert found == [True, False, True]
    assert len(known.packed) == 2 * ENTRY_BYTES


def test_packed_form_has_room_for_every_time_to_come() -> None:
    """Thirteen digits last until 2286."""
    far = int(timedelta(days=300 * 365) / timedelta(milliseconds=1))

    known = KnownAddresses().add(HOME, RULES, far)

    assert len(known.packed) == ENTRY_BYTES
    assert known.holds(HOME, RULES, far)


@pytest.mark.parametrize(
    "packed",
    [b"rubbish", b"h" * 16, b"h" * ENTRY_BYTES, b"h" * 16 + b"-000000000001"],
    ids=["short", "without a time", "no digits", "signed"],
)
def test_what_cannot_be_read_is_nobodys(packed: bytes) -> None:
    """It is passed over, and gone with the next sign-in."""
    known = KnownAddresses(packed)

    assert not known.holds(HOME, RULES, NOW)
    assert known.add(HOME, RULES, NOW) == KnownAddresses().add(HOME, RULES, NOW)
