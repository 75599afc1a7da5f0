"""What a proxy says beside the target that it asks about, which differs each time.

Law: what is kept here is a pure function of the lines of a head, of the path that it
came to and of who sent it; nothing of the target, and nothing of the cookie.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from forwardauth.adapters.base import Adapter, RequestKind
from forwardauth.adapters.headers import (
    TARGET_HEADERS,
    X_FORWARDED_FOR,
    IPAddress,
    IPNetwork,
    PlainHeaders,
    lookup_client,
)
from forwardauth.adapters.kinds import KIND_HEADERS, classify
from forwardauth.web.heads import Head, Heads

MAX_CHARACTERS: Final = 1024
"""The longest questions that are remembered, in whichever line they stand."""

MAX_SAYINGS: Final = 2048
"""Of how much that is said it is known what it comes to."""

MAX_BY_LINES: Final = 2048
"""In how many ways to say it, line by line, that is recognised at once."""

MAX_CLIENTS: Final = 1024
"""How many addresses of browsers are known as such."""

MAX_KINDS: Final = 256
"""Of how many ways to say it is known what kind of a request they tell."""

OTHERS: Final = (*KIND_HEADERS, X_FORWARDED_FOR)
"""What is read beside the headers of an adapter: by everybody, from the browser. They
stand behind those in ``Endpoint.names``, and are told apart by their places."""

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
        names = [each.lower() for each in (*adapter.header_names, *OTHERS)]
        self.names = tuple([each for each in names if each != self.uri_name])
        """Of all other headers that questions are read from."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Said:
    """What a head says beside its target. Compared by identity.

    Attributes:
        endpoint: Where it came.
        method: Of the verify request itself.
        values: Of the headers that questions are read from there, but for the target.
        kind_values: Those of ``KIND_HEADERS``, in their order.
        client: The address of the browser.
        size: Characters of all values.
    """

    endpoint: Endpoint
    method: str
    values: Mapping[str, str]
    kind_values: _Values
    client: IPAddress | None
    size: int


class Sayings:
    """Finds what heads say, and remembers it."""

    def __init__(self, heads: Heads, trusted_proxies: Sequence[IPNetwork]) -> None:
        """Remember nothing yet.

        Args:
            heads: What the heads have been read with.
            trusted_proxies: Who is believed about the address of a browser.
        """
        self._heads = heads
        self._trusted = trusted_proxies
        self._by_lines: dict[tuple[object, ...], Said] = {}
        self._find = lru_cache(MAX_SAYINGS)(self._find_anew)
        # People ask many questions each.
        self._lookup_client = lru_cache(MAX_CLIENTS)(self._find_client)
        # And each browser says what kind of a request it is in few words.
        self._lookup_kind = lru_cache(MAX_KINDS)(classify_said)

    def lookup(self, endpoint: Endpoint, head: Head, peer: str) -> Said | None:
        """Return what *head* says beside its target, ``None`` if it is not plain.

        Args:
            endpoint: Where it came.
            head: As it has been read.
            peer: The address of the proxy.
        """
        key = endpoint, head.method, head.lines, peer
        said = self._by_lines.get(key)
        if said is not None:
            return said
        values = self._heads.read_lines(head.lines)
        if values is None:
            return None
        told = tuple([values.get(each) for each in endpoint.names])
        # Nothing of what is long is remembered, whatever line makes it so.
        find = self._find if _size(told) <= MAX_CHARACTERS else self._find_anew
        # Many browsers say the same, each with a name of its own that means nothing.
        said = find(endpoint, head.method, told, peer)
        if _size(head.lines) <= MAX_CHARACTERS:
            if len(self._by_lines) >= MAX_BY_LINES:
                self._by_lines.clear()
            self._by_lines[key] = said
        return said

    def kind(self, said: Said, method: str) -> RequestKind:
        """Return what kind of a request asks, if the browser's has *method*."""
        is_long = said.size > MAX_CHARACTERS
        find = classify_said if is_long else self._lookup_kind
        return find(method, said.kind_values)

    def _find_anew(
        self, endpoint: Endpoint, method: str, told: _Values, peer: str
    ) -> Said:
        """Return what the headers of *endpoint* say that have the values *told*."""
        named = zip(endpoint.names, told, strict=True)
        values = {name: value for name, value in named if value is not None}
        size = _size(told)
        is_long = size > MAX_CHARACTERS
        find_client = self._find_client if is_long else self._lookup_client
        *kind_values, forwarded_for = told[-len(OTHERS) :]
        return Said(
            endpoint=endpoint,
            method=method,
            values=values,
            kind_values=tuple(kind_values),
            client=find_client(forwarded_for, peer),
            size=size,
        )

    def _find_client(self, forwarded_for: str | None, peer: str) -> IPAddress | None:
        return lookup_client(
            () if forwarded_for is None else (forwarded_for,),
            peer=ip_address(peer),
            trusted=self._trusted,
        )


def classify_said(method: str, values: _Values) -> RequestKind:
    """Return the kind of a request whose ``KIND_HEADERS`` have *values*."""
    named = zip(KIND_HEADERS, values, strict=True)
    said = {name.lower(): each for name, each in named if each is not None}
    return classify(method, PlainHeaders(said))


def _size(texts: Iterable[str | bytes | None]) -> int:
    return sum([len(each) for each in texts if each])
