"""Recent proofs: what counts again, for how long, and what ends it at once."""

from datetime import timedelta

import pytest

from forwardauth.users.model import User
from forwardauth.users.proofs import PROVEN_FOR, RecentProofs
from tests.support.clock import FakeClock
from tests.support.users import ARGON2ID, BCRYPT, PASSWORD, make_user

ALICE = make_user()
HOME = "203.0.113.7"


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def proofs(clock: FakeClock) -> RecentProofs:
    """Proofs of which one is remembered: Alice's."""
    proofs = RecentProofs(clock)
    proofs.add(ALICE, PASSWORD, HOME)
    return proofs


def test_what_was_proven_counts_again(proofs: RecentProofs) -> None:
    """The same user, hash and password are found."""
    assert proofs.holds(ALICE, PASSWORD, HOME)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (ALICE, PASSWORD + " "),
        (ALICE, ""),
        (make_user("bob"), PASSWORD),
        (make_user(password_hash=BCRYPT), PASSWORD),
        (make_user("alice" + ARGON2ID[:1], password_hash=ARGON2ID[1:]), PASSWORD),
        (make_user(password_hash=ARGON2ID + PASSWORD[:1]), PASSWORD[1:]),
    ],
    ids=["other", "none", "other user", "other hash", "shifted left", "shifted right"],
)
def test_nothing_else_does(proofs: RecentProofs, user: User, password: str) -> None:
    """A new hash, as after a change of the password, is not found (V-39)."""
    assert not proofs.holds(user, password, HOME)


@pytest.mark.parametrize(
    ("elapsed", "counts"),
    [
        (PROVEN_FOR - timedelta(seconds=1), True),
        (PROVEN_FOR, False),
        (timedelta(days=1), False),
        (timedelta(seconds=-1), False),
    ],
    ids=["within", "over", "long over", "clock set back"],
)
def test_proof_counts_for_seconds(
    proofs: RecentProofs, clock: FakeClock, elapsed: timedelta, *, counts: bool
) -> None:
    """Its end does not move while it is used, nor with the clock (V-39)."""
    proofs.holds(ALICE, PASSWORD, HOME)
    clock.advance(elapsed)

    assert proofs.holds(ALICE, PASSWORD, HOME) is counts


def test_proof_that_is_over_is_dropped(proofs: RecentProofs, clock: FakeClock) -> None:
    """A clock that goes back later does not bring it back."""
    clock.advance(PROVEN_FOR)
    proofs.holds(ALICE, PASSWORD, HOME)
    clock.advance(-PROVEN_FOR)

    assert not proofs.holds(ALICE, PASSWORD, HOME)
    assert len(proofs) == 0


def test_proof_counts_where_it_was_made(proofs: RecentProofs) -> None:
    """Whoever asks from elsewhere cannot find out by it (V-39)."""
    assert not proofs.holds(ALICE, PASSWORD, "198.51.100.9")
    assert proofs.holds(ALICE, PASSWORD, HOME)


def test_another_password_ends_the_proof(proofs: RecentProofs) -> None:
    """It answers one guess at most; the next one has to pass the throttle (V-39)."""
    assert not proofs.holds(ALICE, "guess", HOME)

    assert not proofs.holds(ALICE, PASSWORD, HOME)


def test_few_are_remembered(clock: FakeClock) -> None:
    """The oldest makes room, and proving again makes one young (V-42)."""
    proofs = RecentProofs(clock, capacity=2)
    one, two, three = (make_user(name) for name in ("one", "two", "three"))
    for user in (one, two, one, three):
        proofs.add(user, PASSWORD, HOME)

    held = [proofs.holds(user, PASSWORD, HOME) for user in (one, two, three)]

    assert held == [True, False, True]
    assert len(proofs) == 2


def test_no_password_is_kept(proofs: RecentProofs) -> None:
    """What stands for one has another key in each process (V-39)."""
    digest = proofs.digest("alice", ARGON2ID, PASSWORD)
    elsewhere = RecentProofs(FakeClock()).digest("alice", ARGON2ID, PASSWORD)

    assert len(digest) == 32
    assert digest != elsewhere
    assert PASSWORD not in repr(vars(proofs))
