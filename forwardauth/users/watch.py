"""The watch over the users file that counts, be it another one after a while.

Law: the watch outlives whatever one turn meets.
"""

import asyncio
import logging
from typing import Final

from forwardauth.users.file import UsersFile

POLL_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class UsersWatch:
    """Looks at one file for changes; one for each worker."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._file: UsersFile | None = None

    def take(self, file: UsersFile) -> None:
        """Watch *file* from now on; it goes on where the one before it was."""
        if self._file is not None:
            self._file.hand_over(file)
        self._file = file

    def lookup_decoy(self) -> str | None:
        """Return the hash for users whom nobody knows; see ``UsersTable.decoy``."""
        return None if self._file is None else self._file.table.decoy

    async def run(self) -> None:
        """Poll until cancelled. It reads the file's status, not the file.

        Polling works on every file system and mount, sees files that are replaced as
        well as those that are written in place, and needs no further package.
        """
        while True:
            try:
                if self._file is not None:
                    await self._file.poll_once()
            except Exception:  # noqa: BLE001 - the watch outlives whatever one turn meets
                _log.exception("the users file could not be watched")
            await asyncio.sleep(POLL_SECONDS)
