"""The short way: the same bytes as the normal way for the same request, or nothing.

Two services on one store, one users file and one clock: one answers plain questions the
short way, the other sends all of them the normal way.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import pytest

from forwardauth.adapters.base import Adapter
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.model import EndCause
from forwardauth.users.file import UsersFile
from forwardauth.users.model import User
from forwardauth.users.table import UserChange
from forwardauth.web import keys
from forwardauth.web.metrics import VERIFICATIONS
from forwardauth.web.short_way import MAX_PEOPLE, ShortWay
from tests.fuzz.grammar import SECRET, create_conversation
from tests.support.faults import Interruption
from tests.support.portal import APP, COOKIE, USERS, Portal

OFF: Final = "server: {short_way: off}\n"
HUNG: Final = 0.3
HOSTS: Final = (
    *("app.example.com", "APP.example.com", "app.example.com:443"),
    *("ops.example.com", "public.example.com", "closed.example.com"),
    *("paths.example.com", "api.example.com", "plain.example.com"),
    *("other.example.org", "elsewhere.test", "a..b", "app.example.com."),
)
URIS: Final = (
    *("/", "/public", "/public/x", "/public/..", "/a%2e%2e/b", "/a?b=/public"),
    *("/logout", "/logout?rd=x", "/%zz", "/a#b", "//", "/" + "a" * 3000),
)
METHODS: Final = ("GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "get", "PUT")
EXTRAS: Final = (
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: cors",
    "Accept: text/html",
    "Accept: application/json",
    "X-Requested-With: XMLHttpRequest",
    "Sec-Purpose: prefetch",
    "Sec-WebSocket-Key: x",
    "Upgrade: websocket",
    "Origin: https://app.example.com",
    "Access-Control-Request-Method: GET",
    "Authorization: Basic YWxpY2U6eA==",
    "Authorization: Bearer x",
    "X-Forwarded-For: 192.0.2.1",
    "X-Forwarded-For: 127.0.0.1, junk",
    "X_Forwarded_Host: app.example.com",
    "Remote.User: root",
    "Remote-User: root",
    "X-Original-URL: https://public.example.com/",
    "X-Forwarded-Host: public.example.com",
    "Content-Length: 0",
    "Expect: 100-continue",
    "Connection: keep-alive",
    "TE: trailers",
)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Two services that differ in nothing but the way."""

    short: Portal
    normal: Portal

    async def ask(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """Return what tells of the answers to *data*, by each way.

        Before a difference is believed they have more time: a machine may be busy.
        """
        short, normal = await self._ask(data, HUNG)
        return (short, normal) if short == normal else await self._ask(data, 10 * HUNG)

    async def _ask(
        self, data: bytes, patience: float
    ) -> tuple[list[bytes], list[bytes]]:
        short, normal = await asyncio.gather(
            _converse(self.short, data, patience),
            _converse(self.normal, data, patience),
        )
        return _told(short), _told(normal)

    def count(self) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
        """Return what each has counted."""
        counted = (self.short.app[keys.METRICS], self.normal.app[keys.METRICS])
        first, second = (dict(each.samples(VERIFICATIONS)) for each in counted)
        return first, second


@pytest.fixture
async def ways(tmp_path: Path) -> AsyncIterator[Ways]:
    """Both, on the same installation."""
    short = Portal(tmp_path)
    normal = Portal(tmp_path, extra=OFF, store=short.store, clock=short.clock)
    assert keys.SHORT_WAY in short.app
    assert keys.SHORT_WAY not in normal.app
    async with short, normal:
        yield Ways(short=short, normal=normal)


async def _converse(portal: Portal, data: bytes, patience: float = 10 * HUNG) -> bytes:
    """Return all that comes back for *data*, and for a request that ends it after."""
    port = int(portal.url("/").rpartition(":")[2].rstrip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    last = b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = b""
    try:
        writer.write(data)
        with suppress(TimeoutError):
            received = await asyncio.wait_for(reader.read(65_536), patience)
        writer.write(last)
        # Hung is whoever waits for more of a body than comes.
        while piece := await asyncio.wait_for(reader.read(65_536), patience):
            received += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return received


def _told(received: bytes) -> list[bytes]:
    """Return the lines that tell, without dates, tokens and references."""
    told = re.findall(
        rb"^(?:HTTP/1\.1 .*|(?!Date: |Set-Cookie: )[A-Z][A-Za-z-]*: .*|\{.*)\r?$",
        received,
        re.MULTILINE,
    )
    return [re.sub(rb'"reference": "\w+"|state=[\w.~-]+', b"", line) for line in told]


def question(
    adapter: str, host: str, uri: str, method: str, *more: str, cookie: str = ""
) -> bytes:
    """Return what the proxy of *adapter* asks."""
    start, lines = f"GET /verify/{adapter} HTTP/1.1", ["Host: forwardauth"]
    if adapter == "envoy":
        start = f"{method} /verify/envoy{uri} HTTP/1.1"
        lines = [f"Host: {host}", "X-Forwarded-Proto: https"]
    elif adapter == "nginx":
        lines += [
            f"X-Original-URL: https://{host}{uri}",
            f"X-Original-Method: {method}",
        ]
    else:
        lines += [
            "X-Forwarded-Proto: https",
            f"X-Forwarded-Host: {host}",
            f"X-Forwarded-Uri: {uri}",
            f"X-Forwarded-Method: {method}",
        ]
    lines += [f"Cookie: {cookie}"] if cookie else []
    return ("\r\n".join([start, *lines, *more]) + "\r\n\r\n").encode()


NAVIGATION: Final = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


@pytest.mark.parametrize("adapter", ["nginx", "traefik", "caddy", "haproxy", "envoy"])
async def test_both_ways_answer_the_same(ways: Ways, adapter: str) -> None:
    """Of many questions, plain and hostile, each is answered alike, and counted."""
    tokens = [
        (await ways.short.create_session(name))[0] for name in ("alice", "bob", "carol")
    ]
    other, _ = await ways.short.create_session("alice", domain="example.org")
    cookies = ["", *(f"{COOKIE}={token}" for token in (*tokens, other, "junk"))]
    cookies += [
        f"{COOKIE}={tokens[0]}; {COOKIE}={tokens[1]}",
        f"{COOKIE}={tokens[0]}; {COOKIE}={tokens[0]}",
        f'a=b; {COOKIE}="{tokens[0]}"; c',
        f"a=b; {COOKIE}={tokens[0]}; c=d",
        f"a=b;{COOKIE}={tokens[0]};c=d",
        f"a=b;  {COOKIE}={tokens[0]}",
        f"a=b, {COOKIE}={tokens[0]}",
        f"x{COOKIE}={tokens[0]}",
        f"a: {COOKIE}={tokens[0]}",
        f"{COOKIE} ={tokens[0]}",
        f"{COOKIE}= {tokens[0]}",
        f"{COOKIE}={tokens[0]} ; a=b",
        f"{COOKIE}={tokens[0]}x",
        f"{COOKIE}={tokens[0]}=",
        f"{COOKIE}={tokens[0][:-1]}",
        f"{COOKIE}; {COOKIE}={tokens[0]}",
        f"rd={COOKIE}={tokens[0]}",
        f"{COOKIE.upper()}={tokens[0]}",
    ]
    plain = cookies[1]
    random = Random(adapter)  # noqa: S311 - the same questions in each run
    short_answers = 0
    short_way = ways.short.app[keys.SHORT_WAY]
    answer = short_way.answer

    def watched(data: bytes, peer: str) -> bytes | None:
        nonlocal short_answers
        found = answer(data, peer)
        short_answers += found is not None
        return found

    short_way.answer = watched  # type: ignore[method-assign]
    for _ in range(300):
        more = random.choices(EXTRAS, k=random.choice((0, 0, 1, 2)))
        more += random.choice((NAVIGATION, NAVIGATION, ()))
        data = question(
            adapter,
            random.choice((APP, *HOSTS)),
            random.choice(("/", "/", *URIS)),
            random.choice(METHODS),
            *more,
            cookie=random.choice((plain, plain, random.choice(cookies))),
        )
        if random.randrange(5) == 0:
            data = data.replace(b": ", random.choice((b":", b":  ", b" : ")), 1)

        short, normal = await ways.ask(data)

        assert short == normal, data
    assert short_answers > 20
    first, second = ways.count()
    assert first == second


async def test_both_ways_take_hostile_bytes_alike(ways: Ways) -> None:
    """Whatever a connection carries, nobody passes one way who does not the other."""
    token, _ = await ways.short.create_session()
    random = Random(20261127)  # noqa: S311 - the same bytes in each run
    for _ in range(120):
        conversation = create_conversation(random)
        data = b"".join(conversation.pieces).replace(SECRET, token.encode())
        if len(data) > 100_000:
            continue

        short, normal = await ways.ask(data)

        assert short == normal, data


async def test_end_of_a_session_counts_for_the_next_request(ways: Ways) -> None:
    """Nothing remembered outlives a logout, one on another worker neither (V-52)."""
    token, _ = await ways.short.create_session()
    asked = question("nginx", APP, "/", "GET", *NAVIGATION, cookie=f"{COOKIE}={token}")
    before = await ways.ask(asked)
    await ways.normal.app[keys.REVOKER].revoke([token], cause=EndCause.USER)

    after = await ways.ask(asked)

    assert [told[0] for told in before] == [b"HTTP/1.1 200 OK\r"] * 2
    assert [told[0] for told in after] == [b"HTTP/1.1 401 Unauthorized\r"] * 2


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
        before = _told(await _converse(portal, asked))
        portal.users.write_text(USERS.replace(old, new), encoding="utf-8")
        await portal.app[keys.USERS].reload()
        after = _told(await _converse(portal, asked))

    assert before[0] == b"HTTP/1.1 200 OK\r"
    assert after[0] == status
    assert not any(line.startswith(b"Remote-") for line in after)


async def test_expired_session_is_ended(ways: Ways) -> None:
    """The short way leaves to the normal one what has to be written (V-6)."""
    token, _ = await ways.short.create_session()
    asked = question("nginx", APP, "/", "GET", *NAVIGATION, cookie=f"{COOKIE}={token}")
    await ways.ask(asked)
    ways.short.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]

    short = _told(await _converse(ways.short, asked))

    assert short[0] == b"HTTP/1.1 401 Unauthorized\r"
    assert await ways.short.store.count() == 0


async def test_identity_that_fits_no_header_is_forbidden(tmp_path: Path) -> None:
    """Nobody passes whom no header line can name (V-27)."""
    portal = Portal(tmp_path)
    users = _UncheckedUsers(portal.users, on_change=_ignore)
    portal.app[keys.IDENTITIES]._users = users  # noqa: SLF001 - as a source of its own
    portal.app[keys.SHORT_WAY]._users = users  # noqa: SLF001
    async with portal:
        token, _ = await portal.create_session()
        asked = question("nginx", APP, "/", "GET", cookie=f"{COOKIE}={token}")
        told = _told(await _converse(portal, asked))

    assert told[0] == b"HTTP/1.1 403 Forbidden\r"
    assert not any(line.startswith(b"Remote-") for line in told)


class _UncheckedUsers(UsersFile):
    """Users of a source that does not know what fits into a header."""

    def get(self, username: str) -> User | None:
        user = super().get(username)
        return None if user is None else replace(user, display_name="x" * 4097)


async def _ignore(_changes: tuple[UserChange, ...]) -> None:
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
        answer, told, places = short_way.answer, [], set()
        await _converse(portal, asked)  # What is worked out once has been, by now.
        for number in count(1):
            # As for the first time: what is remembered has fewer places.
            short_way._readings._asked.clear()  # noqa: SLF001
            short_way._readings._read.cache_clear()  # noqa: SLF001
            short_way._people.clear()  # noqa: SLF001
            short_way._nobody[_nginx(short_way)]._decisions.clear()  # noqa: SLF001
            interruption = Interruption(number, fault)
            interrupted = partial(_interrupt_first, [interruption.call], answer)
            short_way.answer = interrupted  # type: ignore[method-assign]
            told.append(_told(await _converse(portal, asked)))
            if interruption.place is None:
                break
            places.add(interruption.place)

    assert {lines[0] for lines in told[:-1]} == {
        b"HTTP/1.1 500 Internal Server Error\r"
    }
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
        told = _told(await _converse(portal, asked))

    assert told[0] == b"HTTP/1.1 403 Forbidden\r"


async def test_number_of_people_is_bounded(ways: Ways) -> None:
    """Who signs in again and again does not fill our memory (V-42)."""
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
