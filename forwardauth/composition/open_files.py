"""Whether the process can still open files, as the log tells it.

Where it cannot, connections wait in the kernel and nobody is told: neither event loop
writes a line about it. Connections alone never get that far (``cli.descriptors``), but
the system as a whole may have run out of files, or somebody has lowered the limit.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Final

from forwardauth.sessions.trouble import Trouble

LOOK_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class OpenFiles:
    """Looks now and then; one for each worker."""

    def __init__(
        self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """*sleep* between two looks; it takes seconds."""
        self._sleep = sleep
        self._trouble = Trouble(
            _log,
            what="no more files can be opened, so nobody new is answered",
            over="files can be opened again",
            remedy="raise the limit of open files (LimitNOFILE, ulimit -n), or find"
            " out which process of the machine has so many",
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await self._sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Open a file and close it, and tell where that does not work."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as exc:
            self._trouble.meet(exc.strerror)
        else:
            self._trouble.end()
