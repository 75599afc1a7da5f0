"""The socket of a service manager, as services send their messages to it."""

import contextlib
import socket
import time
from types import TracebackType
from typing import Final, Self

_MAX_BYTES: Final = 65_536
_WAIT_SECONDS: Final = 30.0
"""What a message may take: a service starts on two busy cores."""


class Listener:
    """Hears what a service tells; a context manager that listens as long as it lasts.

    Args:
        name: As in ``NOTIFY_SOCKET``: a path, or ``@`` and a name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        self._socket.settimeout(_WAIT_SECONDS)

    def next(self) -> dict[str, str]:
        """Return the next message, name by value; wait for it."""
        return _parse(self._socket.recv(_MAX_BYTES))

    def until(self, name: str) -> list[dict[str, str]]:
        """Return the messages up to the first with *name* in it, that one included."""
        told = [self.next()]
        while name not in told[-1]:
            told.append(self.next())
        return told

    def count_within(self, *, seconds: float) -> int:
        """Return how many messages came, or come within *seconds*, which it takes."""
        time.sleep(seconds)
        return len(self.received())

    def received(self) -> list[dict[str, str]]:
        """Return the messages that have come and were not taken yet."""
        told = []
        self._socket.setblocking(False)
        try:
            while True:
                told.append(self.next())
        except BlockingIOError:
            return told
        finally:
            self._socket.settimeout(_WAIT_SECONDS)

    def fill(self) -> None:
        """Leave no room for another message, as a manager that hangs does."""
        with contextlib.suppress(BlockingIOError):
            while True:
                # A new one each time: what one may send at once has a bound, too.
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                    sender.setblocking(False)
                    sender.sendto(b"X=1", self._socket.getsockname())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()


def _parse(message: bytes) -> dict[str, str]:
    """Return the lines ``NAME=value``; one without ``=`` is no message."""
    return dict(line.split("=", 1) for line in message.decode().splitlines())
