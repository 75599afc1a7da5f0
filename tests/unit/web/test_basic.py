"""Basic for programs: hashed once, remembered for seconds, slowed down like a login."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import pytest

from forwardauth.adapters.headers import IPAddress
from forwardauth.attempts.limits import Rules
from forwardauth.attempts.memory import MemoryAttempts
from forwardauth.attempts.store import Attempt, AttemptStore
from forwardauth.errors import (
    CredentialsError,
    StoreUnavailableError,
    ThrottledError,
)
from forwardauth.users.file import LookupUser, UsersFile
from forwardauth.users.hashes import Hasher
from forwardauth.users.passwords import Passwords
from forwardauth.users.proofs import PROVEN_FOR, RecentProofs
from forwardauth.users.table import UserChange
from forwardauth.users.throttle import ACCOUNT_LIMIT, OWN_LIMIT, LoginThrottle
from forwardauth.web.audit import AuditLog
from forwardauth.web.authorization import BasicCredentials
from forwardauth.web.basic import BasicSignIn
from forwardauth.web.metrics import BASIC, Metrics
from tests.support.clock import FakeClock
from tests.support.users import ARGON2ID, BCRYPT, CHEAP, PASSWORD, entry, write_users

HOME: Final = ip_address("203.0.113.7")
STRANGER: Final = ip_address("198.51.100.9")
RIGHT: Final = BasicCredentials(username="alice", password=PASSWORD)
WRONG: Final = BasicCredentials(username="alice", password="wrong")


class SlowHasher(Hasher):
    """Counts verifications, and holds them while the test says so."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_kib=8, parallelism=1)
        self.count = 0
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def verify(self, password_hash: str, password: bytes) -> bool:
        self.count += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return super().verify(password_hash, password)


class SlowlyDownAttempts(MemoryAttempts):
    """Counts how often it is asked, and says after a while that it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Be asked, and be down."""
        del attempt, rules, now_ms
        self.count += 1
        await asyncio.sleep(0)
        raise StoreUnavailableError("down")


async def _ignore(_changes: tuple[UserChange, ...], _users: LookupUser) -> None:
    """End no session: there are none."""


