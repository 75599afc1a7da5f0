"""Networks of Authelia, by address and by name.

Names stand in ``definitions.network`` since 4.39 and in ``access_control.networks``
before; both are read.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from forwardauth.config.tree import Node, Table
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.report import Fate
from forwardauth.migration.yaml_text import Entry, Value

_OLD: Final = "access_control.networks"
_NEW: Final = "definitions.network"
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_MAPPED_BITS: Final = 96


def read_names(source: Source) -> dict[str, tuple[str, ...]]:
    """Return the networks that each name stands for."""
    names: dict[str, tuple[str, ...]] = {}
    for item in source.items(source.lookup(_OLD)):
        if not isinstance(item, Table):
            source.refuse(item, "must hold keys", "write name and networks")
            continue
        name = item.entries.get("name")
        text = None if name is None else source.text_of(name)
        if text is None:
            source.refuse(item, "has no name", "add it")
            continue
        names[text] = _read_all(source, item.entries.get("networks"))
    table = source.lookup(_NEW)
    if isinstance(table, Table):
        for text, node in table.entries.items():
            names[text] = _read_all(source, node)
    for key in (_OLD, _NEW):
        if source.lookup(key) is not None:
            source.tell(Fate.TAKEN, key, _OLD)
    return names


def write_names(names: Mapping[str, tuple[str, ...]]) -> tuple[Entry, ...]:
    """Return the key ``networks`` of ``access_control``; nothing without names."""
    values: list[Value] = [
        (
            Entry(name="name", value=name),
            Entry(name="networks", value=list(networks)),
        )
        for name, networks in names.items()
        if is_name(name) and networks
    ]
    return (Entry(name="networks", value=values),) if values else ()


def read_networks(
    source: Source, node: Node | None, names: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the networks of one rule as they are written here."""
    found: list[str] = []
    for text, item in source.texts(source.items(node)):
        if text in names:
            # A name that reads like an address here is written out.
            found += [text] if is_name(text) and names[text] else names[text]
            continue
        network = _parse(text)
        if network is None:
            reason = "is neither a network nor the name of one"
            source.refuse(item, reason, "correct it, or define it")
            continue
        found.append(network)
    if not found and source.items(node):
        source.refuse(source.items(node)[0], "names no network", "correct it")
    return tuple(dict.fromkeys(found))


def is_name(text: str) -> bool:
    """Whether *text* can name networks here: it has nothing that addresses have."""
    return text[:1].isalpha() and not {":", "/"} & set(text)


def _read_all(source: Source, node: Node | None) -> tuple[str, ...]:
    return read_networks(source, node, {})


def _parse(text: str) -> str | None:
    """Return *text* without the bits beyond its prefix, and IPv4 as IPv4."""
    try:
        network: IPv4Network | IPv6Network = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        address = network.network_address.ipv4_mapped
        network = IPv4Network((str(address), network.prefixlen - _MAPPED_BITS))
    is_single = network.num_addresses == 1
    return str(network.network_address) if is_single else str(network)
