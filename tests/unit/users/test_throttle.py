"""Guessing is slowed down; the owner is not locked out."""

from datetime import timedelta

import pytest

from forwardauth.errors import ThrottledError
from forwardauth.users.throttle import (
    ACCOUNT_LIMIT,
    ADDRESS_LIMIT,
    OWN_LIMIT,
    LoginThrottle,
)
from tests.support.clock import FakeClock

HOME = "198.51.100.7"
AWAY = "203.0.113.9"
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture
def throttle(clock: FakeClock) -> LoginThrottle:
    """The throttle with its usual limits."""
    return LoginThrottle(clock)


def wait_of(throttle: LoginThrottle, username: str, address: str) -> timedelta:
    """Return how long an attempt has to wait, without making one."""
    try:
        throttle.check(username, address)
    except ThrottledError as exc:
        return exc.retry_after
    throttle.release(username, address)
    return timedelta(0)


def fail(throttle: LoginThrottle, username: str, address: str) -> None:
    """Make one attempt with a wrong password."""
    throttle.check(username, address)
    throttle.record_failure(username, address)


def succeed(throttle: LoginThrottle, username: str, address: str) -> None:
    """Make one attempt with the right password."""
    throttle.check(username, address)
    throttle.record_success(username, address)


def fail_until_blocked(throttle: LoginThrottle, username: str, address: str) -> int:
    """Guess without a pause; return how many guesses were let in."""
    for guesses in range(1000):
        try:
            fail(throttle, username, address)
        except ThrottledError:
            return guesses
    return 1000


def test_account_waits_after_free_failures(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    """The wait doubles, until guesses are let in as slowly as they are forgotten."""
    for number in range(ACCOUNT_LIMIT.free + 1):
        fail(throttle, "alice", f"203.0.113.{number}")
    waits = []
    for number in range(12):
        with pytest.raises(ThrottledError) as caught:
            throttle.check("alice", "192.0.2.1")
        waits.append(caught.value.retry_after / SECOND)
        clock.advance(caught.value.retry_after)
        fail(throttle, "alice", f"192.0.2.{number}")

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900]


