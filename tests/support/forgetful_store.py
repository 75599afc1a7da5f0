"""A store that loses what it has acknowledged, as a replica that is promoted does."""

from collections.abc import Callable, Sequence

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.store import Entry
from tests.support.stores import DownStore


class ForgetfulStore(DownStore):
    """Memory that a test can turn back, a ``ReplicatedStore`` too.

    Attributes:
        is_lagging: Whether its replica has not what it acknowledges.
        looks: How many times it was asked about several entries.
        confirmed: How many times it was asked whether its replica has all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_lagging = False
        self.looks = 0
        self.confirmed = 0
        self._copied: list[Entry] = []
        self._told: list[Callable[[], None]] = []

    def tell_faults(self, told: Callable[[], None]) -> None:
        """Call *told*, and whoever wanted to know before, when a call fails."""
        self._told.append(told)

    def _answer(self) -> None:
        try:
            super()._answer()
        except StoreUnavailableError:
            for told in self._told:
                told()
            raise

    async def load_all(self, digests: Sequence[Digest]) -> tuple[Entry, ...]:
        """Return those of *digests* that are there."""
        self.looks += 1
        found = [await self.load(digest) for digest in digests]
        return tuple(entry for entry in found if entry is not None)

    async def confirm(self) -> None:
        """Return when the replica has all."""
        self.confirmed += 1
        self._answer()
        if self.is_lagging:
            raise StoreUnavailableError("the replica lags")

    async def copy(self) -> None:
        """Let the replica have what is here now."""
        self._copied = [entry async for entry in self.list_all()]

    async def fail_over(self) -> None:
        """Let the replica serve: what it has is all that is known."""
        async for entry in self.list_all():
            await self.delete(entry.digest)
        for entry in self._copied:
            await self.create(entry)
