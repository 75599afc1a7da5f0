"""The contract of ``sessions/store.py`` as tests; every backend subclasses them.

``StoreContract`` needs one store. ``SharedStoreContract`` adds a second one, opened on
the same data as by another process; what one has answered the other must know.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import pytest

from forwardauth.sessions.ids import Digest
from forwardauth.sessions.store import Entry, SessionStore
from tests.support.clock import START, FakeClock

NAMES: Final = (
    pytest.param("Ålesund Ødegård", id="not-ascii"),
    pytest.param("e\u0301ve", id="combining-accent"),
    pytest.param("{a}", id="braces"),
    pytest.param("a{b", id="open-brace"),
    pytest.param("*", id="star"),
    pytest.param("a:b:s", id="colons"),
    pytest.param("%_'\"; DROP TABLE sessions; --", id="sql"),
    pytest.param(" two\nlines\t", id="white-space"),
    pytest.param("x" * 1_000, id="long"),
    pytest.param("0", id="digit"),
)
"""Names that a store could mistake for something else."""

Call: TypeAlias = Callable[[SessionStore], Awaitable[object]]


PLAIN: Final = json.dumps(
    {
        "v": 1,
        "handle": "h" * 32,
        "domain": "example.com",
        "credential": ["0" * 32],
        "methods": ["pwd"],
        "level": 1,
        "created": 1,
        "absolute": 9_999_999_999_999,
        "idle": None,
        "remembered": False,
        "address": "192.0.2.1",
        "user_agent": "test",
        "upstream": {},
    },
    separators=(",", ":"),
).encode("ascii")
"""A record that a glance can read."""


def create_entry(
    *,
    owner: str = "alice",
    login: str = "login-1",
    seen: datetime = START,
    lifetime: timedelta = timedelta(hours=1),
    record: bytes = b'{"v":1}',
) -> Entry:
    """Return an entry with a digest that no other has."""
    return Entry(
        digest=Digest(random.randbytes(32)),  # noqa: S311 - no secret, only different
        owner=owner,
        login=login,
        record=record,
        seen=seen,
        expires=seen + lifetime,
    )


def at(seconds: float) -> datetime:
    """Return the time *seconds* after the clock's start."""
    return START + timedelta(seconds=seconds)


def every_call() -> dict[str, Call]:
    """Return one call of each method that must not hide an outage, by its name."""
    entry = create_entry()

    async def list_all(store: SessionStore) -> object:
        return [each async for each in store.list_all()]

    return {
        "create": lambda store: store.create(entry),
        "load": lambda store: store.load(entry.digest),
        "touch": lambda store: store.touch(entry.digest, seen=at(1), expires=at(3_601)),
        "delete": lambda store: store.delete(entry.digest),
        "delete_login": lambda store: store.delete_login(entry.login),
        "delete_owner": lambda store: store.delete_owner(entry.owner),
        "list_owner": lambda store: store.list_owner(entry.owner),
        "list_all": list_all,
        "list_expired": lambda store: store.list_expired(START, limit=1),
        "count": lambda store: store.count(),
        "ping": lambda store: store.ping(),
    }


async def add_all(store: SessionStore, entries: Iterable[Entry]) -> None:
    """Create *entries* at once."""
    assert all(await asyncio.gather(*(store.create(entry) for entry in entries)))


async def load_all(store: SessionStore, entries: Iterable[Entry]) -> list[Entry | None]:
    """Load *entries* at once."""
    return await asyncio.gather(*(store.load(entry.digest) for entry in entries))


async def everything(store: SessionStore) -> dict[Digest, Entry]:
    """Return what ``list_all`` yields."""
    return {entry.digest: entry async for entry in store.list_all()}


def is_same_set(left: Iterable[Entry], right: Iterable[Entry]) -> bool:
    """Whether both have the same entries, each once, in whatever order."""
    lists = [sorted(each, key=lambda entry: entry.digest) for each in (left, right)]
    return lists[0] == lists[1]


