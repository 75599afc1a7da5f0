"""Proof of passwords: equal costs, bounded threads, and the rehash."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator

import pytest

from forwardauth.errors import CredentialsError, ThrottledError
from forwardauth.users import passwords as module
from forwardauth.users.hashes import Hasher, cost_of
from forwardauth.users.model import User
from forwardauth.users.passwords import MAX_PASSWORD_BYTES, Passwords
from forwardauth.users.stamps import is_current, stamp_of
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, PASSWORD, make_user


class CountingHasher(Hasher):
    """The cheap hasher, which remembers what it was asked to verify."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_kib=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, password_hash: str, password: bytes) -> bool:
        self.verified.append(password_hash)
        return super().verify(password_hash, password)


class HeldHasher(CountingHasher):
    """Begins a verification and ends it when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    def verify(self, password_hash: str, password: bytes) -> bool:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        self.begun.release()
        assert self.may_end.wait(10)
        with self._lock:
            self.running -= 1
        return super().verify(password_hash, password)


@pytest.fixture
def hasher() -> CountingHasher:
    """The hasher whose calls are counted."""
    return CountingHasher()


@pytest.fixture
async def passwords(hasher: CountingHasher) -> AsyncIterator[Passwords]:
    """Passwords with cheap parameters."""
    passwords = Passwords(hasher=hasher)
    yield passwords
    await passwords.close()


async def test_right_password_is_proven(passwords: Passwords) -> None:
    """A hash with the present parameters stays as it is."""
    proof = await passwords.verify(make_user(), PASSWORD)

    assert proof.new_hash is None


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (make_user(), "wrong"),
        (make_user(), ""),
        (make_user(), PASSWORD + " "),
        (make_user(disabled=True), PASSWORD),
        (make_user(disabled=True), "wrong"),
        (None, PASSWORD),
        (make_user(), "x" * (MAX_PASSWORD_BYTES + 1)),
        (make_user(), "é" * (MAX_PASSWORD_BYTES // 2 + 1)),
        (make_user(), "\ud800"),
        (make_user(password_hash=BCRYPT), "U*U\0"),
    ],
    ids=[
        "wrong",
        "empty",
        "with a space behind",
        "disabled",
        "disabled and wrong",
        "unknown user",
        "too long",
        "too many bytes",
        "no text",
        "a NUL behind it",
    ],
)
async def test_refusals_cost_one_verification_and_look_alike(
    passwords: Passwords, hasher: CountingHasher, user: User | None, password: str
) -> None:
    """Neither the error nor the work tells an unknown user from a wrong password."""
    with pytest.raises(CredentialsError) as caught:
        await passwords.verify(user, password)

    assert str(caught.value) == "user name and password do not match"
    assert len(hasher.verified) == 1


async def test_unknown_user_costs_what_a_known_one_does(
    passwords: Passwords, hasher: CountingHasher
) -> None:
    """The hash that stands in for an unknown user's has the same parameters."""
    for user in (None, make_user(), make_user(disabled=True)):
        with pytest.raises(CredentialsError):
            await passwords.verify(user, "wrong")

    assert len({cost_of(text) for text in hasher.verified}) == 1


async def test_unknown_user_costs_what_the_file_is_made_of(
    hasher: CountingHasher,
) -> None:
    """A file of bcrypt hashes does not tell by its times which names it holds."""
    passwords = Passwords(hasher=hasher, decoy=lambda: BCRYPT)

    with pytest.raises(CredentialsError):
        await passwords.verify(None, "wrong")

    assert hasher.verified == [BCRYPT]
    await passwords.close()


async def test_unknown_user_is_refused_even_with_the_password_of_the_decoy(
    hasher: CountingHasher,
) -> None:
    """The stand-in is somebody's hash: its password opens nothing here."""
    passwords = Passwords(hasher=hasher, decoy=lambda: ARGON2ID)

    with pytest.raises(CredentialsError):
        await passwords.verify(None, PASSWORD)

    await passwords.close()


async def test_longest_password_is_accepted(passwords: Passwords) -> None:
    """1024 bytes are a password, and all of them count."""
    longest = "x" * MAX_PASSWORD_BYTES
    user = make_user(password_hash=CHEAP.hash(longest.encode()))

    await passwords.verify(user, longest)

    with pytest.raises(CredentialsError):
        await passwords.verify(user, longest[:-1] + "y")


async def test_composed_and_decomposed_letters_are_one_password(
    passwords: Passwords,
) -> None:
    """A password with accents works on every keyboard."""
    user = make_user(password_hash=passwords.hash("ne\u0301e et pâtée"))

    await passwords.verify(user, "n\u00e9e et pâtée")
    await passwords.verify(user, "ne\u0301e et pa\u0302te\u0301e")


async def test_nul_in_a_password_counts(passwords: Passwords) -> None:
    """Argon2id looks at what is behind a NUL."""
    user = make_user(password_hash=passwords.hash("secret\0behind"))

    await passwords.verify(user, "secret\0behind")

    with pytest.raises(CredentialsError):
        await passwords.verify(user, "secret\0other")


async def test_old_hash_gets_a_successor(passwords: Passwords) -> None:
    """The proof carries the hash to write, whose sessions are the old one's too."""
    proof = await passwords.verify(make_user(password_hash=BCRYPT), "U*U")

    assert proof.new_hash is not None
    assert CHEAP.verify(proof.new_hash, b"U*U")
    assert is_current((stamp_of(BCRYPT),), proof.new_hash)
    assert proof.new_hash not in repr(proof)


