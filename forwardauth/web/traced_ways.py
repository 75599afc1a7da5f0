"""The short ways of verify where traces are sent.

Law: who belongs to a trace that the proxy records is answered where there are spans, on
the normal way; everybody else as without traces.
"""

from forwardauth.web.awaited_way import AwaitedWay, Take
from forwardauth.web.short_way import ShortWay
from forwardauth.web.trace_parent import is_sampled


class TracedShortWay(ShortWay):
    """Leaves recorded requests to the normal way."""

    def answer(self, data: bytes, peer: str) -> bytes | None:
        """See ``ShortWay``."""
        return None if is_sampled(data) else super().answer(data, peer)


class TracedAwaitedWay(AwaitedWay):
    """Leaves recorded requests to the normal way."""

    def ask(self, data: bytes, peer: str, take: Take) -> bytes | None:
        """See ``AwaitedWay``."""
        return None if is_sampled(data) else super().ask(data, peer, take)
