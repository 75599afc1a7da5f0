"""``server``: where to listen, below which path, and which proxies to believe."""

import re
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import Final

from forwardauth.config.addresses import (
    Address,
    Network,
    is_everything,
    parse_address,
    parse_network,
)
from forwardauth.config.durations import parse_duration
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import ServerSettings
from forwardauth.config.section import Section
from forwardauth.processors import count_processors

_BASE_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
_WORKERS: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_AUTO: Final = "auto"
_LONGEST_DRAIN: Final = timedelta(hours=1)
_SWITCH: Final = {"on": True, "off": False}


def read_server(section: Section) -> ServerSettings:
    """Return the settings of ``server``, noting what is wrong with them."""
    parse = partial(parse_address, folder=section.folder("listen"))
    listen = section.texts("listen", parse)
    parse = partial(parse_address, folder=section.folder("management"))
    management = section.optional("management", parse)
    trusted_proxies = section.texts("trusted_proxies", parse_network)
    if section.is_sound("listen"):
        _check_listeners(section, listen, management)
    if section.is_sound("listen", "trusted_proxies"):
        _check_trust(section, listen, trusted_proxies)
    return ServerSettings(
        listen=listen,
        base_path=section.text("base_path", parse_base_path),
        trusted_proxies=trusted_proxies,
        workers=section.text("workers", parse_workers),
        drain=section.text("drain", parse_drain),
        management=management,
        short_way=section.text("short_way", parse_short_way),
    )


def parse_base_path(text: str) -> str:
    """Return *text* without its final ``/``: empty for ``/``.

    Raises:
        RefusedValueError: Does not start with ``/``, ends with one, or holds a segment
            that a proxy might read differently.
    """
    if text == "/":
        return ""
    if not _BASE_PATH.fullmatch(text):
        raise RefusedValueError(
            f"{quote(text)} is not a base path",
            "write / or a path such as /authenticate, without a slash at its end",
        )
    return text


def parse_workers(text: str) -> int:
    """Return the number of processes; ``auto`` is one for each processor."""
    if text == _AUTO:
        return count_processors()
    if not _WORKERS.fullmatch(text):
        raise RefusedValueError(
            f"{quote(text)} is not a number of processes",
            "write a number from 1 to 999, or auto",
        )
    return int(text)


def parse_drain(text: str) -> timedelta:
    """Return *text* as a span between a second and an hour.

    Raises:
        RefusedValueError: No duration, or one for which no manager of services waits.
    """
    span = parse_duration(text)
    if span > _LONGEST_DRAIN:
        reason = f"{quote(text)} is longer than an hour"
        raise RefusedValueError(reason, "write 1h or less, such as 10s")
    return span


def parse_short_way(text: str) -> bool:
    """Return whether *text* switches the short way of verify on.

    Raises:
        RefusedValueError: Neither ``on`` nor ``off``.
    """
    if text not in _SWITCH:
        raise RefusedValueError(
            f"{quote(text)} is neither on nor off", "write on or off"
        )
    return _SWITCH[text]


def _check_listeners(
    section: Section, listen: tuple[Address, ...], management: Address | None
) -> None:
    if not listen:
        section.refuse("listen", "names no address", "write 127.0.0.1:9091")
    for first, second in combinations(listen, 2):
        if first.collides(second):
            section.refuse(
                "listen", f"{first} and {second} collide", "keep one of the two"
            )
    for address in listen:
        if management is not None and address.collides(management):
            section.refuse(
                "management",
                f"{management} collides with server.listen {address}",
                "choose another port, or null for no management listener",
            )


def _check_trust(
    section: Section, listen: tuple[Address, ...], trusted: tuple[Network, ...]
) -> None:
    """Refuse settings under which nobody, or everybody, may name the client."""
    remedy = "write the networks that your proxies connect from"
    if is_everything(trusted):
        section.refuse(
            "trusted_proxies", "together these are all the addresses there are", remedy
        )
    if trusted or not listen:
        return
    exposed = [address for address in listen if not address.is_loopback]
    if exposed:
        section.refuse(
            "trusted_proxies",
            f"is empty although {exposed[0]} can be reached from other machines",
            remedy,
        )
    else:
        section.warn(
            "trusted_proxies", "is empty, so every verify request is refused", remedy
        )