def test_guesses_of_a_botnet_are_a_hundred_a_day(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    """Whatever addresses it has, an account is guessed at no faster in the long run."""
    guesses = 0
    for minute in range(3 * 24 * 60):
        address = f"2001:db8:{minute:x}::1"
        guesses += fail_until_blocked(throttle, "alice", address)
        clock.advance(timedelta(minutes=1))

    assert guesses <= 3 * 96 + 20


def test_refused_attempts_do_not_count(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    """Who keeps asking waits no longer than who does not."""
    fail_until_blocked(throttle, "alice", AWAY)
    for _ in range(100):
        with pytest.raises(ThrottledError):
            throttle.check("alice", AWAY)

    clock.advance(SECOND)

    throttle.check("alice", AWAY)


@pytest.mark.parametrize(
    "spelling", ["Alice", "ALICE", " alice", "alice ", "ali\N{ZERO WIDTH JOINER}ce"]
)
def test_spelling_makes_no_new_account(throttle: LoginThrottle, spelling: str) -> None:
    """V-39: counters are by canonical user, so case and space gain no guesses."""
    fail_until_blocked(throttle, "alice", AWAY)

    is_other_name = "\N{ZERO WIDTH JOINER}" in spelling
    assert bool(wait_of(throttle, spelling, HOME)) is not is_other_name


@pytest.mark.parametrize("spaces", [252, 255, 256, 60_000])
def test_space_in_front_makes_no_new_account(
    throttle: LoginThrottle, spaces: int
) -> None:
    """V-39: who the attempt is for is also who it counts for, however far out."""
    fail_until_blocked(throttle, "alice", AWAY)

    assert wait_of(throttle, " " * spaces + "alice", HOME)


def test_parallel_guesses_gain_nothing(throttle: LoginThrottle) -> None:
    """A thousand attempts at once are let in no more than a thousand in a row."""
    let_in = 0
    for number in range(1000):
        try:
            throttle.check("alice", f"2001:db8:{number:x}::1")
        except ThrottledError:
            continue
        let_in += 1

    assert let_in == ACCOUNT_LIMIT.free + 1


def test_abandoned_attempt_counts_as_a_failure(throttle: LoginThrottle) -> None:
    """To hang up before the answer hides no guess."""
    for _ in range(ACCOUNT_LIMIT.free + 1):
        throttle.check("alice", AWAY)

    with pytest.raises(ThrottledError):
        throttle.check("alice", AWAY)


def test_attempt_that_nobody_judged_does_not_count(throttle: LoginThrottle) -> None:
    """A service that is too busy does not throttle its users for it."""
    for _ in range(100):
        throttle.check("alice", AWAY)
        throttle.release("alice", AWAY)

    assert fail_until_blocked(throttle, "alice", AWAY) == ACCOUNT_LIMIT.free + 1


def test_wait_begins_with_the_answer(throttle: LoginThrottle, clock: FakeClock) -> None:
    """A slow hash is no part of the wait."""
    for _ in range(ACCOUNT_LIMIT.free + 1):
        throttle.check("alice", AWAY)
    clock.advance(SECOND)

    throttle.record_failure("alice", AWAY)

    assert wait_of(throttle, "alice", AWAY) == SECOND


def test_address_waits_whatever_it_guesses_at(throttle: LoginThrottle) -> None:
    """One password tried on many accounts is slowed down too."""
    for number in range(ADDRESS_LIMIT.free + 1):
        fail(throttle, f"user{number}", AWAY)

    assert wait_of(throttle, "another", AWAY) == SECOND
    assert wait_of(throttle, "another", HOME) == timedelta(0)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
    ids=["one household", "two households", "IPv4 in IPv6", "two addresses"],
)
def test_household_of_ipv6_is_one_address(
    throttle: LoginThrottle, one: str, other: str, is_same: bool
) -> None:
    """A household has 2**64 addresses, and one count."""
    for number in range(ADDRESS_LIMIT.free + 1):
        fail(throttle, f"user{number}", one)

    assert bool(wait_of(throttle, "another", other)) is is_same


@pytest.mark.parametrize("address", ["", "unknown", "unix:", "999.1.1.1"])
def test_client_without_an_address_is_judged_by_the_account(
    throttle: LoginThrottle, address: str
) -> None:
    """Where no proxy tells the client, people do not share one bucket."""
    for number in range(ADDRESS_LIMIT.free * 3):
        fail(throttle, f"user{number}", address)
    assert wait_of(throttle, "alice", address) == timedelta(0)

    succeed(throttle, "alice", address)

    assert fail_until_blocked(throttle, "alice", address) == ACCOUNT_LIMIT.free + 1


def test_owner_is_not_locked_out_by_strangers(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    """Where the owner has signed in before, somebody else's guesses do not count."""
    succeed(throttle, "alice", HOME)
    for number in range(200):
        fail_until_blocked(throttle, "alice", f"203.0.113.{number}")
        clock.advance(timedelta(minutes=1))
    assert wait_of(throttle, "alice", AWAY) > timedelta(0)

    succeed(throttle, "alice", HOME)


def test_owner_is_not_locked_out_by_a_neighbour(throttle: LoginThrottle) -> None:
    """Somebody behind the same address who guesses at others does not count either."""
    succeed(throttle, "alice", HOME)
    for number in range(ADDRESS_LIMIT.free + 1):
        fail(throttle, f"user{number}", HOME)
    assert wait_of(throttle, "bob", HOME) > timedelta(0)

    succeed(throttle, "alice", HOME)


def test_known_address_is_throttled_on_its_own(throttle: LoginThrottle) -> None:
    """Who sits at the owner's address cannot guess for ever, and blocks only there."""
    succeed(throttle, "alice", HOME)

    assert fail_until_blocked(throttle, "alice", HOME) == OWN_LIMIT.free + 1
    assert wait_of(throttle, "alice", AWAY) == timedelta(0)


def test_address_is_known_for_that_account_alone(throttle: LoginThrottle) -> None:
    """Whoever has an account gains nothing for guessing at another."""
    succeed(throttle, "mallory", AWAY)
    fail_until_blocked(throttle, "alice", HOME)

    with pytest.raises(ThrottledError):
        throttle.check("alice", AWAY)


def test_own_success_does_not_clear_an_address(throttle: LoginThrottle) -> None:
    """To sign in between the guesses does not make an address innocent."""
    for number in range(ADDRESS_LIMIT.free + 1):
        succeed(throttle, "mallory", AWAY)
        fail(throttle, f"user{number}", AWAY)

    assert wait_of(throttle, "another", AWAY) == SECOND


def test_success_clears_the_account(throttle: LoginThrottle) -> None:
    """Who remembers the password in the end begins afresh."""
    for _ in range(ACCOUNT_LIMIT.free):
        fail(throttle, "alice", AWAY)
    succeed(throttle, "alice", AWAY)
    for _ in range(OWN_LIMIT.free):
        fail(throttle, "alice", AWAY)
    succeed(throttle, "alice", AWAY)

    assert fail_until_blocked(throttle, "alice", HOME) == ACCOUNT_LIMIT.free + 1
    assert fail_until_blocked(throttle, "alice", AWAY) == OWN_LIMIT.free + 1


def test_known_address_is_forgotten_after_a_month(
    throttle: LoginThrottle, clock: FakeClock
) -> None:
    """An address that was somebody's becomes somebody else's."""
    succeed(throttle, "alice", HOME)
    clock.advance(timedelta(days=30))
    fail_until_blocked(throttle, "alice", AWAY)

    with pytest.raises(ThrottledError):
        throttle.check("alice", HOME)


def test_last_sixteen_addresses_of_an_account_are_known(
    throttle: LoginThrottle,
) -> None:
    """An account cannot fill the memory with its addresses."""
    for number in range(17):
        succeed(throttle, "alice", f"192.0.2.{number}")
    fail_until_blocked(throttle, "alice", AWAY)

    is_known = [
        wait_of(throttle, "alice", f"192.0.2.{number}") == timedelta(0)
        for number in range(17)
    ]
    assert is_known == [False] + [True] * 16


def test_known_accounts_are_bounded(clock: FakeClock) -> None:
    """The account that has not signed in for the longest time is forgotten first."""
    throttle = LoginThrottle(clock, capacity=2)
    for name in ("alice", "bob", "alice", "carol"):
        succeed(throttle, name, HOME)

    blocked = {}
    for name in ("alice", "bob", "carol"):
        fail_until_blocked(throttle, name, AWAY)
        blocked[name] = bool(wait_of(throttle, name, HOME))
    assert blocked["bob"]
    assert not blocked["alice"]
    assert not blocked["carol"]


def test_flood_of_names_does_not_lift_a_block(clock: FakeClock) -> None:
    """Memory is bounded, and a block cannot be flooded away."""
    throttle = LoginThrottle(clock, capacity=100)
    for _ in range(8):
        clock.advance(wait_of(throttle, "alice", AWAY))
        fail(throttle, "alice", AWAY)
    before = wait_of(throttle, "alice", AWAY)

    for number in range(2000):
        fail(throttle, f"user{number}", f"2001:db8:{number:x}::1")

    assert wait_of(throttle, "alice", AWAY) == before > timedelta(0)


def test_endless_name_takes_no_more_memory_than_a_long_one(
    throttle: LoginThrottle,
) -> None:
    """Names that nobody can have are one account."""
    for number in range(ACCOUNT_LIMIT.free + 1):
        fail(throttle, "x" * 1_000_000 + str(number), f"192.0.2.{number}")

    assert wait_of(throttle, "x" * 2_000_000, AWAY) == SECOND


def test_program_that_calls_again_and_again_forgives_no_guess(
    throttle: LoginThrottle,
) -> None:
    """Guesses from its own address are let in no faster for its successes (V-39)."""
    succeed(throttle, "alice", HOME)
    guesses = 0
    for _ in range(100):
        try:
            fail(throttle, "alice", HOME)
        except ThrottledError:
            break
        guesses += 1
        try:
            throttle.check("alice", HOME)
        except ThrottledError:
            break
        throttle.record_repeated_success("alice", HOME)

    assert guesses == OWN_LIMIT.free + 1


def test_program_makes_its_address_known(throttle: LoginThrottle) -> None:
    """Guesses from elsewhere do not make it wait, as with who signs in by the form."""
    throttle.check("alice", HOME)
    throttle.record_repeated_success("alice", HOME)

    fail_until_blocked(throttle, "alice", AWAY)

    assert wait_of(throttle, "alice", HOME) == timedelta(0)


def test_repeated_success_costs_nothing(throttle: LoginThrottle) -> None:
    """Its own attempt is taken back, however often it comes."""
    for _ in range(100):
        throttle.check("alice", AWAY)
        throttle.record_repeated_success("alice", AWAY)

    assert fail_until_blocked(throttle, "alice", AWAY) == OWN_LIMIT.free + 1
