"""The laws of the throttle as tests; every store of attempts subclasses them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from forwardauth.attempts.store import AttemptStore
from forwardauth.errors import ThrottledError
from forwardauth.users.throttle import (
    ACCOUNT_LIMIT,
    ADDRESS_LIMIT,
    OWN_LIMIT,
    RULES,
    LoginThrottle,
)
from tests.support.clock import FakeClock

HOME = "198.51.100.7"
AWAY = "203.0.113.9"
SECOND = timedelta(seconds=1)
KEY = b"key of the throttle"


async def wait_of(throttle: LoginThrottle, username: str, address: str) -> timedelta:
    """Return how long an attempt has to wait, without making one."""
    try:
        await throttle.check(username, address)
    except ThrottledError as exc:
        return exc.retry_after
    await throttle.release(username, address)
    return timedelta(0)


async def fail(throttle: LoginThrottle, username: str, address: str) -> None:
    """Make one attempt with a wrong password."""
    await throttle.check(username, address)
    await throttle.record_failure(username, address)


async def succeed(throttle: LoginThrottle, username: str, address: str) -> None:
    """Make one attempt with the right password."""
    await throttle.check(username, address)
    await throttle.record_success(username, address)


async def fail_until_blocked(
    throttle: LoginThrottle, username: str, address: str
) -> int:
    """Guess without a pause; return how many guesses were let in."""
    for guesses in range(1000):
        try:
            await fail(throttle, username, address)
        except ThrottledError:
            return guesses
    return 1000


class ThrottleContract:
    """What the throttle promises on each store; subclasses have ``attempts``."""

    DAYS = 1
    """For which a botnet guesses."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Time that stands still."""
        return FakeClock()

    @pytest.fixture
    def throttle(self, attempts: AttemptStore, clock: FakeClock) -> LoginThrottle:
        """The throttle with its usual limits."""
        return LoginThrottle(attempts, key=KEY, clock=clock)

    async def test_account_waits_after_free_failures(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """The wait doubles, until guesses come in as slowly as they are forgotten."""
        for number in range(ACCOUNT_LIMIT.free + 1):
            await fail(throttle, "alice", f"203.0.113.{number}")
        waits = []
        for number in range(12):
            with pytest.raises(ThrottledError) as caught:
                await throttle.check("alice", "192.0.2.1")
            waits.append(caught.value.retry_after / SECOND)
            clock.advance(caught.value.retry_after)
            await fail(throttle, "alice", f"192.0.2.{number}")

        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900]

    async def test_guesses_of_a_botnet_are_a_hundred_a_day(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """Whatever addresses it has, nobody guesses faster in the long run."""
        guesses = 0
        for minute in range(self.DAYS * 24 * 60):
            address = f"2001:db8:{minute:x}::1"
            guesses += await fail_until_blocked(throttle, "alice", address)
            clock.advance(timedelta(minutes=1))

        assert guesses <= self.DAYS * 96 + 20

    async def test_refused_attempts_do_not_count(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """Who keeps asking waits no longer than who does not."""
        await fail_until_blocked(throttle, "alice", AWAY)
        for _ in range(100):
            with pytest.raises(ThrottledError):
                await throttle.check("alice", AWAY)

        clock.advance(SECOND)

        await throttle.check("alice", AWAY)

    @pytest.mark.parametrize(
        "spelling", ["Alice", "ALICE", " alice", "alice ", "ali\N{ZERO WIDTH JOINER}ce"]
    )
    async def test_spelling_makes_no_new_account(
        self, throttle: LoginThrottle, spelling: str
    ) -> None:
        """V-39: counters are by canonical user, so case and space gain no guesses."""
        await fail_until_blocked(throttle, "alice", AWAY)

        is_other_name = "\N{ZERO WIDTH JOINER}" in spelling
        assert bool(await wait_of(throttle, spelling, HOME)) is not is_other_name

    @pytest.mark.parametrize("spaces", [252, 255, 256, 60_000])
    async def test_space_in_front_makes_no_new_account(
        self, throttle: LoginThrottle, spaces: int
    ) -> None:
        """V-39: who the attempt is for is also who it counts for, however far out."""
        await fail_until_blocked(throttle, "alice", AWAY)

        assert await wait_of(throttle, " " * spaces + "alice", HOME)

    async def test_parallel_guesses_gain_nothing(self, throttle: LoginThrottle) -> None:
        """A thousand attempts at once are let in no more than a thousand in a row."""
        let_in = 0
        for number in range(1000):
            try:
                await throttle.check("alice", f"2001:db8:{number:x}::1")
            except ThrottledError:
                continue
            let_in += 1

        assert let_in == ACCOUNT_LIMIT.free + 1

    async def test_abandoned_attempt_counts_as_a_failure(
        self, throttle: LoginThrottle
    ) -> None:
        """To hang up before the answer hides no guess."""
        for _ in range(ACCOUNT_LIMIT.free + 1):
            await throttle.check("alice", AWAY)

        with pytest.raises(ThrottledError):
            await throttle.check("alice", AWAY)

    async def test_attempt_that_nobody_judged_does_not_count(
        self, throttle: LoginThrottle
    ) -> None:
        """A service that is too busy does not throttle its users for it."""
        for _ in range(100):
            await throttle.check("alice", AWAY)
            await throttle.release("alice", AWAY)

        assert (
            await fail_until_blocked(throttle, "alice", AWAY) == ACCOUNT_LIMIT.free + 1
        )

    async def test_wait_begins_with_the_answer(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """A slow hash is no part of the wait."""
        for _ in range(ACCOUNT_LIMIT.free + 1):
            await throttle.check("alice", AWAY)
        clock.advance(SECOND)

        await throttle.record_failure("alice", AWAY)

        assert await wait_of(throttle, "alice", AWAY) == SECOND

    async def test_address_waits_whatever_it_guesses_at(
        self, throttle: LoginThrottle
    ) -> None:
        """One password tried on many accounts is slowed down too."""
        for number in range(ADDRESS_LIMIT.free + 1):
            await fail(throttle, f"user{number}", AWAY)

        assert await wait_of(throttle, "another", AWAY) == SECOND
        assert await wait_of(throttle, "another", HOME) == timedelta(0)

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
    async def test_household_of_ipv6_is_one_address(
        self, throttle: LoginThrottle, one: str, other: str, is_same: bool
    ) -> None:
        """A household has 2**64 addresses, and one count."""
        for number in range(ADDRESS_LIMIT.free + 1):
            await fail(throttle, f"user{number}", one)

        assert bool(await wait_of(throttle, "another", other)) is is_same

    @pytest.mark.parametrize("address", ["", "unknown", "unix:", "999.1.1.1"])
    async def test_client_without_an_address_is_judged_by_the_account(
        self, throttle: LoginThrottle, address: str
    ) -> None:
        """Where no proxy tells the client, people do not share one bucket."""
        for number in range(ADDRESS_LIMIT.free * 3):
            await fail(throttle, f"user{number}", address)
        assert await wait_of(throttle, "alice", address) == timedelta(0)

        await succeed(throttle, "alice", address)

        assert (
            await fail_until_blocked(throttle, "alice", address)
            == ACCOUNT_LIMIT.free + 1
        )

    async def test_owner_is_not_locked_out_by_strangers(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """Where the owner has signed in before, guesses of others do not count."""
        await succeed(throttle, "alice", HOME)
        for number in range(200):
            await fail_until_blocked(throttle, "alice", f"203.0.113.{number}")
            clock.advance(timedelta(minutes=1))
        assert await wait_of(throttle, "alice", AWAY) > timedelta(0)

        await succeed(throttle, "alice", HOME)

    async def test_owner_is_not_locked_out_by_a_neighbour(
        self, throttle: LoginThrottle
    ) -> None:
        """Nor does somebody behind the same address who guesses at others."""
        await succeed(throttle, "alice", HOME)
        for number in range(ADDRESS_LIMIT.free + 1):
            await fail(throttle, f"user{number}", HOME)
        assert await wait_of(throttle, "bob", HOME) > timedelta(0)

        await succeed(throttle, "alice", HOME)

    async def test_known_address_is_throttled_on_its_own(
        self, throttle: LoginThrottle
    ) -> None:
        """Who sits at the owner's address guesses not for ever, and blocks it alone."""
        await succeed(throttle, "alice", HOME)

        assert await fail_until_blocked(throttle, "alice", HOME) == OWN_LIMIT.free + 1
        assert await wait_of(throttle, "alice", AWAY) == timedelta(0)

    async def test_address_is_known_for_that_account_alone(
        self, throttle: LoginThrottle
    ) -> None:
        """Whoever has an account gains nothing for guessing at another."""
        await succeed(throttle, "mallory", AWAY)
        await fail_until_blocked(throttle, "alice", HOME)

        with pytest.raises(ThrottledError):
            await throttle.check("alice", AWAY)

    async def test_own_success_does_not_clear_an_address(
        self, throttle: LoginThrottle
    ) -> None:
        """To sign in between the guesses does not make an address innocent."""
        for number in range(ADDRESS_LIMIT.free + 1):
            await succeed(throttle, "mallory", AWAY)
            await fail(throttle, f"user{number}", AWAY)

        assert await wait_of(throttle, "another", AWAY) == SECOND

    async def test_success_clears_the_account(self, throttle: LoginThrottle) -> None:
        """Who remembers the password in the end begins afresh."""
        for _ in range(ACCOUNT_LIMIT.free):
            await fail(throttle, "alice", AWAY)
        await succeed(throttle, "alice", AWAY)
        for _ in range(OWN_LIMIT.free):
            await fail(throttle, "alice", AWAY)
        await succeed(throttle, "alice", AWAY)

        assert (
            await fail_until_blocked(throttle, "alice", HOME) == ACCOUNT_LIMIT.free + 1
        )
        assert await fail_until_blocked(throttle, "alice", AWAY) == OWN_LIMIT.free + 1

    async def test_known_address_is_forgotten_after_a_month(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """An address that was somebody's becomes somebody else's."""
        await succeed(throttle, "alice", HOME)
        clock.advance(timedelta(days=30))
        await fail_until_blocked(throttle, "alice", AWAY)

        with pytest.raises(ThrottledError):
            await throttle.check("alice", HOME)

    async def test_last_sixteen_addresses_of_an_account_are_known(
        self,
        throttle: LoginThrottle,
    ) -> None:
        """An account cannot fill the memory with its addresses."""
        for number in range(17):
            await succeed(throttle, "alice", f"192.0.2.{number}")
        await fail_until_blocked(throttle, "alice", AWAY)

        is_known = [
            await wait_of(throttle, "alice", f"192.0.2.{number}") == timedelta(0)
            for number in range(17)
        ]
        assert is_known == [False] + [True] * 16

    async def test_known_accounts_are_bounded(
        self, attempts: AttemptStore, clock: FakeClock
    ) -> None:
        """The account that has not signed in for the longest time goes first."""
        rules = replace(RULES, capacity=2)
        throttle = LoginThrottle(attempts, key=KEY, clock=clock, rules=rules)
        for name in ("alice", "bob", "alice", "carol"):
            await succeed(throttle, name, HOME)
            clock.advance(SECOND)

        blocked = {}
        for name in ("alice", "bob", "carol"):
            await fail_until_blocked(throttle, name, AWAY)
            blocked[name] = bool(await wait_of(throttle, name, HOME))
        assert blocked["bob"]
        assert not blocked["alice"]
        assert not blocked["carol"]

    async def test_flood_of_names_does_not_lift_a_block(
        self, attempts: AttemptStore, clock: FakeClock
    ) -> None:
        """Memory is bounded, and a block cannot be flooded away."""
        rules = replace(RULES, capacity=100)
        throttle = LoginThrottle(attempts, key=KEY, clock=clock, rules=rules)
        for _ in range(8):
            clock.advance(await wait_of(throttle, "alice", AWAY))
            await fail(throttle, "alice", AWAY)
        before = await wait_of(throttle, "alice", AWAY)

        for number in range(500):
            await fail(throttle, f"user{number}", f"2001:db8:{number:x}::1")

        assert await wait_of(throttle, "alice", AWAY) == before > timedelta(0)

    async def test_endless_name_takes_no_more_memory_than_a_long_one(
        self,
        throttle: LoginThrottle,
    ) -> None:
        """Names that nobody can have are one account."""
        for number in range(ACCOUNT_LIMIT.free + 1):
            await fail(throttle, "x" * 1_000_000 + str(number), f"192.0.2.{number}")

        assert await wait_of(throttle, "x" * 2_000_000, AWAY) == SECOND

    async def test_program_that_calls_again_and_again_forgives_no_guess(
        self,
        throttle: LoginThrottle,
    ) -> None:
        """Guesses from its own address come in no faster for its successes (V-39)."""
        await succeed(throttle, "alice", HOME)
        guesses = 0
        for _ in range(100):
            try:
                await fail(throttle, "alice", HOME)
            except ThrottledError:
                break
            guesses += 1
            try:
                await throttle.check("alice", HOME)
            except ThrottledError:
                break
            await throttle.record_repeated_success("alice", HOME)

        assert guesses == OWN_LIMIT.free + 1

    async def test_program_makes_its_address_known(
        self, throttle: LoginThrottle
    ) -> None:
        """Guesses from elsewhere do not make it wait, as with a sign-in by the form."""
        await throttle.check("alice", HOME)
        await throttle.record_repeated_success("alice", HOME)

        await fail_until_blocked(throttle, "alice", AWAY)

        assert await wait_of(throttle, "alice", HOME) == timedelta(0)

    async def test_repeated_success_costs_nothing(
        self, throttle: LoginThrottle
    ) -> None:
        """Its own attempt is taken back, however often it comes."""
        for _ in range(100):
            await throttle.check("alice", AWAY)
            await throttle.record_repeated_success("alice", AWAY)

        assert await fail_until_blocked(throttle, "alice", AWAY) == OWN_LIMIT.free + 1

    async def test_clock_that_is_set_back_stretches_no_wait(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """An hour back, and nobody waits for an hour more than the law says."""
        await fail_until_blocked(throttle, "alice", AWAY)
        clock.advance(await wait_of(throttle, "alice", AWAY))
        await fail(throttle, "alice", AWAY)
        before = await wait_of(throttle, "alice", AWAY)

        clock.advance(-timedelta(hours=1))
        after = await wait_of(throttle, "alice", AWAY)
        clock.advance(before)

        assert after == before == 2 * SECOND
        assert await wait_of(throttle, "alice", AWAY) == timedelta(0)

    async def test_clock_that_is_set_back_forgets_as_before(
        self, throttle: LoginThrottle, clock: FakeClock
    ) -> None:
        """Failures are forgotten one by one from then on."""
        await fail_until_blocked(throttle, "alice", AWAY)
        clock.advance(-timedelta(hours=1))
        await wait_of(throttle, "alice", AWAY)

        clock.advance(ACCOUNT_LIMIT.forget_every * (ACCOUNT_LIMIT.free + 1))

        assert await fail_until_blocked(throttle, "alice", AWAY) > ACCOUNT_LIMIT.free

    async def test_attempts_at_the_same_moment_gain_nothing(
        self, throttle: LoginThrottle
    ) -> None:
        """Fifty that ask before anybody is answered are let in like fifty in a row."""
        asked = await asyncio.gather(
            *(
                throttle.check("alice", f"2001:db8:{number:x}::1")
                for number in range(50)
            ),
            return_exceptions=True,
        )

        refused = [each for each in asked if isinstance(each, ThrottledError)]
        assert len(asked) - len(refused) == ACCOUNT_LIMIT.free + 1


class SharedThrottleContract(ThrottleContract):
    """What two processes promise that count together: ``attempts``, ``elsewhere``."""

    @pytest.fixture
    def other(self, elsewhere: AttemptStore, clock: FakeClock) -> LoginThrottle:
        """The throttle of another process."""
        return LoginThrottle(elsewhere, key=KEY, clock=clock)

    async def test_two_let_in_no_more_than_one(
        self, throttle: LoginThrottle, other: LoginThrottle
    ) -> None:
        """Whoever goes from one to the other has no more tries (V-39)."""
        let_in = 0
        for number in range(50):
            judge = (throttle, other)[number % 2]
            try:
                await fail(judge, "alice", f"2001:db8:{number:x}::1")
            except ThrottledError:
                continue
            let_in += 1

        assert let_in == ACCOUNT_LIMIT.free + 1

    async def test_two_that_are_asked_at_once_let_in_no_more_than_one(
        self, throttle: LoginThrottle, other: LoginThrottle
    ) -> None:
        """A hundred attempts at the same moment are let in like a hundred in a row."""
        asked = await asyncio.gather(
            *(
                (throttle, other)[number % 2].check("alice", f"2001:db8:{number:x}::1")
                for number in range(100)
            ),
            return_exceptions=True,
        )

        refused = [each for each in asked if isinstance(each, ThrottledError)]
        assert len(asked) - len(refused) == ACCOUNT_LIMIT.free + 1

    async def test_owner_is_known_to_both(
        self, throttle: LoginThrottle, other: LoginThrottle
    ) -> None:
        """Who has signed in at one is not made to wait by guesses at the other."""
        await succeed(throttle, "alice", HOME)
        await fail_until_blocked(other, "alice", AWAY)

        assert await wait_of(other, "alice", HOME) == timedelta(0)
        assert await wait_of(throttle, "alice", AWAY) > timedelta(0)

    async def test_success_at_one_is_one_at_the_other(
        self, throttle: LoginThrottle, other: LoginThrottle
    ) -> None:
        """Whoever remembers the password begins afresh everywhere."""
        for _ in range(ACCOUNT_LIMIT.free):
            await fail(throttle, "alice", AWAY)
        await succeed(other, "alice", AWAY)

        assert await fail_until_blocked(throttle, "alice", HOME) == (
            ACCOUNT_LIMIT.free + 1
        )

    async def test_other_key_counts_apart(
        self, throttle: LoginThrottle, elsewhere: AttemptStore, clock: FakeClock
    ) -> None:
        """What lies in the store cannot be told without the key."""
        apart = LoginThrottle(elsewhere, key=b"another key", clock=clock)
        await fail_until_blocked(throttle, "alice", AWAY)

        assert await wait_of(apart, "alice", AWAY) == timedelta(0)
