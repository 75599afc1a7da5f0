"""What an attempt changes, in a book that nobody else writes in meanwhile.

``redis_attempts`` says the same in the language of its server.
"""

from collections.abc import Iterator
from typing import Protocol

from forwardauth.attempts.bucket import Bucket
from forwardauth.attempts.known import KnownAddresses
from forwardauth.attempts.limits import Limit, Rules
from forwardauth.attempts.store import Attempt, Result, Table


class Book(Protocol):
    """Where one process keeps buckets, as long as a call of this module lasts."""

    def lookup(self, table: Table, key: bytes) -> Bucket | None:
        """Return the bucket as it was written; ``None`` if nobody can read it."""
        ...

    def write(self, table: Table, key: bytes, bucket: Bucket | None) -> None:
        """Keep *bucket* in place of what is there; ``None`` to forget it."""
        ...

    def known(self, account: bytes) -> KnownAddresses:
        """Return the addresses of *account*."""
        ...

    def write_known(self, account: bytes, known: KnownAddresses) -> None:
        """Keep the addresses of *account*."""
        ...


def admit(book: Book, attempt: Attempt, rules: Rules, now: int) -> int:
    """Count *attempt*, or return how many milliseconds it has to wait."""
    judges = list(_judges(book, attempt, rules, now))
    found = [(judge, book.lookup(judge[0], judge[1])) for judge in judges]
    dripped = [
        (judge, bucket, None if bucket is None else bucket.drip(judge[2], now))
        for judge, bucket in found
    ]
    wait = max(0 if left is None else left.wait(now) for _, _, left in dripped)
    for (table, key, limit), before, left in dripped:
        if not wait:
            first = Bucket.first(limit, now)
            book.write(table, key, first if left is None else left.count(limit, now))
        elif before is not None and left is not None and left.until < before.until:
            # The clock was set back: it is written, or the wait would never run down.
            book.write(table, key, left)
    return wait


def settle(
    book: Book, attempt: Attempt, result: Result, rules: Rules, now: int
) -> None:
    """Let what became of *attempt* count."""
    for table, key, limit in list(_judges(book, attempt, rules, now)):
        bucket = book.lookup(table, key)
        bucket = None if bucket is None else bucket.drip(limit, now)
        if bucket is not None:
            book.write(table, key, _settled(bucket, table, result, limit, now))
    if attempt.address is None:
        return
    if result in {Result.SUCCESS, Result.REPEATED_SUCCESS}:
        known = book.known(attempt.account).add(attempt.address, rules, now)
        book.write_known(attempt.account, known)


def _settled(
    bucket: Bucket, table: Table, result: Result, limit: Limit, now: int
) -> Bucket | None:
    if result is Result.FAILURE:
        return bucket.restart(limit, now)
    if result is Result.SUCCESS and table is not Table.ADDRESS:
        # Not the address's: else somebody with an account could sign in to it now and
        # then, and guess at other accounts for ever.
        return None
    return bucket.take_back(now)


def _judges(
    book: Book, attempt: Attempt, rules: Rules, now: int
) -> Iterator[tuple[Table, bytes, Limit]]:
    """Yield the buckets that an attempt counts in."""
    address, own = attempt.address, attempt.own
    if address is None or own is None:
        yield Table.ACCOUNT, attempt.account, rules.account
    elif book.known(attempt.account).holds(address, rules, now):
        yield Table.OWN, own, rules.own
    else:
        yield Table.ACCOUNT, attempt.account, rules.account
        yield Table.ADDRESS, address, rules.address
