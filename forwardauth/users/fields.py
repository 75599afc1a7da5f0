"""What the fields of a user may hold, for the file, the editor and the command line.

Law: every value that is accepted here can be sent in a header line as it is (after the
encoding of non-ASCII letters) and cannot be mistaken for two values or another name.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final
from unicodedata import category, normalize

from forwardauth.users.hashes import check_hash
from forwardauth.users.problems import RefusedValueError, quote

MAX_NAME_BYTES: Final = 255
MAX_VALUE_BYTES: Final = 512
MAX_GROUPS_BYTES: Final = 4096

KEYS: Final = ("disabled", "displayname", "password", "email", "groups")
"""What we read of a user, in the order in which it is written."""

FOREIGN_KEYS: Final = frozenset(
    {"given_name", "middle_name", "family_name", "nickname", "gender", "birthdate"}
    | {"website", "profile", "picture", "zoneinfo", "locale", "address", "extra"}
    | {"phone_number", "phone_extension"}
)
"""What Authelia 4.39 reads of a user beyond that; tolerated, so that files move."""

_BREAKS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, lone surrogates, line and paragraph separators."""

_INVISIBLE: Final = _BREAKS | {"Cf"}
"""Format characters too: they make two names that look the same."""

_TRUE: Final = frozenset({"true", "yes", "on", "y"})
_FALSE: Final = frozenset({"false", "no", "off", "n"})


def check_username(name: str) -> str:
    """Return *name* when a user can be called that.

    Raises:
        RefusedValueError: Empty, longer than 255 bytes, with space around it, a comma
            (which separates names in rules), a colon (which ends the name in HTTP
            Basic, RFC 7617 2), a character that cannot be seen, or letters that are not
            in their composed form.
    """
    shown = quote(name)
    if not name:
        raise RefusedValueError("the user name is empty", "write a name")
    _check_text(name, f"the user name {shown}", _INVISIBLE, MAX_NAME_BYTES)
    if "," in name or ":" in name:
        raise RefusedValueError(
            f"the user name {shown} holds a comma or a colon", "choose another name"
        )
    if normalize("NFC", name) != name:
        raise RefusedValueError(
            f"the user name {shown} is not in its composed form (NFC)",
            "type the name again; some programs split letters from their accents",
        )
    return name


def check_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Return *groups* when they can be sent as one list, separated by commas.

    Raises:
        RefusedValueError: A name that is empty or holds a comma or a character that
            cannot be seen; or all names together are longer than 4096 bytes.
    """
    for group in groups:
        _check_text(group, f"the group {quote(group)}", _INVISIBLE, MAX_NAME_BYTES)
        if not group or "," in group:
            raise RefusedValueError(
                f"the group {quote(group)} is empty or holds a comma",
                "write one group in each entry of the list",
            )
    size = len(",".join(groups).encode())
    if size > MAX_GROUPS_BYTES:
        raise RefusedValueError(
            f"the groups are {size} bytes long, more than {MAX_GROUPS_BYTES}",
            "leave out groups that no rule and no application asks for",
        )
    return tuple(groups)


def check_value(text: str, *, what: str) -> str:
    """Return *text* when it can be a display name or an email address.

    Raises:
        RefusedValueError: A line break or another control character, space around it,
            or longer than 512 bytes.
    """
    _check_text(text, what, _BREAKS, MAX_VALUE_BYTES)
    return text


def check_password_hash(text: str, *, username: str) -> str:
    """Return the hash in *text*, which ``users.hashes`` can verify.

    Raises:
        RefusedValueError: Empty, plain text, or a hash that is not read. No message
            holds *text*.
    """
    shown = quote(username)
    if not text:
        raise RefusedValueError(
            f"user {shown} has no password", f"run forwardauth users passwd {username}"
        )
    try:
        return check_hash(text)
    except ValueError as exc:
        raise RefusedValueError(
            f"the password of user {shown} {exc}",
            "run forwardauth users hash and put its output here"
            " (argon2id, bcrypt, PBKDF2 with SHA-256 or SHA-512, and $6$ are read)",
        ) from exc


def parse_flag(text: str, *, what: str) -> bool:
    """Return whether *text* says yes, as YAML 1.1 spells it.

    Raises:
        RefusedValueError: Neither yes nor no. A word that we do not know must not
            leave a user enabled.
    """
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise RefusedValueError(
            f"{what} is {quote(text)}, not yes or no", "write true or false"
        )
    return word in _TRUE


def nearest_of(key: str, known: Sequence[str]) -> str:
    """Return the sentence that helps whoever wrote *key*, which is not in *known*."""
    near = get_close_matches(key.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _check_text(text: str, what: str, refused: frozenset[str], max_bytes: int) -> None:
    # What Python calls printable holds none of these; most texts are just that.
    if not text.isprintable() and any(category(c) in refused for c in text):
        raise RefusedValueError(
            f"{what} holds a line break or another character that cannot be seen",
            "remove it",
        )
    if text.strip() != text:
        raise RefusedValueError(f"{what} has space around it", "remove the space")
    size = len(text.encode())
    if size > max_bytes:
        raise RefusedValueError(
            f"{what} is {size} bytes long, more than {max_bytes}", "shorten it"
        )
