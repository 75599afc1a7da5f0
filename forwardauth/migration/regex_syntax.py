r"""Regular expressions in Go's dialect, taken apart as far as reading them needs.

Go and RE2 share their syntax. What is seldom written in a rule (flags, ``\Q``) is not
taken apart: whoever asks then knows nothing about the expression.

Source: https://pkg.go.dev/regexp/syntax
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from forwardauth.access_control.regexes import Regex

_TOKEN: Final = re.compile(
    r"""
      (?P<open>    \( (?: \?: | \?P?<[A-Za-z_][A-Za-z0-9_]*> | (?!\?) ) )
    | (?P<close>   \) )
    | (?P<bar>     \| )
    | (?P<anchor>  [\^$] | \\[AzbB] )
    | (?P<repeat>  [*+?]\?? | \{[0-9]+(?:,[0-9]*)?\}\?? )
    | (?P<atom>    \\p\{\^?\w+\} | \\P\{\^?\w+\} | \\[pP]\w
                 | \\x\{[0-9A-Fa-f]+\} | \\x[0-9A-Fa-f]{2} | \\[^QEC0-9]
                 | \[\^?\]?(?: \[:\^?[a-z]+:\] | \\. | [^\]\\] )*\]
                 | [^\\()\[] )
    """,
    re.VERBOSE | re.DOTALL,
)


class OddExpressionError(ValueError):
    """The expression has something that is not taken apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One step of an expression.

    Attributes:
        text: As it is written, without its repetition.
        repeat: The repetition: ``*``, ``+?``, ``{2,3}``; empty for none.
        branches: The alternatives of a group; empty for anything else.
        is_anchor: Whether it matches a place and no character.
        is_in_path: Whether it is taken to match nothing of the query.
    """

    text: str
    repeat: str = ""
    branches: "tuple[Branch, ...]" = ()
    is_anchor: bool = False
    is_in_path: bool = False

    @property
    def whole(self) -> str:
        """The text with its repetition."""
        return self.text + self.repeat

    @property
    def is_optional(self) -> bool:
        """Whether it may match nothing."""
        return self.repeat[:1] in {"?", "*"} or self.repeat.startswith("{0")

    @property
    def is_anything(self) -> bool:
        """Whether it matches whatever follows, or nothing."""
        if self.branches:
            once = self.repeat in {"", "?"}
            return once and any(
                len(each) == 1 and each[0].is_anything for each in self.branches
            )
        return self.text == "." and self.repeat in {"*", "*?"}

    def can_match(self, character: str) -> bool:
        """Whether *character* can be among what it matches."""
        if self.is_in_path:
            return False
        if self.branches:
            return any(p.can_match(character) for each in self.branches for p in each)
        return not self.is_anchor and Regex(self.text).matches(character)

    @property
    def has_anchor(self) -> bool:
        """Whether it, or something in it, matches a place."""
        return self.is_anchor or any(p.has_anchor for b in self.branches for p in b)


Branch: TypeAlias = tuple[Piece, ...]


def parse_expression(text: str) -> tuple[Branch, ...]:
    """Return the alternatives of *text*, an expression that RE2 has compiled.

    Raises:
        OddExpressionError: It has something that is not taken apart.
    """
    reader = _Reader(text)
    branches = reader.read_branches()
    if reader.rest:
        raise OddExpressionError(text)
    return branches


def join(branch: Branch) -> str:
    """Return *branch* as it was written."""
    return "".join(piece.whole for piece in branch)


class _Reader:
    """Takes one token after another off the text."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def read_branches(self) -> tuple[Branch, ...]:
        branches: list[Branch] = []
        pieces: list[Piece] = []
        while self.rest and not self.rest.startswith(")"):
            match = self._next()
            kind, token = match.lastgroup, match[0]
            if kind == "bar":
                branches.append(tuple(pieces))
                pieces = []
            elif kind == "open":
                pieces.append(self._read_group(token))
            elif kind == "repeat":
                pieces[-1:] = [self._repeat(pieces, token)]
            else:
                pieces.append(Piece(text=token, is_anchor=kind == "anchor"))
        return (*branches, tuple(pieces))

    def _read_group(self, head: str) -> Piece:
        before = self.rest
        branches = self.read_branches()
        if not self.rest.startswith(")"):
            raise OddExpressionError(before)
        inner = before[: len(before) - len(self.rest)]
        self.rest = self.rest[1:]
        return Piece(text=f"{head}{inner})", branches=branches)

    def _repeat(self, pieces: list[Piece], token: str) -> Piece:
        if not pieces or pieces[-1].repeat or pieces[-1].is_anchor:
            raise OddExpressionError(token)
        last = pieces[-1]
        return Piece(text=last.text, repeat=token, branches=last.branches)

    def _next(self) -> re.Match[str]:
        match = _TOKEN.match(self.rest)
        if match is None:
            raise OddExpressionError(self.rest)
        self.rest = self.rest[match.end() :]
        return match
