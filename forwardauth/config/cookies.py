"""``cookies``: parent domains and their portals, and whether browsers will agree.

A cookie domain that a browser refuses is a login that never sticks; one that it shares
with strangers is a session given away. Both are found here, before the first request.
"""

import re
from typing import Final

import idna

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section
from forwardauth.config.suffixes import SHARED_NAMES, is_public_suffix
from forwardauth.domains import DEFAULT_PORTS, CookieDomain, Origin
from forwardauth.masking import mask_text

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)|.*[:\[\]].*", re.ASCII)
"""What browsers read as an address. Source: WHATWG URL 3.5, "ends in a number"."""

_PORTAL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/?#@:\\]+)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[^?#]*)?",
    re.ASCII | re.IGNORECASE,
)
_MAX_NAME: Final = 253
_MAX_PORT: Final = 65_535
_PORTAL_REMEDY: Final = "write an origin such as https://auth.example.com"


def read_domains(
    entries: tuple[Section, ...], *, base_path: str
) -> tuple[tuple[Section, CookieDomain], ...]:
    """Return each entry of ``cookies`` that holds, together with its section."""
    found: list[tuple[Section, CookieDomain]] = []
    names: list[tuple[Section, str]] = []
    for entry in entries:
        name = entry.optional("domain", parse_domain)
        portal = entry.optional("portal", lambda text: parse_portal(text, base_path))
        if name in SHARED_NAMES:
            entry.warn(
                "domain",
                f"hosts below {name} belong to whoever names them",
                "use a name below it that is yours",
            )
        if name is not None:
            names.append((entry, name))
        if name is None or portal is None:
            continue
        domain = CookieDomain(name=name, portal=portal, base_path=base_path)
        _check_portal(entry, domain)
        found.append((entry, domain))
    _check_nesting(names)
    return tuple(found)


def parse_domain(text: str) -> str:
    """Return *text* in lower case when a browser accepts cookies for it.

    Raises:
        RefusedValueError: An address, a single label such as ``localhost``, a public
            suffix, or no host name in ASCII.

    Source: RFC 6265bis 5.7, steps on the domain attribute; publicsuffix.org.
    """
    if text.startswith(".") or text.endswith("."):
        name = mask_text(text.strip("."))
        remedy = f"write {name}; its subdomains are included"
        raise RefusedValueError(f"{quote(text)} has a dot at its edge", remedy)
    name = text.lower()
    if _ADDRESS.fullmatch(name):
        raise RefusedValueError(
            f"{quote(text)} is an address, and cookies for an address reach one host",
            "write the domain name that your applications share",
        )
    if not text.isascii():
        raise RefusedValueError(f"{quote(text)} is not ASCII", _punycode_remedy(name))
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise RefusedValueError(
            f"{quote(text)} is not a domain name", "write it as example.com"
        )
    if "." not in name:
        raise RefusedValueError(
            f"{quote(text)} is a single label, for which browsers keep no cookie",
            f"write a name below it, such as example.{name}",
        )
    if is_public_suffix(name):
        raise RefusedValueError(
            f"{quote(text)} is a public suffix, which strangers share with you",
            "write the name that is registered to you, one label longer",
        )
    return name


def parse_portal(text: str, base_path: str) -> Origin:
    """Return *text* as an origin; it may repeat *base_path*, nothing else.

    Raises:
        RefusedValueError: Not a URL of http or https; userinfo, a query, a fragment or
            another path; or ``http`` off ``*.localhost``.
    """
    if "@" in text:
        raise RefusedValueError("holds userinfo", _PORTAL_REMEDY)
    if "?" in text or "#" in text:
        raise RefusedValueError("holds a query or fragment", _PORTAL_REMEDY)
    match = _PORTAL.fullmatch(text)
    host = match["host"].lower() if match else ""
    if match is None or not _NAME.fullmatch(host) or len(host) > _MAX_NAME:
        raise RefusedValueError(f"{quote(text)} is not an origin", _PORTAL_REMEDY)
    scheme, path = match["scheme"].lower(), match["path"] or ""
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if port > _MAX_PORT:
        raise RefusedValueError(f"port {port} does not exist", "write 1 to 65535")
    if path.removesuffix("/") not in {"", base_path}:
        raise RefusedValueError(
            f"holds the path {quote(path)}, which is not server.base_path",
            "leave the path out, or set server.base_path to it",
        )
    if scheme == "http" and not host.endswith(".localhost"):
        raise RefusedValueError(
            f"{quote(text)} is not https", "write https; only *.localhost may be http"
        )
    is_default = port == DEFAULT_PORTS[scheme]
    return Origin(scheme=scheme, host=host, port=None if is_default else port)


def _punycode_remedy(name: str) -> str:
    try:
        return f"write {idna.encode(name, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return "write it in letters, digits and hyphens"


def _check_portal(entry: Section, domain: CookieDomain) -> None:
    if not domain.covers(domain.portal.host):
        entry.refuse(
            "portal",
            f"{domain.portal.host} is not at or below {domain.name}, so browsers"
            " would drop its cookie",
            f"write a host such as auth.{domain.name}",
        )


def _check_nesting(names: list[tuple[Section, str]]) -> None:
    """Refuse each domain of which a host could be below an earlier one, too.

    The names alone count: an entry with a faulty portal nests all the same.
    """
    for index, (entry, name) in enumerate(names):
        earlier = list(dict.fromkeys(other for _, other in names[:index]))
        nested = [other for other in earlier if _are_nested(name, other)]
        if name in earlier:
            entry.refuse("domain", f"{name} is given twice", "keep one entry")
        elif nested:
            entry.refuse(
                "domain",
                f"{' and '.join([name, *nested])} are nested, so a host could belong"
                " to more than one",
                "keep the shortest name, which covers the others' hosts",
            )


def _are_nested(name: str, other: str) -> bool:
    return name.endswith(f".{other}") or other.endswith(f".{name}")
