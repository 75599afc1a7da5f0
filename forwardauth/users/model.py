"""A user, as the users file describes one, and how names are compared."""

from dataclasses import dataclass, field
from typing import Final
from unicodedata import normalize

_MAX_CHARACTERS: Final = 512
"""More than any spelling of a name in the users file has, which is at most 255 bytes:
of no character do two bytes fold into more than three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One entry of the users file.

    Attributes:
        username: As it is spelled in the file; what sessions and headers carry.
        display_name: For people; empty when the file has none.
        email: Empty when the file has none.
        groups: In the order of the file.
        password_hash: In one of the forms of ``users.hashes``.
        disabled: Whether the user may not sign in and has no live session.
        stamp: ``stamp_of(password_hash)``, computed once when the file is read.
    """

    username: str
    display_name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()
    password_hash: str = field(repr=False)
    disabled: bool = False
    stamp: str


def canonical_name(name: str) -> str:
    """Return the form in which two spellings of one user name are equal.

    Upper and lower case, composed and decomposed letters, and space around the name
    make no difference: a phone types them as it likes. The users file may not hold two
    names with one canonical form, so that nobody is found under another's name, and a
    guesser gains nothing by spelling a name in several ways.

    Of what cannot be a name only the beginning counts: to normalise a text can take the
    square of its length, and anybody may send one of 64 KiB.

    Source: Unicode 16, 3.13.5 (canonical caseless matching).
    """
    typed = name.strip()[:_MAX_CHARACTERS]
    return normalize("NFC", normalize("NFC", typed).casefold())
