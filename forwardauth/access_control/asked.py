"""What a request asks for, read once for all rules, or not at all.

A path passes several programs before an application acts on it. Some decode it, some
merge slashes, resolve dots or drop parameters, and some do not. A rule that reads it
one way and an application that reads it another is how rules are walked past.

Law: a path has one reading or none. Read is what all of these leave as it is; the rest
is ambiguous, ``path`` is ``None`` then, and ``AccessControl.decide`` denies it wherever
a rule looks at paths. The same law holds for a query that is split in several ways.

Source: RFC 3986 6.2.2; CVE-2026-33494, CVE-2025-66490.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote_plus, unquote_to_bytes

from forwardauth.request import OriginalRequest

_UNAMBIGUOUS: Final = re.compile(
    r"""
    (?: /
        (?! \.{1,2} (?: / | \Z ) )       # a dot segment
        (?: [!"$&-.0-:<->@-\[\]-~]++     # printable, but / % ; ? # and the backslash
          | % (?! 2[EeFf] | 5[Cc] )      # an encoded dot, slash or backslash
              (?! 25 | 3[Bb] )           # something encoded twice, a parameter
              (?! 23 | 3[Ff] )           # an encoded # or ?
              (?! [01] | 7[Ff] )         # a control character
              [0-9A-Fa-f]{2}
        )++
    )*+ /?
    """,
    re.ASCII | re.VERBOSE,
)
_SIGNIFICANT: Final = frozenset("./\\%;?#")


class Asked:
    """An original request as rules look at it.

    Path and query are read when the first rule asks for them, each once.
    """

    __slots__ = ("_is_path_read", "_is_query_read", "_path", "_query", "original")

    def __init__(self, original: OriginalRequest) -> None:
        """Keep *original*."""
        self.original = original
        self._is_path_read = self._is_query_read = False
        self._path: str | None = None
        self._query: dict[str, tuple[str, ...]] | None = None

    @property
    def path(self) -> str | None:
        """The decoded path; ``None`` when it is ambiguous."""
        if not self._is_path_read:
            self._path = read_path(self.original.path)
            self._is_path_read = True
        return self._path

    @property
    def query(self) -> dict[str, tuple[str, ...]] | None:
        """The decoded values of each key, in order; ``None`` when it is ambiguous."""
        if not self._is_query_read:
            self._query = read_query(self.original.query or "")
            self._is_query_read = True
        return self._query


def read_path(raw: str) -> str | None:
    """Return *raw* decoded, or ``None`` when two programs could read it differently.

    Ambiguous are ``//``, dot segments, ``;`` and backslash, all of these encoded, an
    encoded dot, ``%``, ``?``, ``#`` or control character, a ``%`` that encodes nothing,
    invalid UTF-8, and characters that compatibility mapping turns into one of these
    (``U+FF0F`` looks like a slash, and for some programs becomes one).
    """
    if not raw.startswith("/") or not _UNAMBIGUOUS.fullmatch(raw):
        return None
    if "%" not in raw:
        return raw
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return None
    return path if path.isascii() or _is_plain(path) else None


def _is_plain(path: str) -> bool:
    """Whether no character beyond ASCII is a control or turns into a separator."""
    return not any(
        unicodedata.category(character) == "Cc"
        or not _SIGNIFICANT.isdisjoint(unicodedata.normalize("NFKC", character))
        for character in path
        if not character.isascii()
    )


def read_query(raw: str) -> dict[str, tuple[str, ...]] | None:
    """Return the values of each key of *raw*, or ``None`` when it is ambiguous.

    Ambiguous are ``;``, at which some programs split, and invalid UTF-8.

    Source: WHATWG URL 5.1, application/x-www-form-urlencoded parsing.
    """
    if ";" in raw:
        return None
    values: dict[str, list[str]] = {}
    try:
        for pair in filter(None, raw.split("&")):
            name, _, value = (
                unquote_plus(part, errors="strict") for part in pair.partition("=")
            )
            values.setdefault(name, []).append(value)
    except UnicodeDecodeError:
        return None
    return {name: tuple(found) for name, found in values.items()}
