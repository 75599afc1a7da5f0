"""The text of a redirect target: read into its parts, or refused with a reason.

Browsers, ``urllib`` and ``yarl`` disagree about a great many URLs, and every one of
these disagreements has been an open redirect somewhere. So the grammar here is not a
URL parser: it describes the small set of URLs that all of them read alike.

Law: the grammar alone admits. Naming what is wrong with a text happens after it has
been refused, so a mistake there can give a wrong name but never a wrong answer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import idna

from forwardauth.domains import DEFAULT_PORTS
from forwardauth.errors import UnsafeTargetError

MAX_TARGET_CHARACTERS: Final = 2048
"""The longest target that is read; browsers, proxies and caches carry this much."""

_MAX_HOST_CHARACTERS: Final = 253
_MAX_PORT: Final = 65535


class RefusalReason(StrEnum):
    """Why a target, or an entry of ``logout.allowed_targets``, was refused.

    The values are stable: logs and metrics count them.
    """

    DUPLICATE = "duplicate"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    SPACE = "space"
    NOT_ASCII = "not_ascii"
    BACKSLASH = "backslash"
    RELATIVE = "relative"
    SCHEME_NOT_ALLOWED = "scheme_not_allowed"
    SLASHES_MISSING = "slashes_missing"
    USERINFO = "userinfo"
    HOST_MISSING = "host_missing"
    HOST_TRAILING_DOT = "host_trailing_dot"
    HOST_ADDRESS = "host_address"
    HOST_MALFORMED = "host_malformed"
    HOST_WITHOUT_DOT = "host_without_dot"
    HOST_IDNA = "host_idna"
    PORT_MALFORMED = "port_malformed"
    HOST_NOT_ALLOWED = "host_not_allowed"
    PORT_NOT_ALLOWED = "port_not_allowed"
    PATH_NOT_ALLOWED = "path_not_allowed"
    PATH_AMBIGUOUS = "path_ambiguous"
    LOOP = "loop"
    LOOP_POSSIBLE = "loop_possible"
    ENTRY_MALFORMED = "entry_malformed"
    ENTRY_ANY = "entry_any"
    ENTRY_USERINFO = "entry_userinfo"
    ENTRY_WILDCARD = "entry_wildcard"
    ENTRY_QUERY = "entry_query"
    ENTRY_PATH_DOTS = "entry_path_dots"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUrl:
    """The parts of a target that are compared. The text itself is what is sent.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower case, letters, digits, hyphens and at least one dot.
        port: ``None`` for the scheme's default port, never that port itself.
        path: Raw and percent-encoded, empty or starting with ``/``.
    """

    scheme: str
    host: str
    port: int | None
    path: str


_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LAST_LABEL: Final = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_END: Final = r"(?:[:/?#]|\Z)"

_TEXT: Final = re.compile(r"[!-\[\]-~]+")

# re.ASCII matters: without it, re.IGNORECASE lets U+212A and U+017F pass for k and s.
_TARGET: Final = re.compile(
    rf"(?P<scheme>https?)://"
    rf"(?P<host>(?:{_LABEL}\.)+{_LAST_LABEL})"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[!-\"$->@-\[\]-~]*)?"
    r"(?:[?#][!-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)
"""Printable ASCII without backslash and space, in the shape of an absolute URL.

