"""The copies that a migration makes in TO, renews and ends, many at once.

To a server each of them by itself would be a wait of its own; how many go together is
for the caller to say. What they mean is the law of ``migration``.
"""

from collections.abc import Sequence

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.bulk import BulkStore, Creation
from forwardauth.sessions.ids import Digest
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.waiting import gather_all


class Copies:
    """Sessions in one store that live in another."""

    def __init__(self, store: SessionStore) -> None:
        """Keep where they are."""
        self._store = store

    async def make(self, entries: Sequence[Entry]) -> None:
        """Make *entries*; one that is there is a copy that another run has made.

        Raises:
            StoreUnavailableError: One was ended before it lived, or as every store.
        """
        if isinstance(self._store, BulkStore):
            made = await self._store.create_all(entries)
        else:
            made = tuple(await gather_all(*map(self._make, entries)))
        if Creation.OVERTAKEN in made:
            message = "sessions are ended in TO at the same time: run it again"
            raise StoreUnavailableError(message)

    async def renew(self, entries: Sequence[Entry]) -> None:
        """Let the copies of *entries* live as long as they do."""
        await gather_all(*map(self._renew, entries))

    async def end(self, digests: Sequence[Digest]) -> int:
        """End them, and return how many there were."""
        ended = await gather_all(*map(self._store.delete, digests))
        return len(ended) - ended.count(None)

    async def _make(self, entry: Entry) -> Creation:
        try:
            is_made = await self._store.create(entry)
        except ValueError:
            return Creation.IN_USE
        return Creation.MADE if is_made else Creation.OVERTAKEN

    async def _renew(self, entry: Entry) -> None:
        digest = entry.digest
        kept = await self._store.load(digest)
        if kept is None or entry.seen <= kept.seen:
            return
        is_moved = await self._store.touch(
            digest, seen=entry.seen, expires=entry.expires
        )
        # No store prolongs what was over before that use; it was not, in FROM.
        if not is_moved and await self._store.delete(digest) is not None:
            await self.make([entry])