async def test_flood_is_turned_away() -> None:
    """No more run than may run, no more wait than may wait, and then there is room."""
    hasher = HeldHasher()
    passwords = Passwords(max_concurrent=2, max_waiting=2, hasher=hasher)
    logins = [
        asyncio.create_task(passwords.verify(make_user(), PASSWORD)) for _ in range(4)
    ]
    for _ in range(2):
        assert await asyncio.to_thread(hasher.begun.acquire, timeout=10)

    with pytest.raises(ThrottledError):
        await passwords.verify(make_user(), PASSWORD)
    hasher.may_end.set()
    await asyncio.gather(*logins)

    assert hasher.most_running == 2
    await passwords.verify(make_user(), PASSWORD)
    await passwords.close()


@pytest.mark.parametrize(("processors", "expected"), [(1, 1), (2, 2), (64, 2)])
async def test_no_more_run_at_once_than_there_are_processors(
    monkeypatch: pytest.MonkeyPatch, processors: int, expected: int
) -> None:
    """Two on one would take twice as long each, and twice as much from verify."""
    monkeypatch.setattr(module, "count_processors", lambda: processors)
    hasher = HeldHasher()
    passwords = Passwords(hasher=hasher)
    logins = [
        asyncio.create_task(passwords.verify(make_user(), PASSWORD)) for _ in range(3)
    ]
    for _ in range(expected):
        assert await asyncio.to_thread(hasher.begun.acquire, timeout=10)
    is_another = await asyncio.to_thread(hasher.begun.acquire, timeout=0.1)

    hasher.may_end.set()
    await asyncio.gather(*logins)
    await passwords.close()

    assert not is_another
    assert hasher.most_running == expected


async def test_whether_there_is_a_place_can_be_asked_before() -> None:
    """To ask takes no place, and says what a verification would be told."""
    hasher = HeldHasher()
    passwords = Passwords(max_concurrent=1, max_waiting=0, hasher=hasher)
    for _ in range(3):
        passwords.check_free()
    login = asyncio.create_task(passwords.verify(make_user(), PASSWORD))
    assert await asyncio.to_thread(hasher.begun.acquire, timeout=10)

    with pytest.raises(ThrottledError):
        passwords.check_free()
    hasher.may_end.set()
    await login

    passwords.check_free()
    await passwords.close()


async def test_other_work_takes_its_turn_among_the_verifications() -> None:
    """A new hash is made in the same threads, and a flood of them is turned away."""
    hasher = HeldHasher()
    passwords = Passwords(max_concurrent=1, max_waiting=0, hasher=hasher)
    login = asyncio.create_task(passwords.verify(make_user(), PASSWORD))
    assert await asyncio.to_thread(hasher.begun.acquire, timeout=10)

    with pytest.raises(ThrottledError):
        await passwords.run(lambda: passwords.hash("new"))
    hasher.may_end.set()
    await login
    new_hash = await passwords.run(lambda: passwords.hash("new"))

    assert CHEAP.verify(new_hash, b"new")
    await passwords.close()


async def test_abandoned_login_gives_its_place_back() -> None:
    """A client that goes away does not leave its place taken."""
    hasher = HeldHasher()
    passwords = Passwords(max_concurrent=1, max_waiting=1, hasher=hasher)
    running = asyncio.create_task(passwords.verify(make_user(), PASSWORD))
    assert await asyncio.to_thread(hasher.begun.acquire, timeout=10)
    waiting = asyncio.create_task(passwords.verify(make_user(), PASSWORD))
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    next_one = asyncio.create_task(passwords.verify(make_user(), PASSWORD))
    await asyncio.sleep(0)
    hasher.may_end.set()

    assert (await next_one).new_hash is None
    await running
    assert len(hasher.verified) == 2
    await passwords.close()


async def test_closing_twice_is_no_error_and_ends_the_service() -> None:
    """After closing nothing is verified, and no place leaks."""
    passwords = Passwords(max_concurrent=1, max_waiting=0, hasher=CHEAP)
    await passwords.close()
    await passwords.close()

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await passwords.verify(make_user(), PASSWORD)


def test_password_that_nobody_could_enter_is_not_hashed() -> None:
    """The command line cannot set a password that the login page refuses."""
    with pytest.raises(ValueError, match="longer than 1024 bytes"):
        Passwords(hasher=CHEAP).hash("x" * (MAX_PASSWORD_BYTES + 1))


def test_stamps_can_be_had_from_here() -> None:
    """Whoever proves passwords needs the stamps too."""
    assert module.stamp_of is stamp_of
    assert module.is_current is is_current


class NicenessHasher(CountingHasher):
    """Remembers how nice its thread is."""

    def __init__(self) -> None:
        super().__init__()
        self.niceness = 0

    def verify(self, password_hash: str, password: bytes) -> bool:
        self.niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return super().verify(password_hash, password)


async def test_hashing_lets_verify_go_first() -> None:
    """Where both want the processor, whoever asks for a page does not wait."""
    hasher = NicenessHasher()
    passwords = Passwords(hasher=hasher, decoy=lambda: None)
    before = os.getpriority(os.PRIO_PROCESS, 0)

    await passwords.verify(
        make_user(password_hash=CHEAP.hash(PASSWORD.encode())), PASSWORD
    )

    # Only Linux has a priority for each thread.
    step = 12 if sys.platform == "linux" else 0
    assert hasher.niceness == min(before + step, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    await passwords.close()
