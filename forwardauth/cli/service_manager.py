"""What the service tells the manager that started it: systemd, or who speaks like it.

Each message is one datagram of lines ``NAME=value`` to the socket that the environment
names; without one there is nobody to tell, and every function does nothing.

Laws: only the process that was started speaks, never a worker, since the manager
listens to nobody else. A manager that does not take a message ends nothing.

Source: sd_notify(3), the description of the protocol.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

_NOTIFY_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHDOG_USEC: Final = "WATCHDOG_USEC"
_WATCHDOG_PID: Final = "WATCHDOG_PID"

_SEND_SECONDS: Final = 1.0
"""A manager that is busy for longer than this is not waited for."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceManager:
    """The manager of this process, if it has one.

    Attributes:
        address: Its socket as ``sendto`` takes it; ``None`` where nobody listens.
        watchdog: How long it may hear nothing before it ends the service; ``None``
            where it does not watch.
    """

    address: str | None = None
    watchdog: timedelta | None = None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Self:
        """Return the manager that *environment* names, and take its names from there.

        So no program that this process starts can speak in its place.
        """
        manager = cls(
            address=_read_address(environment), watchdog=_read_watchdog(environment)
        )
        for name in (_NOTIFY_SOCKET, _WATCHDOG_USEC, _WATCHDOG_PID):
            environment.pop(name, None)
        return manager

    def ready(self, status: str) -> None:
        """Tell that every worker serves, for the first time or after a reload."""
        self._tell("READY=1", _status(status))

    def reloading(self) -> None:
        """Tell that a reload begins; ``ready`` has to follow, whatever comes of it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}", _status("reloading"))

    def stopping(self) -> None:
        """Tell that the service ends and takes nothing new."""
        self._tell("STOPPING=1", _status("stopping"))

    def status(self, text: str) -> None:
        """Tell what the service is at, one line for people."""
        self._tell(_status(text))

    def alive(self) -> None:
        """Tell the watchdog that the process still does its work."""
        # Said so often that nobody reads it; who does not hear it ends the service.
        self._tell("WATCHDOG=1", level=logging.DEBUG)

    async def attend(self) -> None:
        """Tell all of it for a process that serves alone, from ready to stopping."""
        self.ready("1 worker serves")
        try:
            await self.keep_watched()
            await asyncio.get_running_loop().create_future()
        finally:
            self.stopping()

    async def keep_watched(self) -> None:
        """Feed the watchdog from the event loop until cancelled.

        Twice in the time that it waits, as its manual asks for. What holds the loop for
        longer than that has it restart the service.
        """
        if self.watchdog is None:
            return
        while True:
            self.alive()
            await asyncio.sleep(self.watchdog.total_seconds() / 2)

    def _tell(self, *lines: str, level: int = logging.WARNING) -> None:
        if self.address is None:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        try:
            with socket.socket(socket.AF_UNIX, kind) as sender:
                sender.settimeout(_SEND_SECONDS)
                sender.sendto("\n".join(lines).encode(), self.address)
        except OSError as exc:
            _log.log(level, "the service manager was not told %s: %s", lines[0], exc)


def _status(text: str) -> str:
    """Return the line that tells people *text*, which has to be one line."""
    return f"STATUS={' '.join(text.split())}"


def _read_address(environment: Mapping[str, str]) -> str | None:
    """Return the socket's address: a path, or a name without a file behind ``@``."""
    name = environment.get(_NOTIFY_SOCKET, "")
    if name.startswith("/"):
        return name
    if name.startswith("@") and len(name) > 1:
        return f"\0{name[1:]}"
    if name:
        _log.warning("%s names no unix socket, nobody is told", _NOTIFY_SOCKET)
    return None


def _read_watchdog(environment: Mapping[str, str]) -> timedelta | None:
    """Return how long the watchdog waits, where it is this process that it watches."""
    if environment.get(_WATCHDOG_PID, str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get(_WATCHDOG_USEC, "")
    if not text.isdecimal() or not text.isascii() or int(text) == 0:
        return None
    return timedelta(microseconds=int(text))
