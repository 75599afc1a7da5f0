"""``cookies`` and ``server.listen`` as they are written, whatever the source."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from forwardauth.config.cookies import parse_domain, parse_portal
from forwardauth.config.problems import RefusedValueError
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.errors import UnsafeTargetError
from forwardauth.migration.choices import Choices
from forwardauth.migration.yaml_text import Entry, Mapping, Value
from forwardauth.redirects import TargetPolicy, check_target

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One entry of ``cookies``.

    Attributes:
        domain: The parent domain.
        url: Where people sign in.
        default_target: Where a login ends that came from nowhere.
        note: Which key of the source it is from.
    """

    domain: str
    url: str
    default_target: str | None = None
    note: str

    def entries(self) -> Mapping:
        """Return the keys that are written."""
        keys = [
            Entry(name="domain", value=self.domain, notes=(self.note,)),
            Entry(name="portal", value=self.url),
        ]
        if self.default_target is not None:
            keys.append(Entry(name="default_target", value=self.default_target))
        return tuple(keys)


def write_portals(portals: Iterable[Portal]) -> Entry:
    """Return the key ``cookies``."""
    values: list[Value] = [portal.entries() for portal in portals]
    return Entry(name="cookies", value=values)


def is_target(url: str, portals: Iterable[Portal], *, base_path: str) -> bool:
    """Whether a login may end at *url*; a portal that is refused counts for none."""
    found: list[CookieDomain] = []
    for portal in portals:
        try:
            name = parse_domain(portal.domain)
            origin = parse_portal(portal.url, base_path)
        except RefusedValueError:
            continue
        found.append(CookieDomain(name=name, portal=origin, base_path=base_path))
    domains = CookieDomains(entries=tuple(found))
    policy = TargetPolicy(domains=domains, allowed=(), logout_paths=("/logout",))
    try:
        check_target(url, policy)
    except UnsafeTargetError:
        return False
    return True


def write_listener(
    host: str, port: str, choices: Choices
) -> tuple[tuple[Entry, ...], str | None]:
    """Return the keys of ``server`` for a listener, and a remark for the report.

    Args:
        host: As the source has it; empty for every address.
        port: Its port.
        choices: Whether it is known who may connect.
    """
    trusted: list[Value] = list(choices.trusted_proxies)
    where = host or "0.0.0.0"  # noqa: S104 - what the source says
    remark = None
    if not trusted and where != LOOPBACK:
        remark = (
            f"listens on {LOOPBACK} alone, since nobody has said where the proxies are:"
            " give --trusted-proxy NETWORK for another address"
        )
        where = LOOPBACK
    shown = f"[{where}]" if ":" in where else where
    keys = [Entry(name="listen", value=f"{shown}:{port}")]
    if trusted:
        keys.append(Entry(name="trusted_proxies", value=trusted))
    return tuple(keys), remark
