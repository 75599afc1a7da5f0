"""The criteria of a rule about what is asked for, beyond the host.

Law: what cannot be told counts against the request. A criterion answers ``UNKNOWN``
rather than guess, and the rule decides what that means: a ``deny`` rule applies, one
that asks for a sign-in lets nobody by, a ``bypass`` rule is passed over.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Protocol, TypeAlias

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.regexes import Regex

Network: TypeAlias = IPv4Network | IPv6Network


class Match(StrEnum):
    """What a criterion says about a request."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Criterion(Protocol):
    """One thing that a rule compares; prints as it is explained."""

    def check(self, asked: Asked) -> Match:
        """Return whether *asked* is meant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCriterion:
    """The method, exactly: ``GET`` is not ``HEAD``."""

    methods: frozenset[str]

    def check(self, asked: Asked) -> Match:
        """Return whether the method is one of *methods*."""
        return Match.YES if asked.original.method in self.methods else Match.NO

    def covers(self, other: "MethodCriterion") -> bool:
        """Whether it matches whatever *other* does."""
        return self.methods >= other.methods

    def __str__(self) -> str:
        """Return the methods."""
        return ", ".join(sorted(self.methods))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCriterion:
    """The decoded path, never the query.

    Attributes:
        prefixes: Decoded paths without a final slash, which match themselves and all
            that stands below them, segment by segment; empty for every path.
        regexes: Match the whole path. Any prefix or expression will do.
    """

    prefixes: tuple[str, ...] = ()
    regexes: tuple[Regex, ...] = ()
    _beginnings: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Spell how a path below a prefix begins, for one look at all of them."""
        beginnings = tuple(prefix + "/" for prefix in self.prefixes)
        object.__setattr__(self, "_beginnings", beginnings)

    def check(self, asked: Asked) -> Match:
        """Return whether the path is meant; ``UNKNOWN`` for an ambiguous one."""
        path = asked.path
        if path is None:
            return Match.UNKNOWN
        if path in self.prefixes or path.startswith(self._beginnings):
            return Match.YES
        for regex in self.regexes:
            if regex.matches(path):
                return Match.YES
        return Match.NO

    def covers(self, other: "PathCriterion") -> bool:
        """Whether it matches whatever *other* does, as far as can be told."""
        if "" in self.prefixes:
            return True
        for theirs in other.prefixes:
            if not any(_is_below(theirs, mine) for mine in self.prefixes):
                return False
        return set(self.regexes) >= set(other.regexes)

    def __str__(self) -> str:
        """Return prefixes and expressions as they are written."""
        return ", ".join([*(p or "/" for p in self.prefixes), *map(str, self.regexes)])


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCriterion:
    """The address of the client.

    Attributes:
        networks: Any of them has to hold the address.
        names: How they were written, for explanations.
    """

    networks: tuple[Network, ...]
    names: tuple[str, ...]
    _ranges: dict[int, tuple[tuple[int, int], ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Put the networks as mask and address, by version, as they are compared."""
        ranges: dict[int, tuple[tuple[int, int], ...]] = {4: (), 6: ()}
        for each in self.networks:
            numbers = int(each.netmask), int(each.network_address)
            ranges[each.version] += (numbers,)
        object.__setattr__(self, "_ranges", ranges)

    def check(self, asked: Asked) -> Match:
        """Return whether the address is meant; ``UNKNOWN`` when nobody vouches for it.

        Source: CVE-2024-47070, an unreadable address that walked past a rule.
        """
        client = asked.original.client
        if client is None:
            return Match.UNKNOWN
        if isinstance(client, IPv6Address) and client.ipv4_mapped is not None:
            client = client.ipv4_mapped
        number = int(client)
        for mask, address in self._ranges[client.version]:
            if number & mask == address:
                return Match.YES
        return Match.NO

    def covers(self, other: "NetworkCriterion") -> bool:
        """Whether each network of *other* lies within one of these."""
        return all(
            any(_is_within(theirs, mine) for mine in self.networks)
            for theirs in other.networks
        )

    def __str__(self) -> str:
        """Return the networks as they are written."""
        return ", ".join(self.names)


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)