async def _end_among_touches(ending: SessionStore, touching: SessionStore) -> None:
    """End a login of three while *touching* uses it all the time: nothing is left."""
    entries = [create_entry() for _ in range(3)]
    await add_all(ending, entries)
    touches = [
        asyncio.ensure_future(
            touching.touch(entries[n % 3].digest, seen=at(n), expires=at(n + 3_600))
        )
        for n in range(1, 101)
    ]
    await asyncio.wait(touches, return_when=asyncio.FIRST_COMPLETED)

    removed = await ending.delete_login("login-1")
    at_once = await load_all(touching, entries)
    await asyncio.gather(*touches)

    assert len(removed) == 3
    assert at_once == [None] * 3
    assert await load_all(ending, entries) == [None] * 3
    assert await ending.list_owner("alice") == ()
    assert await everything(ending) == {}


class StoreContract:
    """What every store promises.

    A subclass has the fixture ``store``: an empty store, closed afterwards.
    """

    @pytest.fixture
    def clock(self) -> FakeClock:
        """The clock that entries and store share."""
        return FakeClock()

    # create and load

    async def test_created_entry_is_loaded_as_it_was(self, store: SessionStore) -> None:
        """What was created comes back, field by field."""
        entry = create_entry()

        assert await store.create(entry) is True
        assert await store.load(entry.digest) == entry

    async def test_unknown_digest_is_absent(self, store: SessionStore) -> None:
        """A digest that was never known is ``None``, not an error."""
        assert await store.load(create_entry().digest) is None

    @pytest.mark.parametrize("name", NAMES)
    async def test_any_text_is_a_name(self, store: SessionStore, name: str) -> None:
        """Owner and login are kept to the character, and index that entry alone."""
        entry = create_entry(owner=name, login=name)
        other = create_entry(owner=f"{name}x", login=f"{name}x")
        await add_all(store, [entry, other])

        assert await store.load(entry.digest) == entry
        assert await store.list_owner(name) == (entry,)
        assert await store.delete_login(name) == (entry,)
        assert await store.list_owner(name) == ()
        assert await store.load(other.digest) == other

    async def test_names_differ_by_case_and_by_code_point(
        self, store: SessionStore
    ) -> None:
        """No store folds case or normalises: that is for whoever chose the name."""
        names = ("eve", "Eve", "\u00e9ve", "e\u0301ve", "eve ")
        entries = [create_entry(owner=name, login=name) for name in names]
        await add_all(store, entries)

        for entry in entries:
            assert await store.list_owner(entry.owner) == (entry,)

    @pytest.mark.parametrize(
        "record",
        [
            pytest.param(b"", id="empty"),
            pytest.param(bytes(range(256)), id="every-byte"),
            pytest.param(b"\xff\x00" * 8_192, id="16-kib"),
        ],
    )
    async def test_record_is_opaque(self, store: SessionStore, record: bytes) -> None:
        """Any bytes up to 16 KiB come back unchanged."""
        entry = create_entry(record=record)
        await store.create(entry)

        loaded = await store.load(entry.digest)

        assert loaded is not None
        assert loaded.record == record

    @pytest.mark.parametrize(
        "digest", [bytes(32), b"\xff" * 32, b"\r\n{}%:" + bytes(26)]
    )
    async def test_digest_is_any_32_bytes(
        self, store: SessionStore, digest: bytes
    ) -> None:
        """A digest is bytes, not text."""
        entry = replace(create_entry(), digest=Digest(digest))

        await store.create(entry)

        assert await store.load(entry.digest) == entry
        assert await everything(store) == {entry.digest: entry}

    async def test_times_are_kept_to_the_millisecond_in_utc(
        self, store: SessionStore
    ) -> None:
        """Microseconds are cut off, never rounded up: nothing lives longer by it."""
        seen = START.replace(microsecond=123_999)
        entry = create_entry(seen=seen)
        await store.create(entry)

        loaded = await store.load(entry.digest)

        assert loaded is not None
        assert loaded.seen == START.replace(microsecond=123_000)
        assert loaded.expires - loaded.seen == timedelta(hours=1)
        assert loaded.seen.tzinfo is UTC
        assert loaded.expires.tzinfo is UTC

    async def test_digest_in_use_is_refused(self, store: SessionStore) -> None:
        """A digest is never replaced, and the refused entry leaves no trace [L-13]."""
        entry = create_entry()
        second = replace(create_entry(owner="mallory", login="m"), digest=entry.digest)
        await store.create(entry)

        with pytest.raises(ValueError, match="digest"):
            await store.create(second)

        assert await store.load(entry.digest) == entry
        assert await store.list_owner("mallory") == ()
        assert await store.delete_owner("mallory") == ()
        assert await store.delete_login("m") == ()
        assert await store.load(entry.digest) == entry

    async def test_same_digest_at_once_is_created_once(
        self, store: SessionStore
    ) -> None:
        """Of many creates of one digest exactly one succeeds."""
        entry = create_entry()

        results = await asyncio.gather(
            *(store.create(replace(entry, owner=f"user{n}")) for n in range(10)),
            return_exceptions=True,
        )

        assert sum(result is True for result in results) == 1
        assert sum(isinstance(result, ValueError) for result in results) == 9
        winner = await store.load(entry.digest)
        assert winner is not None
        assert await store.list_owner(winner.owner) == (winner,)
        assert await store.count() == 1

    # touch

    async def test_touch_moves_the_times(self, store: SessionStore) -> None:
        """A later use changes both times and nothing else."""
        entry = create_entry()
        await store.create(entry)

        changed = await store.touch(entry.digest, seen=at(60), expires=at(7_260))

        assert changed is True
        assert await store.load(entry.digest) == replace(
            entry, seen=at(60), expires=at(7_260)
        )

    @pytest.mark.parametrize(
        "seen",
        [
            pytest.param(at(0), id="equal"),
            pytest.param(at(0.000_9), id="equal-to-the-millisecond"),
            pytest.param(at(-1), id="earlier"),
        ],
    )
    async def test_touch_never_goes_back(
        self, store: SessionStore, seen: datetime
    ) -> None:
        """A use that is not later than the stored one changes nothing [V-44]."""
        entry = create_entry()
        await store.create(entry)

        changed = await store.touch(entry.digest, seen=seen, expires=at(9_999))

        assert changed is False
        assert await store.load(entry.digest) == entry

    async def test_touch_creates_nothing(self, store: SessionStore) -> None:
        """A touch of an absent entry leaves the store as it was [L-5]."""
        absent = create_entry()

        changed = await store.touch(absent.digest, seen=at(60), expires=at(3_660))

        assert changed is False
        assert await store.load(absent.digest) is None
        assert await store.count() == 0
        assert await everything(store) == {}

    async def test_touched_entry_is_still_found_by_its_names(
        self, store: SessionStore
    ) -> None:
        """A touch keeps the entry in both indexes."""
        entry = create_entry()
        await store.create(entry)
        await store.touch(entry.digest, seen=at(60), expires=at(3_660))
        touched = replace(entry, seen=at(60), expires=at(3_660))

        assert await store.list_owner(entry.owner) == (touched,)
        assert await store.delete_login(entry.login) == (touched,)
        assert await store.load(entry.digest) is None

    async def test_touch_moves_the_linked_entries_too(
        self, store: SessionStore
    ) -> None:
        """Use of one session is use of its login, on whichever domain [L-14, V-44].

        Other logins of the same user and of others stay as they are.
        """
        linked = [create_entry(login="a") for _ in range(3)]
        others = [create_entry(login="b"), create_entry(owner="bob", login="c")]
        await add_all(store, [*linked, *others])

        changed = await store.touch(linked[1].digest, seen=at(60), expires=at(7_260))

        assert changed is True
        assert await load_all(store, linked) == [
            replace(entry, seen=at(60), expires=at(7_260)) for entry in linked
        ]
        assert await load_all(store, others) == others

    @pytest.mark.parametrize("used", [0, 1])
    async def test_touch_moves_no_linked_entry_back(
        self, store: SessionStore, used: int
    ) -> None:
        """Each entry of a login goes by its own last use, the touched one as well."""
        entries = [create_entry(seen=at(0)), create_entry(seen=at(90))]
        await add_all(store, entries)

        changed = await store.touch(
            entries[used].digest, seen=at(60), expires=at(9_999)
        )

        assert changed is True
        assert await load_all(store, entries) == [
            replace(entries[0], seen=at(60), expires=at(9_999)),
            entries[1],
        ]

    async def test_touch_prolongs_nothing_that_was_over(
        self, store: SessionStore
    ) -> None:
        """What had expired at that use stays expired, with its login or alone."""
        over = create_entry(lifetime=timedelta(seconds=10))
        alive = create_entry(lifetime=timedelta(seconds=10.001))
        alone = create_entry(login="b", lifetime=timedelta(seconds=10))
        await add_all(store, [over, alive, alone])

        changed = [
            await store.touch(entry.digest, seen=at(10), expires=at(3_610))
            for entry in (alone, alive)
        ]

        assert changed == [False, True]
        assert await load_all(store, [over, alone]) == [over, alone]
        assert await store.load(alive.digest) == replace(
            alive, seen=at(10), expires=at(3_610)
        )

    async def test_touch_through_an_ended_entry_moves_nothing(
        self, store: SessionStore
    ) -> None:
        """A session that has ended speaks for its login no more."""
        ended, left = create_entry(), create_entry()
        await add_all(store, [ended, left])
        await store.delete(ended.digest)

        changed = await store.touch(ended.digest, seen=at(60), expires=at(3_660))

        assert changed is False
        assert await load_all(store, [ended, left]) == [None, left]

    # delete

    async def test_deleted_entry_is_gone_for_good(self, store: SessionStore) -> None:
        """After a delete nothing finds the entry and no touch revives it [L-2, L-5]."""
        entry = create_entry()
        await store.create(entry)

        assert await store.delete(entry.digest) == entry

        assert await store.touch(entry.digest, seen=at(9), expires=at(3_609)) is False
        assert await store.load(entry.digest) is None
        assert await store.list_owner(entry.owner) == ()
        assert await store.delete_owner(entry.owner) == ()
        assert await store.delete_login(entry.login) == ()
        assert await store.list_expired(at(9_999), limit=10) == ()
        assert await everything(store) == {}
        assert await store.count() == 0

    async def test_delete_returns_the_entry_as_last_touched(
        self, store: SessionStore
    ) -> None:
        """Whoever ends a session learns its last use."""
        entry = create_entry()
        await store.create(entry)
        await store.touch(entry.digest, seen=at(60), expires=at(3_660))

        removed = await store.delete(entry.digest)

        assert removed == replace(entry, seen=at(60), expires=at(3_660))

    async def test_delete_twice_is_no_error(self, store: SessionStore) -> None:
        """The second time nothing is there."""
        entry = create_entry()
        await store.create(entry)
        await store.delete(entry.digest)

        assert await store.delete(entry.digest) is None
        assert await store.delete(create_entry().digest) is None

    async def test_of_many_deletes_one_gets_the_entry(
        self, store: SessionStore
    ) -> None:
        """One end is told of once, however many ask for it."""
        entry = create_entry()
        await store.create(entry)

        removed = await asyncio.gather(*(store.delete(entry.digest) for _ in range(20)))

        assert sorted(removed, key=bool) == [None] * 19 + [entry]

    async def test_delete_leaves_others_alone(self, store: SessionStore) -> None:
        """Another entry of the same owner and login stays, and stays indexed."""
        entry, other = create_entry(), create_entry()
        await add_all(store, [entry, other])

        await store.delete(entry.digest)

        assert await store.load(other.digest) == other
        assert await store.list_owner(other.owner) == (other,)
        assert await store.count() == 1

    async def test_delete_login_ends_its_entries_and_no_others(
        self, store: SessionStore
    ) -> None:
        """The linked sessions of one login end together."""
        mine = [create_entry(login="a") for _ in range(3)]
        others = [create_entry(login="b"), create_entry(owner="bob", login="c")]
        await add_all(store, [*mine, *others])

        removed = await store.delete_login("a")

        assert is_same_set(removed, mine)
        assert await load_all(store, mine) == [None] * 3
        assert await load_all(store, others) == others
        assert await store.delete_login("a") == ()

    async def test_delete_owner_ends_all_of_one_user(self, store: SessionStore) -> None:
        """Every session of the user ends, those of others stay [L-10]."""
        mine = [create_entry(login=f"login-{n}") for n in range(5)]
        others = [create_entry(owner="bob", login="login-1")]
        await add_all(store, [*mine, *others])

        removed = await store.delete_owner("alice")

        assert is_same_set(removed, mine)
        assert await load_all(store, mine) == [None] * 5
        assert await load_all(store, others) == others
        assert await store.delete_login("login-1") == tuple(others)
        assert await store.count() == 0

    async def test_delete_owner_keeps_one_login(self, store: SessionStore) -> None:
        """All others of the user end; the linked sessions of the kept login stay."""
        kept = [create_entry(login="this") for _ in range(2)]
        ended = [create_entry(login=f"login-{n}") for n in range(3)]
        await add_all(store, [*kept, *ended])

        removed = await store.delete_owner("alice", keep_login="this")

        assert is_same_set(removed, ended)
        assert await load_all(store, kept) == kept
        assert await load_all(store, ended) == [None] * 3
        assert is_same_set(await store.list_owner("alice"), kept)
        assert await store.touch(kept[0].digest, seen=at(9), expires=at(3_609)) is True

    async def test_delete_owner_may_keep_a_login_that_is_not_there(
        self, store: SessionStore
    ) -> None:
        """A login to keep that has no entry keeps none."""
        entry = create_entry()
        await store.create(entry)

        removed = await store.delete_owner("alice", keep_login="other")

        assert removed == (entry,)

    async def test_absent_names_have_nothing_to_end(self, store: SessionStore) -> None:
        """Nothing there is an empty answer."""
        assert await store.delete_login("nobody") == ()
        assert await store.delete_owner("nobody") == ()
        assert await store.delete_owner("nobody", keep_login="x") == ()
        assert await store.list_owner("nobody") == ()

    async def test_new_session_after_all_were_ended_lives(
        self, store: SessionStore
    ) -> None:
        """Ending all of a user does not lock the user out."""
        await store.create(create_entry())
        await store.delete_owner("alice")
        entry = create_entry()

        assert await store.create(entry) is True
        assert await store.load(entry.digest) == entry
        assert await store.list_owner("alice") == (entry,)

    # lists

    async def test_list_owner_has_the_last_used_first(
        self, store: SessionStore
    ) -> None:
        """The order follows the last use, touches included."""
        first, second, third = (
            create_entry(login=f"login-{n}", seen=at(n)) for n in range(3)
        )
        await add_all(store, [second, third, first])
        await store.touch(first.digest, seen=at(60), expires=at(3_660))

        listed = await store.list_owner("alice")

        assert [entry.digest for entry in listed] == [
            first.digest,
            third.digest,
            second.digest,
        ]

    async def test_list_all_yields_every_entry(self, store: SessionStore) -> None:
        """More entries than any page holds are all there."""
        entries = [create_entry(owner=f"user{n % 7}") for n in range(1_050)]
        await add_all(store, entries)

        listed = await everything(store)

        assert is_same_set(listed.values(), entries)
        assert await store.count() == len(entries)

    async def test_list_all_meets_those_that_live_throughout(
        self, store: SessionStore
    ) -> None:
        """Entries that come and go meanwhile do not hide the others."""
        staying = [create_entry() for _ in range(40)]
        going = [create_entry(owner="bob", login="b") for _ in range(40)]
        await add_all(store, [*staying, *going])

        listed = set()
        async for entry in store.list_all():
            listed.add(entry.digest)
            if going:
                await store.delete(going.pop().digest)
                await store.create(create_entry(owner="carol", login="c"))
            if len(listed) % 5 == 0:
                await store.touch(entry.digest, seen=at(60), expires=at(3_660))

        assert {entry.digest for entry in staying} <= listed

    async def test_list_expired_has_those_whose_time_is_over(
        self, store: SessionStore
    ) -> None:
        """An entry has expired from its ``expires`` on, not a millisecond before."""
        over = create_entry(lifetime=timedelta(seconds=10))
        later = create_entry(lifetime=timedelta(seconds=10.001))
        touched = create_entry(login="b", lifetime=timedelta(seconds=5))
        await add_all(store, [over, later, touched])
        await store.touch(touched.digest, seen=at(4), expires=at(15))

        assert await store.list_expired(at(9.999), limit=10) == ()
        assert await store.list_expired(at(10), limit=10) == (over,)

    async def test_list_expired_stops_at_its_limit(self, store: SessionStore) -> None:
        """What is left is found the next time."""
        entries = [create_entry(lifetime=timedelta(seconds=1)) for _ in range(90)]
        await add_all(store, entries)

        first = await store.list_expired(at(1), limit=70)
        for entry in first:
            await store.delete(entry.digest)
        second = await store.list_expired(at(1), limit=70)

        assert len(first) == 70
        assert is_same_set([*first, *second], entries)
        assert await store.list_expired(at(1), limit=0) == ()

    async def test_expired_entries_count_while_they_stand(
        self, store: SessionStore, clock: FakeClock
    ) -> None:
        """Expiry is the manager's judgement; the store only forgets later."""
        entry = create_entry(lifetime=timedelta(seconds=1))
        await store.create(entry)
        clock.advance(timedelta(seconds=2))

        assert await store.count() == 1
        assert await store.delete(entry.digest) == entry

    # the whole

    async def test_ping_returns_while_the_store_works(
        self, store: SessionStore
    ) -> None:
        """A store that can read and write says so by returning, and keeps nothing."""
        await store.ping()

        assert await store.count() == 0

    async def test_close_twice_is_no_error(self, store: SessionStore) -> None:
        """Closing is idempotent, after use too."""
        await store.create(create_entry())

        await store.close()
        await store.close()

    # races

    async def test_touches_in_flight_revive_nothing(self, store: SessionStore) -> None:
        """Hundreds of touches around one delete: after its answer it is over [L-5].

        Law 1.
        """
        for _ in range(5):
            entry = create_entry()
            await store.create(entry)
            touches = [
                asyncio.ensure_future(
                    store.touch(entry.digest, seen=at(n), expires=at(n + 3_600))
                )
                for n in range(1, 201)
            ]
            await asyncio.wait(touches, return_when=asyncio.FIRST_COMPLETED)

            removed = await store.delete(entry.digest)
            at_once = await store.load(entry.digest)
            await asyncio.gather(*touches)

            assert removed is not None
            assert at_once is None
            assert await store.load(entry.digest) is None
            assert await store.list_owner(entry.owner) == ()
            assert await everything(store) == {}

    async def test_touches_of_a_login_in_flight_revive_nothing(
        self, store: SessionStore
    ) -> None:
        """Touches of linked sessions around the end of their login lose [L-5, L-14].

        Law 1.
        """
        for _ in range(5):
            await _end_among_touches(store, store)

    @pytest.mark.parametrize("index", ["owner", "login"])
    async def test_no_session_slips_past_the_end_of_all(
        self, store: SessionStore, index: str
    ) -> None:
        """What had been created when all were ended is gone, races or not [L-10].

        Law 2.
        """
        for _ in range(5):
            created: list[Entry] = []

            async def create_one(created: list[Entry] = created) -> None:
                entry = create_entry()
                if await store.create(entry):
                    created.append(entry)

            creates = [asyncio.ensure_future(create_one()) for _ in range(60)]
            await asyncio.wait(creates, return_when=asyncio.FIRST_COMPLETED)

            if index == "owner":
                await store.delete_owner("alice")
            else:
                await store.delete_login("login-1")
            covered = list(created)
            await asyncio.gather(*creates)

            assert set(await load_all(store, covered)) <= {None}
            # Those that came after are whole: each of them can be ended by its index.
            alive = [entry for entry in created if await store.load(entry.digest)]
            assert is_same_set(await store.list_owner("alice"), alive)
            assert is_same_set(await store.delete_login("login-1"), alive)
            assert await everything(store) == {}

    async def test_kept_login_lives_through_it(self, store: SessionStore) -> None:
        """There is no moment at which a kept session is not loaded."""
        kept = create_entry(login="this")
        others = [create_entry(login=f"login-{n}") for n in range(30)]
        await add_all(store, [kept, *others])

        ending = asyncio.ensure_future(store.delete_owner("alice", keep_login="this"))
        seen = []
        while not ending.done():
            seen.append(await store.load(kept.digest))
            await asyncio.sleep(0)

        assert len(await ending) == 30
        assert set(seen) <= {kept}
        assert await store.load(kept.digest) == kept