class Scene:
    """A ``BasicSignIn`` on real parts, with alice and a disabled carol."""

    def __init__(
        self,
        folder: Path,
        *,
        max_waiting: int = 32,
        attempts: AttemptStore | None = None,
    ) -> None:
        self.path = folder / "users.yaml"
        self.write(entry("alice", ARGON2ID))
        self.users = UsersFile(self.path, on_change=_ignore)
        self.clock = FakeClock()
        self.hasher = SlowHasher()
        self.metrics = Metrics()
        self.passwords = Passwords(
            hasher=self.hasher, max_concurrent=1, max_waiting=max_waiting
        )
        self.basic = BasicSignIn(
            users=self.users,
            passwords=self.passwords,
            throttle=LoginThrottle(
                attempts or MemoryAttempts(), key=b"key", clock=self.clock
            ),
            proofs=RecentProofs(self.clock),
            audit=AuditLog(self.metrics),
        )

    def write(self, *entries: str) -> None:
        """Write the users file: carol, and *entries*."""
        write_users(self.path, *entries, entry("carol", ARGON2ID, "disabled: true"))
        self.path.chmod(0o600)

    async def edit(self, *entries: str) -> None:
        """Write the users file, and let it count."""
        self.write(*entries)
        await self.users.reload()

    async def ask(
        self, credentials: BasicCredentials = RIGHT, *, address: IPAddress = HOME
    ) -> str:
        """Return the user's name, else the kind of the refusal."""
        try:
            user = await self.basic.verify(credentials, address)
        except (CredentialsError, ThrottledError, StoreUnavailableError) as exc:
            return type(exc).__name__
        return user.username

    async def hold(self, credentials: BasicCredentials = RIGHT) -> asyncio.Task[str]:
        """Begin to ask, and return while the hash is being computed."""
        self.hasher.may_end.clear()
        task = asyncio.create_task(self.ask(credentials))
        await asyncio.to_thread(self.hasher.begun.wait, 10)
        return task

    def counted(self) -> dict[str, int]:
        """Return the metric by result."""
        return {labels[0]: n for labels, n in self.metrics.samples(BASIC)}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene whose threads end with the test."""
    scene = Scene(tmp_path)
    yield scene
    scene.hasher.may_end.set()
    await scene.passwords.close()


@pytest.mark.parametrize("name", ["alice", "ALICE", " Alice "])
async def test_right_password_is_whose_it_is(scene: Scene, name: str) -> None:
    """However the name is spelled, it is the user of the file (V-39)."""
    found = await scene.ask(BasicCredentials(username=name, password=PASSWORD))

    assert found == "alice"


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("alice", ""), ("nobody", PASSWORD), ("carol", PASSWORD)],
    ids=["wrong", "empty", "unknown", "disabled"],
)
async def test_every_refusal_costs_one_hash(
    scene: Scene, username: str, password: str
) -> None:
    """And counts again the next time: no refusal is remembered (V-39)."""
    credentials = BasicCredentials(username=username, password=password)

    refusals = [await scene.ask(credentials) for _ in range(2)]

    assert refusals == ["CredentialsError"] * 2
    assert scene.hasher.count == 2


async def test_proof_counts_again_for_seconds(scene: Scene) -> None:
    """Within them no hash is computed; afterwards one is (V-39)."""
    for _ in range(5):
        await scene.ask()
    within = scene.hasher.count
    scene.clock.advance(PROVEN_FOR)
    await scene.ask()

    assert (within, scene.hasher.count) == (1, 2)
    assert scene.counted() == {"verified": 2, "recent": 4}


EDITS: Final = {
    "password changed": (entry("alice", CHEAP.hash(b"another")),),
    "disabled": (entry("alice", ARGON2ID, "disabled: true"),),
    "removed": (entry("bob", ARGON2ID),),
}
"""Files in which alice may not sign in with her password any more."""


@pytest.mark.parametrize("entries", EDITS.values(), ids=EDITS)
async def test_edit_of_the_user_counts_at_once(
    scene: Scene, entries: tuple[str, ...]
) -> None:
    """What was proven a moment ago does not outlive it (V-7, V-39)."""
    before = await scene.ask()
    await scene.edit(*entries)
    after = await scene.ask()

    assert [before, after] == ["alice", "CredentialsError"]


@pytest.mark.parametrize("entries", EDITS.values(), ids=EDITS)
async def test_edit_during_the_hash_counts(
    scene: Scene, entries: tuple[str, ...]
) -> None:
    """The password was right when it was asked, and is not when it is answered."""
    task = await scene.hold()
    await scene.edit(*entries)
    scene.hasher.may_end.set()

    assert await task == "CredentialsError"


async def test_groups_are_those_of_the_file(scene: Scene) -> None:
    """An edit that leaves the password alone is seen with the next request (V-7)."""
    await scene.ask()
    await scene.edit(entry("alice", ARGON2ID, "groups: [ops]"))

    user = await scene.basic.verify(RIGHT, HOME)

    assert user.groups == ("ops",)
    assert scene.hasher.count == 1


@pytest.mark.parametrize(
    ("credentials", "result", "counted"),
    [
        (RIGHT, "alice", {"verified": 1, "recent": 9}),
        (WRONG, "CredentialsError", {"credentials": 10}),
    ],
    ids=["right", "wrong"],
)
async def test_same_credentials_at_once_are_hashed_once(
    scene: Scene, credentials: BasicCredentials, result: str, counted: dict[str, int]
) -> None:
    """Nine requests wait for the tenth, and are told what it is told (V-39)."""
    first = await scene.hold(credentials)
    others = [asyncio.create_task(scene.ask(credentials)) for _ in range(9)]
    await asyncio.sleep(0)
    scene.hasher.may_end.set()

    results = await asyncio.gather(first, *others)

    assert results == [result] * 10
    assert scene.hasher.count == 1
    assert scene.counted() == counted


async def test_outage_is_one_for_all_who_ask_the_same(tmp_path: Path) -> None:
    """Nobody waits for the store once more, and no hash is computed (V-2)."""
    attempts = SlowlyDownAttempts()
    scene = Scene(tmp_path, attempts=attempts)

    results = await asyncio.gather(*(scene.ask() for _ in range(10)))

    await scene.passwords.close()
    assert results == ["StoreUnavailableError"] * 10
    assert attempts.count == 1
    assert scene.hasher.count == 0


async def test_other_password_from_the_address_ends_what_was_remembered(
    scene: Scene,
) -> None:
    """One guess is answered without the throttle, and the next one is not (V-39)."""
    await scene.ask()
    refusal = await scene.ask(WRONG)
    again = await scene.ask()

    assert (refusal, again) == ("CredentialsError", "alice")
    assert scene.counted() == {"credentials": 1, "verified": 2}


async def test_what_was_proven_elsewhere_is_proven_here_once_more(scene: Scene) -> None:
    """A stranger cannot find out by it, and the program goes on as before (V-39)."""
    await scene.ask()
    await scene.ask(WRONG, address=STRANGER)
    await scene.ask(address=STRANGER)
    await scene.ask()

    assert scene.counted() == {"credentials": 1, "verified": 2, "recent": 1}


async def test_other_credentials_do_not_wait_for_each_other(scene: Scene) -> None:
    """A wrong password beside the right one is refused, and the right one passes."""
    first = await scene.hold(WRONG)
    other = asyncio.create_task(scene.ask())
    await asyncio.sleep(0)
    scene.hasher.may_end.set()
    results = await asyncio.gather(first, other)

    assert list(results) == ["CredentialsError", "alice"]


async def test_client_that_goes_away_leaves_nobody_waiting(scene: Scene) -> None:
    """The next one in the line verifies in its place."""
    first = await scene.hold()
    other = asyncio.create_task(scene.ask())
    await asyncio.sleep(0)
    first.cancel()
    scene.hasher.may_end.set()

    assert await other == "alice"
    assert first.cancelled()


async def test_flood_is_turned_away(tmp_path: Path) -> None:
    """Verifications are bounded as at the login form, and refusals say when (V-39)."""
    scene = Scene(tmp_path, max_waiting=0)
    task = await scene.hold()

    with pytest.raises(ThrottledError) as caught:
        await scene.basic.verify(WRONG, STRANGER)
    scene.hasher.may_end.set()

    assert caught.value.retry_after >= timedelta(seconds=1)
    assert await task == "alice"
    assert await scene.ask(WRONG, address=STRANGER) == "CredentialsError"
    await scene.passwords.close()


async def test_guessing_is_slowed_down_without_locking_the_program_out(
    scene: Scene,
) -> None:
    """Its address is known to the account, and has a count of its own (V-39)."""
    await scene.ask()

    guesses = [
        await scene.ask(
            BasicCredentials(username="alice", password=f"guess {n}"), address=STRANGER
        )
        for n in range(ACCOUNT_LIMIT.free + 2)
    ]
    scene.clock.advance(PROVEN_FOR)

    assert guesses == ["CredentialsError"] * (ACCOUNT_LIMIT.free + 1) + [
        "ThrottledError"
    ]
    assert await scene.ask() == "alice"


@pytest.mark.parametrize("address", [HOME, STRANGER], ids=["same", "another"])
async def test_what_is_remembered_is_no_way_to_guess(
    scene: Scene, address: IPAddress
) -> None:
    """Whoever is slowed down is told so for the right password, too (V-39)."""
    await scene.ask()
    guesses = [
        await scene.ask(
            BasicCredentials(username="alice", password=f"guess {n}"), address=address
        )
        for n in range(OWN_LIMIT.free + 2)
    ]

    assert guesses[-1] == "ThrottledError"
    assert await scene.ask(address=address) == "ThrottledError"


async def test_old_hash_is_replaced_as_at_a_login(scene: Scene) -> None:
    """The file has the stronger one, and the password still counts."""
    await scene.edit(entry("alice", BCRYPT))
    old = BasicCredentials(username="alice", password="U*U")

    before = await scene.ask(old)
    await scene.users.reload()
    after = await scene.ask(old)

    assert (before, after) == ("alice", "alice")
    assert BCRYPT not in scene.path.read_text("utf-8")
    assert scene.users.table.users["alice"].password_hash.startswith("$argon2id$")


async def test_failure_is_told_without_the_password(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """The line has name, address and reason (L-56)."""
    secret = "not-the-password"
    with caplog.at_level(logging.DEBUG):
        for _ in range(ACCOUNT_LIMIT.free + 2):
            await scene.ask(BasicCredentials(username="alice", password=secret))

    line = f"event=basic_failed reason={{}} user=alice address={HOME}"
    assert [record.getMessage() for record in caplog.records] == [
        line.format("credentials")
    ] * (ACCOUNT_LIMIT.free + 1) + [line.format("throttled")]
    assert secret not in caplog.text
