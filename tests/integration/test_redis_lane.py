"""A connection on which look-ups follow each other, to a real Redis and to worse."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Final

import hiredis
import pytest
from redis.asyncio.connection import Connection

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.awaited_glances import Found, Question
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.known_rows import KnownRow
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores.known_replies import KnownReplies
from forwardauth.sessions.stores.redis_lane import Lane
from tests.support.redis_faults import Relay, listening
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import ask, ask_all, ask_on_lane, create_prefix, opened
from tests.support.until import PATIENCE_SECONDS, until
from tests.unit.sessions.contract import PLAIN, add_all, at, create_entry

ANSWER: Final = b"*5\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n"
"""To a look-up of a session that is not there."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server, which waits for no disk."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, "--appendfsync", "no") as server:
        yield server


class Server:
    """Takes one connection, and says what a test says.

    Attributes:
        writer: Towards the lane.
        asked: What came on the lane.
        reads: Set as long as what comes is read.
    """

    def __init__(self, stack: AsyncExitStack) -> None:
        """Close what is opened with *stack*."""
        self.writer: asyncio.StreamWriter
        self.asked: asyncio.Queue[bytes] = asyncio.Queue()
        self._stack = stack
        self._port = 0
        self._has_one, self._is_left = asyncio.Event(), asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def listen(self) -> None:
        """Wait for the connection."""
        self._port = await self._stack.enter_async_context(listening(self._serve))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.writer = writer
        self._has_one.set()
        while data := await reader.read(65_536):
            self.asked.put_nowait(data)
            await self.reads.wait()
        self._is_left.set()

    async def connect(self) -> Connection:
        """Return a connection of redis-py to here."""
        connection = Connection(
            host="127.0.0.1",
            port=self._port,
            protocol=2,
            driver_info=None,
        )
        await connection.connect()  # type: ignore[no-untyped-call]
        await self._has_one.wait()
        return connection

    async def open_lane(self, *, timeout_seconds: float = 20.0) -> Lane:
        """Return a lane to here that knows no answer yet."""
        return self.make_lane(await self.connect(), timeout_seconds)

    def make_lane(self, connection: Connection, timeout_seconds: float = 20.0) -> Lane:
        """Return a lane that takes *connection* over."""
        replies = KnownReplies()
        lane = Lane(
            connection,
            spot=replies.spot,
            parse=replies.read,
            rounds=count(),
            timeout_seconds=timeout_seconds,
        )
        self._stack.push_async_callback(lane.aclose)
        return lane

    async def wait_until_left(self) -> None:
        """Return when the lane has closed the connection."""
        await asyncio.wait_for(self._is_left.wait(), PATIENCE_SECONDS)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that says nothing by itself."""
    async with AsyncExitStack() as stack:
        server = Server(stack)
        await server.listen()
        yield server


class Told:
    """What is told to those who ask, one after the other.

    Attributes:
        found: By question; several mean that one was told more than once.
    """

    def __init__(self, number: int) -> None:
        self.found: list[list[Found]] = [[] for _ in range(number)]
        self.questions = [
            Question(Digest(bytes([n]) * 32), self._teller(n)) for n in range(number)
        ]

    def _teller(self, number: int) -> Callable[[Found, int], None]:
        def tell(found: Found, _: int) -> None:
            self.found[number].append(found)

        return tell

    @property
    def kinds(self) -> list[list[type]]:
        """The types of all that was told."""
        return [[type(each) for each in some] for some in self.found]


async def ask_many(server: Server, number: int) -> tuple[Lane, Told]:
    """Return a lane on which *number* have asked together, and what they are told."""
    lane, told = await server.open_lane(), Told(number)
    lane.ask(told.questions, b"all of them")
    await server.asked.get()
    return lane, told


@pytest.fixture
async def faults() -> list[object]:
    """What is told to the event loop as a fault that nobody has handled."""
    found: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, what: found.append(what))
    return found


async def test_known_answers_are_the_bytes_that_a_server_sends(
    redis: RedisServer,
) -> None:
    """Else each answer would be read, and nobody would notice (V-52)."""
    entry = create_entry(owner="\u00fcser", record=PLAIN)
    prefix = create_prefix()
    key = f"{prefix}:{{{entry.digest[0]:02x}}}:s:{entry.digest.hex()}"
    replies, reader = KnownReplies(), hiredis.Reader()
    async with opened(redis.url, prefix=prefix) as store:
        await store.create(entry)
        await ask_on_lane(store, entry.digest)
    answers, server = await asyncio.open_connection("127.0.0.1", redis.port)
    server.write(f"HMGET {key} owner login record seen expires\r\n".encode())
    answer = await answers.read(65_536)
    server.close()
    reader.feed(answer)

    row = replies.read(reader.gets(), entry.digest)

    assert isinstance(row, KnownRow)
    assert replies.spot(answer, 0, entry.digest) == (row, len(answer))


async def test_answers_that_come_in_two_parts_are_told_whole(
    redis: RedisServer,
) -> None:
    """Wherever they are cut: known ones, changed ones, and none (V-52)."""
    entries = [create_entry(record=PLAIN, login=f"login-{n}") for n in range(3)]
    relay = Relay(redis)
    async with (
        relay.running() as url,
        opened(url, prefix=create_prefix()) as store,
    ):
        await add_all(store, entries)
        digests = [each.digest for each in entries] + [create_entry().digest]
        await ask_on_lane(store, digests[0])
        first = await ask_all(store, digests)

        for cut in range(1, 1_200):
            relay.cut = cut
            if cut % 50 == 0:
                seen = at(cut)
                await store.touch(digests[1], seen=seen, expires=at(cut + 3_600))
            told = await ask_all(store, digests)

            assert all(a is b for a, b in zip(told, first, strict=True)), cut


async def test_answer_that_nobody_asked_for_ends_the_lane(server: Server) -> None:
    """Nobody can tell any more what belongs to whom, known answers or not (V-52)."""
    lane = await server.open_lane()
    told = Told(2)
    lane.ask(told.questions[:1], b"first")
    await server.asked.get()

    server.writer.write(ANSWER + ANSWER)
    await server.wait_until_left()

    assert not lane.is_open
    assert told.found == [[None], []]


async def test_connection_that_ended_before_it_was_taken_over_is_no_lane(
    server: Server,
) -> None:
    """What the streams have heard is not told again."""
    connection = await server.connect()
    server.writer.close()
    reader = connection._reader  # noqa: SLF001 - nobody else has it
    assert reader is not None
    await until(reader.at_eof)

    lane = server.make_lane(connection)

    assert not lane.is_open
    await server.wait_until_left()


async def test_end_in_the_middle_of_an_answer_tells_who_waits_to_ask_again(
    server: Server,
) -> None:
    """Those whose answer was whole have it; each is told once (V-52)."""
    lane, told = await ask_many(server, 3)

    server.writer.write(ANSWER + ANSWER[:20])
    server.writer.close()
    await until(lambda: not lane.is_open)
    await asyncio.sleep(0)

    assert told.kinds == [[type(None)], [NoGlanceError], [NoGlanceError]]


async def test_those_who_were_late_are_told_once(server: Server) -> None:
    """The answer that comes in the end is passed over, and the next is in its place."""
    lane = await server.open_lane(timeout_seconds=1.5)
    told = Told(3)
    lane.ask(told.questions[:2], b"late")
    await server.asked.get()
    server.writer.write(ANSWER)
    await asyncio.sleep(1)
    lane.ask(told.questions[2:], b"in time")
    await server.asked.get()
    await until(lambda: told.found[1])
    assert told.kinds == [[type(None)], [StoreUnavailableError], []]

    server.writer.write(ANSWER + ANSWER)
    await until(lambda: told.found[2])

    assert told.kinds == [[type(None)], [StoreUnavailableError], [type(None)]]
    assert not lane.is_open


async def test_lane_whose_answers_stay_away_ends(server: Server) -> None:
    """When the last one is late there is nothing left to wait for."""
    lane = await server.open_lane(timeout_seconds=0.05)
    told = Told(2)
    lane.ask(told.questions, b"late")

    await server.wait_until_left()

    assert not lane.is_open
    assert told.kinds == [[StoreUnavailableError]] * 2


async def test_known_session_refused_while_its_answer_comes_is_asked_again(
    redis: RedisServer,
) -> None:
    """That the answer is known by its bytes makes it no fresher (V-52)."""
    entry = create_entry(record=PLAIN)
    relay = Relay(redis)
    async with relay.running() as url, opened(url, prefix=create_prefix()) as store:
        await store.create(entry)
        for _ in range(2):
            assert isinstance(await ask_on_lane(store, entry.digest), KnownRow)
        relay.hold_answer_to(b"\r\nHMGET\r\n")
        told = ask(store, entry.digest)
        await relay.wait_until_held()

        assert await store.delete(entry.digest) is not None
        relay.release()

        assert isinstance(await told, NoGlanceError)
        assert await ask(store, entry.digest) is None


async def test_known_answer_within_another_one_is_not_taken_for_it(
    server: Server,
) -> None:
    """Where a part of an answer has come, the rest of it comes next (V-52)."""
    lane = await server.open_lane()
    fields = [b"alice", b"login", PLAIN, b"1000", b"9999999999999"]
    known = b"*5\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(f), f) for f in fields)
    outer = b"*5\r\n$%d\r\n" % len(known), known + b"\r\n" + b"$1\r\n1\r\n" * 4
    told = Told(1)
    for parts in ([known], outer):
        lane.ask(told.questions, b"again")
        await server.asked.get()
        for part in parts:
            server.writer.write(part)
            await asyncio.sleep(0.05)
    await until(lambda: len(told.found[0]) > 1)

    assert told.kinds == [[KnownRow, Row]]


async def test_who_is_late_is_told_once_whoever_is_late_after_it(
    server: Server,
) -> None:
    """Each by its own time, and only then (V-33)."""
    lane = await server.open_lane(timeout_seconds=1.5)
    told = Told(2)
    lane.ask(told.questions[:1], b"first")
    await asyncio.sleep(1)
    lane.ask(told.questions[1:], b"second")
    await until(lambda: told.found[0])
    assert told.kinds == [[StoreUnavailableError], []]

    await server.wait_until_left()

    assert told.kinds == [[StoreUnavailableError], [StoreUnavailableError]]


async def test_lane_that_was_quiet_for_long_still_knows_who_is_late(
    server: Server,
) -> None:
    """The time of a question is not that of the one before (V-33)."""
    lane = await server.open_lane(timeout_seconds=1)
    told = Told(2)
    lane.ask(told.questions[:1], b"first")
    await server.asked.get()
    server.writer.write(ANSWER)
    await until(lambda: told.found[0])
    await asyncio.sleep(1.1)

    lane.ask(told.questions[1:], b"second")
    await server.wait_until_left()

    assert told.kinds == [[type(None)], [StoreUnavailableError]]


async def test_session_is_refused_in_whichever_message_it_was_asked_about(
    server: Server,
) -> None:
    """In the first one, in the last one, and in both; later questions are not."""
    lane = await server.open_lane()
    told = Told(4)
    first, second, third, later = told.questions
    lane.ask([first, second], b"1")
    lane.ask([third], b"2")
    for each in (first, third):
        lane.refuse(each.digest)
    lane.ask([later._replace(digest=first.digest)], b"3")

    server.writer.write(ANSWER * 4)
    await until(lambda: not lane.has_asked)

    refused, kept = [NoGlanceError], [type(None)]
    assert told.kinds == [refused, kept, refused, kept]


async def test_lane_that_is_closed_answers_who_waits_and_then_ends(
    server: Server,
) -> None:
    """Nobody else may ask there from then on."""
    lane, told = await ask_many(server, 2)

    lane.close()

    assert not lane.is_open
    server.writer.write(ANSWER)
    await until(lambda: told.found[0])
    assert told.kinds == [[type(None)], []]
    server.writer.write(ANSWER)
    await server.wait_until_left()
    assert told.kinds == [[type(None)], [type(None)]]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="no protocol"),
        pytest.param(b"+OK\r\n", id="another answer"),
        pytest.param(b"$-1\r\n", id="nothing"),
        pytest.param(b"*-1\r\n", id="no array"),
    ],
)
async def test_what_no_look_up_is_answered_by_ends_the_lane(
    server: Server, faults: list[object], said: bytes
) -> None:
    """Else the answers after it would be told to others; no fault is logged (V-52)."""
    _, told = await ask_many(server, 3)

    server.writer.write(ANSWER + said + ANSWER)
    await server.wait_until_left()

    assert told.kinds == [[type(None)], [NoGlanceError], [NoGlanceError]]
    assert faults == []


async def test_part_of_an_answer_that_nobody_asked_for_ends_the_lane(
    server: Server,
) -> None:
    """The next who asks would be told the rest of it (V-52)."""
    lane, told = await ask_many(server, 1)

    server.writer.write(ANSWER + ANSWER[:12])
    await server.wait_until_left()

    assert not lane.is_open
    assert told.kinds == [[type(None)]]


async def test_what_comes_while_nobody_asks_ends_the_lane(server: Server) -> None:
    """However little of it there is (V-52)."""
    lane = await server.open_lane()

    server.writer.write(ANSWER[:1])
    await server.wait_until_left()

    assert not lane.is_open


async def test_server_that_says_nothing_more_is_not_waited_for(server: Server) -> None:
    """Although it still takes what is sent, or has not yet taken it (V-33)."""
    lane = await server.open_lane()
    told = Told(2)
    server.reads.clear()
    lane.ask(told.questions[:1], b"x" * 30_000_000)

    server.writer.write_eof()
    await until(lambda: not lane.is_open)
    server.reads.set()

    assert told.kinds == [[NoGlanceError], []]


@pytest.mark.parametrize("said", [b"", b"-ERR max number of clients reached\r\n"])
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_what_came_before_it_was_taken_over_is_not_missed(
    server: Server, said: bytes, *, is_reset: bool
) -> None:
    """There is no lane then, and nothing stays open."""
    connection = await server.connect()
    reader = connection._reader  # noqa: SLF001 - nobody else has it
    assert reader is not None
    server.writer.write(said)
    await until(lambda: len(reader._buffer) == len(said))  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    if is_reset:
        stream = server.writer.get_extra_info("socket")
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.writer.transport.abort()
    else:
        server.writer.close()
    await until(lambda: reader._eof or reader.exception())  # type: ignore[attr-defined]  # noqa: SLF001 - as above

    lane = server.make_lane(connection)
    await asyncio.sleep(0)

    assert not lane.is_open
    await until(lambda: not connection.is_connected)


async def test_teller_that_fails_harms_nobody_else(
    server: Server, faults: list[object]
) -> None:
    """It is a fault, which is logged; all others are told, and the lane ends."""
    lane = await server.open_lane()
    told = Told(2)

    def fail(_: Found, __: int) -> None:
        raise ZeroDivisionError

    lane.ask([Question(Digest(bytes(32)), fail)], b"one")
    lane.ask(told.questions, b"two")
    await server.asked.get()
    server.writer.write(ANSWER)
    await server.wait_until_left()
    await asyncio.sleep(0)

    assert told.kinds == [[NoGlanceError]] * 2
    assert len(faults) == 1
