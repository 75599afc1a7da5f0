"""The path of a redirect target, as the programs behind a browser may read it.

A browser resolves dot segments before it asks. After that, every proxy and application
on the way decodes, merges slashes and drops parameters as it likes, or does not.

Law: what one of them could read differently counts as read in the worse way.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from forwardauth.errors import UnsafeTargetError
from forwardauth.target_url import RefusalReason

_MAX_DECODINGS: Final = 3

_PLAIN_PATH: Final = re.compile(
    r"""
    (?: /
        (?! \.{1,2} (?: [;/] | \Z ) )      # a dot segment, as Tomcat reads it too: ..;
        (?: [^/%]
          | % (?! 2e | 2f | 5c )           # an encoded dot, slash or backslash
              (?! [01] | 7f )              # an encoded control character
              (?! c[01] | e0%[89] | f0%8 ) # an overlong form in UTF-8, of a dot say
              (?! 25[0-9a-f%] )            # something that is encoded twice
              [0-9a-f]{2}
        )++
    )*+ /?
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f]")
_SEPARATOR: Final = re.compile(r"[/\\]")
_TAIL: Final = re.compile(r"[?#\x00].*", re.DOTALL)
_PARENT: Final = re.compile(r"(?:\A|[/\\])\.\.(?:[;/\\]|\Z)")

# Source: WHATWG URL 4.1, single-dot and double-dot URL path segments.
_HERE: Final = frozenset({".", "%2e"})
_UP: Final = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})


def is_plain_path(path: str) -> bool:
    """Whether every server reads *path*, raw, as the same list of names.

    Not plain are dot segments, ``//``, encoded dots, slashes, backslashes and control
    characters, double encoding, overlong UTF-8 and a ``%`` that encodes nothing: with
    any of these ``/shop/..%2fadmin`` and its kin leave the prefix they start with.
    """
    return _PLAIN_PATH.fullmatch(path) is not None


def plain_name(path: str) -> str:
    """Return *path* without what a server may overlook.

    Repeated and final slashes, parameters behind ``;``, whatever follows a decoded
    ``?``, ``#`` or NUL, invisible characters and the case of letters.
    """
    segments = _SEPARATOR.split(_TAIL.sub("", path))
    names = (_INVISIBLE.sub("", each.partition(";")[0]).casefold() for each in segments)
    return "/" + "/".join(name for name in names if name not in ("", "."))


def plain_names(path: str) -> Iterator[str]:
    """Yield the plain names of *path*, raw: as it is, decoded once, twice, and so on.

    Raises:
        UnsafeTargetError: ``loop_possible``. A ``..`` that the browser does not resolve
            is left for a server to resolve, or the path is encoded more than three
            times over: then it could be any path.
    """
    path = _resolve_dots(path)
    for _ in range(_MAX_DECODINGS + 1):
        if _PARENT.search(_INVISIBLE.sub("", path)):
            raise UnsafeTargetError(
                RefusalReason.LOOP_POSSIBLE, "has an encoded .. in its path"
            )
        yield plain_name(path)
        # For some servers a parameter ends the segment, for others the whole path.
        yield plain_name(path.partition(";")[0])
        decoded = unquote(path)
        if decoded == path:
            return
        path = decoded
    raise UnsafeTargetError(
        RefusalReason.LOOP_POSSIBLE,
        f"has a path that is percent-encoded more than {_MAX_DECODINGS} times over",
    )


def _resolve_dots(path: str) -> str:
    """Resolve dot segments as browsers do: ``//`` is an empty name, not nothing."""
    names: list[str] = []
    for name in path.removeprefix("/").split("/"):
        if name.lower() in _UP:
            del names[-1:]
        elif name.lower() not in _HERE:
            names.append(name)
    return "/" + "/".join(names)
