"""The short way: the same bytes as the normal way for the same request, or nothing.

``ways_contract`` has what holds on every store.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from forwardauth.adapters.base import Adapter
from forwardauth.errors import StoreUnavailableError
from forwardauth.users.file import LookupUser, UsersFile
from forwardauth.users.table import UserChange, UsersTable
from forwardauth.web import keys
from forwardauth.web.short_way import MAX_PEOPLE, ShortWay
from tests.support.faults import Interruption
from tests.support.portal import APP, COOKIE, USERS, Portal
from tests.support.ways import NAVIGATION, both_ways, converse, question, tell
from tests.unit.web.ways_contract import WaysContract


class TestMemory(WaysContract):
    """On a store that answers at once."""


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("groups: [dev, ops]", "groups: [dev]", b"HTTP/1.1 403 Forbidden\r"),
        (
            "displayname: Alice Liddell",
            "disabled: true",
            b"HTTP/1.1 401 Unauthorized\r",
        ),
        ("  alice:", "  alicia:", b"HTTP/1.1 401 Unauthorized\r"),
    ],
    ids=["group", "disabled", "removed"],
)
async def test_edit_of_a_user_counts_for_the_next_request(
    tmp_path: Path, old: str, new: str, status: bytes
) -> None:
    """How a user is told is remembered only while the file says the same (V-7)."""
    async with Portal(tmp_path) as portal:
        token, _ = await portal.create_session()
        asked = question(
            "nginx",
            "ops.example.com",
            "/",
            "GET",
            *NAVIGATION,
            cookie=f"{COOKIE}={token}",
        )
        before = tell(await converse(portal, asked))
        portal.users.write_text(USERS.replace(old, new), encoding="utf-8")
        await portal.app[keys.USERS].reload()
        after = tell(await converse(portal, asked))

    assert before[0] == b"HTTP/1.1 200 OK\r"
    assert after[0] == status
    assert not any(line.startswith(b"Remote-") for line in after)


async def test_identity_that_fits_no_header_is_forbidden(tmp_path: Path) -> None:
    """Nobody passes whom no header line can name (V-27)."""
    portal = Portal(tmp_path)
    users = UsersFile(portal.users, on_change=_ignore)
    users.table = _unchecked(users.table)
    portal.app[keys.IDENTITIES]._users = users  # noqa: SLF001 - as a source of its own
    portal.app[keys.SHORT_WAY]._users = users  # noqa: SLF001
    async with portal:
        token, _ = await portal.create_session()
        asked = question("nginx", APP, "/", "GET", cookie=f"{COOKIE}={token}")
        told = tell(await converse(portal, asked))

    assert told[0] == b"HTTP/1.1 403 Forbidden\r"
    assert not any(line.startswith(b"Remote-") for line in told)


def _unchecked(table: UsersTable) -> UsersTable:
    """Return users of a source that does not know what fits into a header."""
    return UsersTable(
        users={
            name: replace(user, display_name="x" * 4097)
            for name, user in table.users.items()
        }
    )


async def _ignore(_changes: tuple[UserChange, ...], _users: LookupUser) -> None:
    pass


@pytest.mark.parametrize("fault", [RuntimeError, StoreUnavailableError, TimeoutError])
@pytest.mark.parametrize("is_signed_in", [True, False], ids=["signed in", "anonymous"])
async def test_fault_in_any_place_lets_nobody_in(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fault: type[Exception],
    is_signed_in: bool,
) -> None:
    """Wherever an error comes up, the answer is 500, and the connection ends (V-2)."""
    caplog.set_level(logging.CRITICAL + 1, logger="forwardauth")
    async with Portal(tmp_path) as portal:
        token = (await portal.create_session())[0] if is_signed_in else ""
        cookie = f"{COOKIE}={token}" if token else ""
        asked = question("nginx", APP, "/", "GET", *NAVIGATION, cookie=cookie)
        short_way = portal.app[keys.SHORT_WAY]
        answer, told, places = short_way.answer, [], []
        await converse(portal, asked)  # What is worked out once has been, by now.
        for number in count(1):
            # As for the first time: what is remembered has fewer places.
            short_way._readings._whole.clear()  # noqa: SLF001
            short_way._readings._read.cache_clear()  # noqa: SLF001
            short_way._people.clear()  # noqa: SLF001
            short_way._nobody[_nginx(short_way)].decisions.clear()  # noqa: SLF001
            interruption = Interruption(number, fault)
            interrupted = partial(_interrupt_first, [interruption.call], answer)
            short_way.answer = interrupted  # type: ignore[method-assign]
            told.append(tell(await converse(portal, asked)))
            if interruption.place is None:
                break
            places.append(interruption.place)

    failed = [
        place
        for place, lines in zip(places, told, strict=False)
        if lines[0] == b"HTTP/1.1 500 Internal Server Error\r"
    ]
    # A journal that could not be read once is looked at once more, the normal way.
    others = [place for place in places if place not in failed]
    of_the_journal = re.compile(r"Journal|_position|PendingRevocations")
    assert [place for place in others if not of_the_journal.search(place)] == []
    assert not others or issubclass(fault, OSError)
    status = b"200 OK" if is_signed_in else b"401 Unauthorized"
    assert told[-1][0] == b"HTTP/1.1 " + status + b"\r"
    assert "return Selection.decide" in places
    assert "call Readings._read_anew" in places
    assert ("call MemoryStore.peek" in places) is is_signed_in


def _nginx(short_way: ShortWay) -> Adapter:
    """Return its adapter for nginx."""
    adapters = {each.name: each for each in short_way._nobody}  # noqa: SLF001
    return adapters["nginx"]


def _interrupt_first(
    calls: list[Callable[..., bytes | None]],
    answer: Callable[..., bytes | None],
    *arguments: object,
) -> bytes | None:
    """Return *answer*, called by the one of *calls* if that is left."""
    if calls:
        return calls.pop()(answer, *arguments)
    return answer(*arguments)


async def test_untrusted_peer_is_never_answered_here(tmp_path: Path) -> None:
    """What nobody vouches for is refused the normal way (V-11)."""
    extra = "server: {trusted_proxies: [192.0.2.0/24]}\n"
    async with Portal(tmp_path, extra=extra) as portal:
        token, _ = await portal.create_session()
        asked = question("nginx", APP, "/", "GET", cookie=f"{COOKIE}={token}")
        told = tell(await converse(portal, asked))

    assert told[0] == b"HTTP/1.1 403 Forbidden\r"


async def test_number_of_people_is_bounded(tmp_path: Path) -> None:
    """Who signs in again and again does not fill our memory (V-42)."""
    async with both_ways(tmp_path) as ways:
        short_way: ShortWay = ways.short.app[keys.SHORT_WAY]
        token, _ = await ways.short.create_session()
        asked = question("nginx", APP, "/", "GET", cookie=f"{COOKIE}={token}")
        people = short_way._people  # noqa: SLF001
        await ways.ask(asked)
        ((adapter, glance), person) = people.popitem()
        for number in range(MAX_PEOPLE):
            people[adapter, glance._replace(username=str(number))] = person

        short, normal = await ways.ask(asked)

    assert short == normal
    assert len(people) <= MAX_PEOPLE
