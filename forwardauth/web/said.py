"""What a proxy says beside the target that it asks about, which differs each time.

Law: what is kept here is a pure function of the lines of a head, of the path that it
came to and of who sent it; nothing of the target, and nothing of the cookie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from forwardauth.adapters.base import Adapter, RequestKind
from forwardauth.adapters.headers import (
    TARGET_HEADERS,
    X_FORWARDED_FOR,
    IPAddress,
    PlainHeaders,
)
from forwardauth.adapters.kinds import KIND_HEADERS, classify

OTHERS: Final = (*KIND_HEADERS, X_FORWARDED_FOR)
"""What is read beside the headers of an adapter: by everybody, from the browser."""

_KIND_NAMES: Final = tuple([name.lower() for name in KIND_HEADERS])
_Values = tuple[str | None, ...]


class Endpoint:
    """One path of one adapter.

    Compared by identity: it is a part of every key.
    """

    __slots__ = ("adapter", "names", "path", "uri_name")

    def __init__(self, adapter: Adapter, path: str) -> None:
        """Find out what questions are read from that come to *path*."""
        self.adapter = adapter
        self.path = path
        asked = TARGET_HEADERS.intersection(adapter.header_names)
        self.uri_name = "".join(asked).lower()
        """Of the header that the target stands in; empty where it is our own."""
        self.names = frozenset(
            [each.lower() for each in (*adapter.header_names, *OTHERS)]
        )
        """Of all headers that questions are read from."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Said:
    """What a head says beside its target. Compared by identity.

    Attributes:
        endpoint: Where it came.
        method: Of the verify request itself.
        values: Of the headers that mean something to the adapter.
        client: The address of the browser.
        kind_of: ``classify_said``, or what remembers it.
        size: Characters of all values that mean something to anybody.
    """

    endpoint: Endpoint
    method: str
    values: Mapping[str, str]
    client: IPAddress | None
    kind_of: Callable[[str, _Values], RequestKind]
    size: int
    _kinds: dict[str, RequestKind] = field(default_factory=dict, init=False)

    def kind(self, method: str) -> RequestKind:
        """Return what kind of a request asks, if the browser's has *method*."""
        kind = self._kinds.get(method)
        if kind is None:
            values = tuple([self.values.get(each) for each in _KIND_NAMES])
            kind = self._kinds[method] = self.kind_of(method, values)
        return kind


def classify_said(method: str, values: _Values) -> RequestKind:
    """Return the kind of a request whose ``KIND_HEADERS`` have *values*."""
    named = zip(_KIND_NAMES, values, strict=True)
    said = {name: each for name, each in named if each is not None}
    return classify(method, PlainHeaders(said))
