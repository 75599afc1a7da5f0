"""Networks of clients, by address or by the names of ``access_control.networks``."""

import difflib
from dataclasses import dataclass, field
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Final

from forwardauth.access_control.criteria import Network, NetworkCriterion
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_EMPTY: Final = ("names no network", "write networks such as 10.0.0.0/8")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkNames:
    """What the names of networks stand for."""

    by_name: dict[str, tuple[Network, ...]] = field(default_factory=dict)

    def parse(self, text: str) -> tuple[str, tuple[Network, ...]]:
        """Return *text* and the networks that it means: a name, or one of its own.

        Raises:
            RefusedValueError: No name that is defined and no network.
        """
        if text in self.by_name:
            return text, self.by_name[text]
        if _looks_like_name(text):
            near = difflib.get_close_matches(text, self.by_name, n=1)
            raise RefusedValueError(
                f"{quote(text)} is no network that access_control.networks defines",
                f"did you mean {quote(near[0])}?" if near else "define it there",
            )
        return text, (parse_client_network(text),)


def read_network_names(section: Section) -> NetworkNames:
    """Return the entries of ``access_control.networks``."""
    names: dict[str, tuple[Network, ...]] = {}
    for entry in section.entries("networks"):
        name = entry.optional("name", _parse_name)
        networks = entry.texts("networks", parse_client_network)
        if not networks and entry.is_sound("networks"):
            entry.refuse("networks", *_EMPTY)
        if name in names:
            entry.refuse("name", "is defined twice", "keep one of the two")
        if name is not None:
            names[name] = networks
    return NetworkNames(by_name=names)


def read_networks(entry: Section, names: NetworkNames) -> NetworkCriterion | None:
    """Return the criterion ``networks`` of a rule; ``None`` when it has none."""
    found = entry.texts("networks", names.parse)
    if not found:
        if entry.is_written("networks") and entry.is_sound("networks"):
            entry.refuse("networks", *_EMPTY)
        return None
    return NetworkCriterion(
        networks=tuple(network for _, each in found for network in each),
        names=tuple(text for text, _ in found),
    )


def parse_client_network(text: str) -> Network:
    """Return *text* as a network of clients; a single address is one of its own.

    Raises:
        RefusedValueError: No network, bits set beyond the prefix, or IPv4 written as
            IPv6, which no client's address is.
    """
    try:
        network = ip_network(text, strict=False)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(text)} is not a network", "write it as 10.0.0.0/8 or 192.0.2.7"
        ) from exc
    if ip_address(text.partition("/")[0]) != network.network_address:
        raise RefusedValueError(
            f"{quote(text)} has bits set beyond its prefix", f"write {network}"
        )
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise RefusedValueError(
            f"{network} is IPv4 written as IPv6", "write the IPv4 network itself"
        )
    return network


def _parse_name(text: str) -> str:
    if not _looks_like_name(text):
        raise RefusedValueError(
            f"{quote(text)} reads like an address", "write a name such as internal"
        )
    return text


def _looks_like_name(text: str) -> bool:
    """Whether *text* is meant as a name: a letter, and nothing that addresses have."""
    return text[:1].isalpha() and not {":", "/"} & set(text)
