"""Attempts of one process, in its memory, where its store keeps none."""

from collections import OrderedDict
from dataclasses import dataclass
from heapq import nsmallest
from operator import itemgetter
from typing import Final

from forwardauth.attempts.bucket import Bucket
from forwardauth.attempts.judge import admit, settle
from forwardauth.attempts.known import KnownAddresses
from forwardauth.attempts.limits import Rules
from forwardauth.attempts.store import Attempt, Result, Table

EVICTED_SHARE: Final = 100
"""The hundredth part goes at once: to find what is worth least takes a look at all."""


class MemoryAttempts:
    """An ``AttemptStore`` of one process, whose calls are single steps of its loop."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._buckets: dict[Table, dict[bytes, Bucket]] = {each: {} for each in Table}
        self._known: OrderedDict[bytes, KnownAddresses] = OrderedDict()

    async def admit_attempt(self, attempt: Attempt, rules: Rules, now_ms: int) -> int:
        """Let *attempt* in, or say how long it has to wait."""
        return admit(self._open(rules, now_ms), attempt, rules, now_ms)

    async def settle_attempt(
        self, attempt: Attempt, result: Result, rules: Rules, now_ms: int
    ) -> None:
        """Say what became of an attempt."""
        settle(self._open(rules, now_ms), attempt, result, rules, now_ms)

    def _open(self, rules: Rules, now_ms: int) -> "_Book":
        return _Book(
            buckets=self._buckets, addresses=self._known, rules=rules, now=now_ms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """The ``Book`` of one call."""

    buckets: dict[Table, dict[bytes, Bucket]]
    addresses: OrderedDict[bytes, KnownAddresses]
    rules: Rules
    now: int

    def lookup(self, table: Table, key: bytes) -> Bucket | None:
        return self.buckets[table].get(key)

    def write(self, table: Table, key: bytes, bucket: Bucket | None) -> None:
        buckets = self.buckets[table]
        if bucket is None:
            buckets.pop(key, None)
            return
        if key not in buckets and len(buckets) >= self.rules.capacity:
            self._make_room(table)
        buckets[key] = bucket

    def known(self, account: bytes) -> KnownAddresses:
        return self.addresses.get(account, KnownAddresses())

    def write_known(self, account: bytes, known: KnownAddresses) -> None:
        self.addresses[account] = known
        self.addresses.move_to_end(account)
        if len(self.addresses) > self.rules.capacity:
            self.addresses.popitem(last=False)

    def _make_room(self, table: Table) -> None:
        """Forget what is empty by now, and what will be next if nothing is."""
        limit, buckets = table.limit(self.rules), self.buckets[table]
        ends = {key: bucket.empty_at(limit) for key, bucket in buckets.items()}
        gone = [key for key, end in ends.items() if end <= self.now]
        if not gone:
            count = max(self.rules.capacity // EVICTED_SHARE, 1)
            weakest = nsmallest(count, ends.items(), key=itemgetter(1))
            gone = [key for key, _ in weakest]
        for key in gone:
            del buckets[key]
