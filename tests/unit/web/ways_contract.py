"""What both ways answer alike, whichever store is behind them; each subclasses this."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final

import pytest

from forwardauth.sessions.model import EndCause
from forwardauth.web import keys
from tests.fuzz.grammar import SECRET, create_conversation
from tests.support.portal import APP, COOKIE
from tests.support.ways import NAVIGATION, Ways, both_ways, converse, question, tell

PATIENCE_SECONDS: Final = 30.0
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


class WaysContract:
    """The same bytes as the normal way for the same request, or nothing.

    A subclass on another store than memory has a fixture ``ways`` of its own.
    """

    questions: ClassVar[int] = 300
    conversations: ClassVar[int] = 120

    @pytest.fixture
    async def ways(self, tmp_path: Path) -> AsyncIterator[Ways]:
        """Both, on the same installation."""
        async with both_ways(tmp_path) as ways:
            yield ways

    @pytest.mark.parametrize(
        "adapter", ["nginx", "traefik", "caddy", "haproxy", "envoy"]
    )
    async def test_both_ways_answer_the_same(self, ways: Ways, adapter: str) -> None:
        """Of many questions, plain and hostile, each is answered alike, and counted."""
        tokens = [
            (await ways.short.create_session(name))[0]
            for name in ("alice", "bob", "carol")
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
        conclude = short_way._conclude  # noqa: SLF001

        def watched(reading: Any, person: Any, data: bytes) -> bytes | None:
            nonlocal short_answers
            found = conclude(reading, person, data)
            short_answers += found is not None
            return found

        short_way._conclude = watched  # type: ignore[method-assign]  # noqa: SLF001
        for _ in range(self.questions):
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
        assert short_answers >= self.questions // 20
        first, second = ways.count()
        assert first == second

    async def test_both_ways_take_hostile_bytes_alike(self, ways: Ways) -> None:
        """Whatever a connection carries, nobody passes one way but not the other."""
        token, _ = await ways.short.create_session()
        random = Random(20261127)  # noqa: S311 - the same bytes in each run
        for _ in range(self.conversations):
            conversation = create_conversation(random)
            data = b"".join(conversation.pieces).replace(SECRET, token.encode())
            if len(data) > 100_000:
                continue

            short, normal = await ways.ask(data)

            assert short == normal, data

    async def test_end_of_a_session_counts_for_the_next_request(
        self, ways: Ways
    ) -> None:
        """Nothing remembered outlives a logout, nor one on another worker (V-52)."""
        token, _ = await ways.short.create_session()
        asked = question(
            "nginx", APP, "/", "GET", *NAVIGATION, cookie=f"{COOKIE}={token}"
        )
        before = await ways.ask(asked)
        await ways.normal.app[keys.REVOKER].revoke([token], cause=EndCause.USER)

        after = await ways.ask(asked)

        assert [lines[0] for lines in before] == [b"HTTP/1.1 200 OK\r"] * 2
        assert [lines[0] for lines in after] == [b"HTTP/1.1 401 Unauthorized\r"] * 2

    async def test_expired_session_is_ended(self, ways: Ways) -> None:
        """The short way leaves to the normal one what has to be written (V-6)."""
        token, _ = await ways.short.create_session()
        asked = question(
            "nginx", APP, "/", "GET", *NAVIGATION, cookie=f"{COOKIE}={token}"
        )
        await ways.ask(asked)
        ways.short.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]

        short = tell(await converse(ways.short, asked))

        assert short[0] == b"HTTP/1.1 401 Unauthorized\r"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await ways.short.store.count():
                pass
