"""Hostile bytes against the whole service: ``python -m tests.fuzz.raw --minutes 10``.

Runs until the time is over, or until something does not hold: then it prints the
conversation, and ends with status 1. A seed makes the same run again: ``--seed 7``.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random, randrange
from types import TracebackType
from typing import Final, Self

from tests.fuzz.grammar import SECRET, Conversation, create_conversation
from tests.fuzz.judge import check_answers
from tests.support.processes import Process, free_ports
from tests.support.serving import Peer, write_installation

PATIENCE_SECONDS: Final = 10.0
"""No connection takes longer; the limits of ``tests.fuzz.service`` are far below."""

MAX_GROWN_MEGABYTES: Final = 300
_TOGETHER: Final = 128
_ALARMS: Final = ("Traceback", "ERROR", "WARNING", "CRITICAL", "exception")


class Fuzzer:
    """The service, what it has been sent, and what must hold for it all along."""

    def __init__(self, folder: Path) -> None:
        """Serve an installation in *folder* that lets nobody pass who is anonymous."""
        (port,) = free_ports(1)
        config = write_installation(
            folder, server=f"  listen: 127.0.0.1:{port}\n", store='"memory:"'
        )
        text = config.read_text("utf-8")
        config.write_text(text.replace("policy: bypass", "policy: deny"), "utf-8")
        self._log = folder / "log"
        command = [sys.executable, "-m", "tests.fuzz.service", str(config)]
        self._process = Process(
            "fuzzed", [*command, str(port)], log=self._log, ports=[port]
        )
        self._runner = asyncio.Runner()
        self._port = port
        self._peer = Peer(address=port)
        self._token = ""
        self._read = 0
        self._first_megabytes = 0.0
        self.connections = 0
        self.requests = 0
        self.statuses: dict[int, int] = {}

    def __enter__(self) -> Self:
        self._process.start()
        self._token = self._peer.sign_in()
        self._first_megabytes = self._peak_megabytes()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.close()
        self._process.kill()

    @property
    def grown_megabytes(self) -> float:
        """How much more memory the service has needed than before the first byte."""
        return self._peak_megabytes() - self._first_megabytes

    def check(self, batch: Sequence[Conversation]) -> None:
        """Hold all conversations of *batch* at once, and judge what came back.

        Raises:
            AssertionError: A promise is broken.
        """
        replies = self._runner.run(self._hold(batch))
        for conversation, received in zip(batch, replies, strict=True):
            try:
                answers = check_answers(received)
            except AssertionError as exc:
                message = f"{exc}\n{conversation}\nwas answered {received!r}"
                raise AssertionError(message) from None
            for answer in answers:
                self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        self.connections += len(batch)
        self.requests += sum(each.requests for each in batch)
        self._check_service()

    def _check_service(self) -> None:
        assert self._process.is_running(), self._process.tail()
        assert self._peer.verify(None).status == 401, "a good request is not refused"
        assert self._peer.verify(self._token).status == 200, "a session is not known"
        with self._log.open("rb") as log:
            log.seek(self._read)
            lines = log.read()
            self._read = log.tell()
        assert SECRET not in lines, "the log quotes the cookie"
        text = lines.decode("utf-8", "replace")
        assert not any(alarm in text for alarm in _ALARMS), text[-3000:]
        assert self.grown_megabytes < MAX_GROWN_MEGABYTES

    def _peak_megabytes(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    async def _hold(self, batch: Sequence[Conversation]) -> list[bytes]:
        return await asyncio.gather(*map(self._converse, batch))

    async def _converse(self, conversation: Conversation) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                received, _ = await asyncio.gather(
                    _read(reader), _write(writer, conversation)
                )
        except TimeoutError:
            message = f"a connection neither answers nor ends: {conversation}"
            raise AssertionError(message) from None
        finally:
            writer.transport.abort()
        return received


async def _write(writer: asyncio.StreamWriter, conversation: Conversation) -> None:
    with suppress(ConnectionError):
        for piece in conversation.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(conversation.pause_seconds)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return what came back; nothing where the system threw a part of it away.

    A service that ends a connection on which there is more to read resets it.
    """
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def fuzz(fuzzer: Fuzzer, *, seconds: float, number: int) -> None:
    """Check *fuzzer* with ever new conversations for *seconds*.

    Raises:
        AssertionError: A promise is broken; the message has the conversation.
    """
    random = Random(number)  # noqa: S311 - the same numbers for the same seed
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        fuzzer.check([create_conversation(random) for _ in range(_TOGETHER)])


def main() -> None:
    """Fuzz for as long as the command line says, and tell what was done."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.raw")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=randrange(2**32))  # noqa: S311 - no secret
    arguments = parser.parse_args()
    sys.stdout.write(f"seed {arguments.seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder, Fuzzer(Path(folder)) as fuzzer:
        try:
            fuzz(fuzzer, seconds=60 * arguments.minutes, number=arguments.seed)
        finally:
            statuses = ", ".join(
                f"{k}: {v}" for k, v in sorted(fuzzer.statuses.items())
            )
            sys.stdout.write(
                f"{fuzzer.connections} connections, {fuzzer.requests} requests, "
                f"answers {statuses}; {fuzzer.grown_megabytes:.0f} MB more memory\n"
            )


if __name__ == "__main__":
    main()