The last label starts with a letter because a browser takes a host whose last label is
a number, decimal or hexadecimal, for an IPv4 address (WHATWG URL 3.5).
"""

_Faults = tuple[tuple[RefusalReason, re.Pattern[str], str], ...]


def _faults(*rows: tuple[RefusalReason, str, str]) -> _Faults:
    flags = re.ASCII | re.IGNORECASE
    return tuple(
        (reason, re.compile(text, flags), detail) for reason, text, detail in rows
    )


# The first pattern that is found names the fault. Each may rely on those before it.
_TEXT_FAULTS: Final = _faults(
    (RefusalReason.CONTROL_CHARACTER, r"[\x00-\x1f\x7f]", "holds a control character"),
    (RefusalReason.SPACE, r" ", "holds a space"),
    (RefusalReason.BACKSLASH, r"\\", "holds a backslash, which browsers read as /"),
    (RefusalReason.NOT_ASCII, r"", "is not ASCII; hosts need xn--, paths need %"),
)
_FORM_FAULTS: Final = _faults(
    (
        RefusalReason.RELATIVE,
        r"\A(?![a-z][a-z0-9+.-]*:)",
        "does not start with https://",
    ),
    (RefusalReason.SCHEME_NOT_ALLOWED, r"\A(?!https?:)", "is neither https nor http"),
    (RefusalReason.SLASHES_MISSING, r"\Ahttps?:(?!//)", "has no // behind the scheme"),
    (RefusalReason.USERINFO, r"\A[^/]*//[^/?#]*@", "has user information"),
    (RefusalReason.HOST_MISSING, rf"\A[^/]*//{_END}", "has no host"),
    (
        RefusalReason.HOST_ADDRESS,
        r"\A[^/]*//[^/?#]*[\[\]]",
        "has an address as its host",
    ),
    (
        RefusalReason.HOST_TRAILING_DOT,
        rf"\A[^/]*//[^/?#:]*\.{_END}",
        "has a host that ends with a dot",
    ),
    (
        RefusalReason.HOST_MALFORMED,
        rf"\A[^/]*//(?!{_LABEL}(?:\.{_LABEL})*{_END})",
        "has a host that is not made of letters, digits, hyphens and dots",
    ),
    (
        RefusalReason.HOST_ADDRESS,
        rf"\A[^/]*//(?:[^/?#:]*\.)?[0-9][^./?#:]*{_END}",
        "has a host whose last label is a number, as in an IP address",
    ),
    (
        RefusalReason.HOST_WITHOUT_DOT,
        rf"\A[^/]*//[^./?#:]*{_END}",
        "has a host without dot",
    ),
    # Whatever is left has a sound host, and what follows it is no port.
    (RefusalReason.PORT_MALFORMED, r"", "has a malformed port"),
)


def check_text(raw: str) -> str:
    """Return *raw* when it is 1 to 2048 printable ASCII characters, no backslash.

    Args:
        raw: Any text, of any length; of a longer one not a character is looked at.

    Raises:
        UnsafeTargetError: It is not; *reason* says in which way.
    """
    if not raw:
        raise UnsafeTargetError(RefusalReason.EMPTY, "is empty")
    if len(raw) > MAX_TARGET_CHARACTERS:
        raise UnsafeTargetError(
            RefusalReason.TOO_LONG, f"is longer than {MAX_TARGET_CHARACTERS} characters"
        )
    if not _TEXT.fullmatch(raw):
        raise _name_fault(raw, _TEXT_FAULTS)
    return raw


def parse_target_url(raw: str) -> TargetUrl:
    """Return the parts of *raw* when every parser reads the same parts.

    Args:
        raw: As received: it is not decoded again. Checked by ``check_text`` first.

    Raises:
        UnsafeTargetError: *raw* is outside the grammar; *reason* says in which way.

    Source: WHATWG URL 4.4, RFC 3986 3, RFC 5890 2.3.1, UTS 46.
    """
    match = _TARGET.fullmatch(check_text(raw))
    if match is None:
        raise _name_fault(raw, _FORM_FAULTS)
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if len(host) > _MAX_HOST_CHARACTERS:
        raise UnsafeTargetError(
            RefusalReason.HOST_MALFORMED,
            f"has a host longer than {_MAX_HOST_CHARACTERS} characters",
        )
    port = int(match["port"]) if match["port"] else None
    if port is not None and port > _MAX_PORT:
        raise UnsafeTargetError(
            RefusalReason.PORT_MALFORMED, f"has a port above {_MAX_PORT}"
        )
    _check_idna(host)
    return TargetUrl(
        scheme=scheme,
        host=host,
        port=None if port == DEFAULT_PORTS[scheme] else port,
        path=match["path"] or "",
    )


def ascii_host(host: str) -> str:
    """Return *host* with its Unicode labels as ``xn--`` labels.

    For names that the operator typed; a target that arrives is never converted.

    Raises:
        ValueError: *host* cannot be a domain name.

    Source: UTS 46, non-transitional, as browsers do it: ``faß.de`` is not ``fass.de``.
    """
    return idna.encode(host, uts46=True).decode("ascii")


def _check_idna(host: str) -> None:
    # ada-url alone accepts xn--a, which no other parser can read back, and several
    # spellings of one name would compare as different hosts.
    for label in host.split("."):
        if label.startswith("xn--") and not _survives_idna(label):
            raise UnsafeTargetError(
                RefusalReason.HOST_IDNA,
                "has an xn-- label that does not survive a round trip",
            )


def _survives_idna(label: str) -> bool:
    try:
        return ascii_host(idna.decode(label)) == label
    except ValueError:  # idna raises its own errors and UnicodeError: both are these.
        return False


def _name_fault(raw: str, faults: _Faults) -> UnsafeTargetError:
    reason, detail = next(
        (reason, detail) for reason, pattern, detail in faults if pattern.search(raw)
    )
    return UnsafeTargetError(reason, detail)