class SharedStoreContract(StoreContract):
    """What a store promises that several processes use at once.

    A subclass has the fixture ``elsewhere`` as well: a second store on the same data.
    """

    async def test_change_here_is_seen_elsewhere_at_once(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """Login at A, use at B, logout at A: B refuses the next request [L-15]."""
        entry = create_entry()

        await store.create(entry)
        assert await elsewhere.load(entry.digest) == entry
        assert await elsewhere.touch(entry.digest, seen=at(9), expires=at(3_609))
        assert await store.load(entry.digest) == replace(
            entry, seen=at(9), expires=at(3_609)
        )
        await store.delete(entry.digest)

        assert await elsewhere.load(entry.digest) is None
        assert not await elsewhere.touch(entry.digest, seen=at(10), expires=at(3_610))
        assert await elsewhere.list_owner("alice") == ()
        assert await store.load(entry.digest) is None

    async def test_end_of_all_reaches_what_was_created_elsewhere(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """The index of a user is one, wherever the sessions were made [L-10]."""
        entries = [create_entry(login=f"login-{n}") for n in range(6)]
        await add_all(store, entries[:3])
        await add_all(elsewhere, entries[3:])

        assert len(await elsewhere.delete_owner("alice")) == 6
        assert await load_all(store, entries) == [None] * 6

    async def test_entries_outlive_the_process(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """What was created or ended stays so when its process is gone [L-15]."""
        kept, ended = create_entry(), create_entry()
        await add_all(store, [kept, ended])
        await store.delete(ended.digest)

        await store.close()

        assert await elsewhere.load(kept.digest) == kept
        assert await elsewhere.load(ended.digest) is None

    async def test_of_deletes_in_two_places_one_gets_the_entry(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """One end is told of once, in whichever process."""
        entries = [create_entry() for _ in range(20)]
        await add_all(store, entries)

        for entry in entries:
            removed = await asyncio.gather(
                store.delete(entry.digest), elsewhere.delete(entry.digest)
            )

            assert sorted(removed, key=bool) == [None, entry]

    async def test_touches_elsewhere_revive_nothing(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """A slow touch of another process does not bring a session back [L-5]."""
        for _ in range(5):
            entry = create_entry()
            await store.create(entry)
            touches = [
                asyncio.ensure_future(
                    elsewhere.touch(entry.digest, seen=at(n), expires=at(n + 3_600))
                )
                for n in range(1, 101)
            ]
            await asyncio.wait(touches, return_when=asyncio.FIRST_COMPLETED)

            await store.delete(entry.digest)
            at_once = await elsewhere.load(entry.digest)
            await asyncio.gather(*touches)

            assert at_once is None
            assert await store.load(entry.digest) is None
            assert await elsewhere.load(entry.digest) is None

    async def test_touch_elsewhere_moves_the_linked_entries(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """A login is one, whichever process made or uses its sessions [L-15]."""
        home, linked = create_entry(), create_entry()
        await store.create(home)
        await elsewhere.create(linked)

        assert await elsewhere.touch(linked.digest, seen=at(60), expires=at(3_660))

        assert await load_all(store, [home, linked]) == [
            replace(entry, seen=at(60), expires=at(3_660)) for entry in (home, linked)
        ]

    async def test_touches_of_a_login_elsewhere_revive_nothing(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """A slow touch of another process brings no linked session back [L-5, L-14]."""
        for _ in range(5):
            await _end_among_touches(store, elsewhere)

    async def test_no_session_made_elsewhere_slips_past_the_end_of_all(
        self, store: SessionStore, elsewhere: SessionStore
    ) -> None:
        """Logins at A while B ends all: those that A had answered are gone [L-10].

        Law 2.
        """
        for _ in range(5):
            created: list[Entry] = []

            async def create_one(created: list[Entry] = created) -> None:
                entry = create_entry()
                if await elsewhere.create(entry):
                    created.append(entry)

            creates = [asyncio.ensure_future(create_one()) for _ in range(40)]
            await asyncio.wait(creates, return_when=asyncio.FIRST_COMPLETED)

            covered = list(created)
            await store.delete_owner("alice")
            await asyncio.gather(*creates)

            assert set(await load_all(elsewhere, covered)) <= {None}
            alive = [entry for entry in created if await store.load(entry.digest)]
            assert is_same_set(await elsewhere.delete_owner("alice"), alive)
            assert await everything(store) == {}
