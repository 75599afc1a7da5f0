"""Users, their file, and hashes that other programs made."""

from pathlib import Path
from typing import Final

from forwardauth.users.hashes import Hasher
from forwardauth.users.model import User
from forwardauth.users.stamps import stamp_of

CHEAP: Final = Hasher(time_cost=1, memory_kib=8, parallelism=1)
"""Writes real argon2id with the least that it allows, in a tenth of a millisecond."""

PASSWORD: Final = "correct horse"

ARGON2ID: Final = (
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA"
    "$t5QLzMlfSPLMezb1X/hRw1bKTTpryM1JhqBpLyqseOw"
)
"""A hash of ``PASSWORD`` by ``CHEAP``."""

QUICK_PASSWORD: Final = (
    "correct horse battery staple, and so on until there are"
    " more than seventy-two bytes"
)
QUICK_HASH: Final = "$2b$04$c2FsdHNhbHRzYWx0c2FsdOOoAq.HTpTdi16.f33123e820QKvjzKC"
"""Of ``QUICK_PASSWORD``, for tests that sign in: it is verified in a millisecond, and
stays. The first login would replace a weak argon2id by one that takes a hundred; of a
password that is longer than bcrypt looks at, no hash is replaced."""

BCRYPT: Final = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
"""Of ``U*U``, from the test vectors of crypt_blowfish."""

BCRYPT_OF_72: Final = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
"""Of ``LONG_PASSWORD``, from the same vectors: what is behind 72 bytes is ignored."""

LONG_PASSWORD: Final = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "chars after 72 are ignored"
)


def make_user(
    username: str = "alice",
    *,
    password_hash: str = ARGON2ID,
    disabled: bool = False,
    groups: tuple[str, ...] = (),
) -> User:
    """Return a user whose password is ``PASSWORD``."""
    return User(
        username=username,
        groups=groups,
        password_hash=password_hash,
        disabled=disabled,
        stamp=stamp_of(password_hash),
    )


def entry(username: str, password_hash: str = ARGON2ID, *more: str) -> str:
    """Return the lines of one user in the users file."""
    lines = [f"  {username}:", f'    password: "{password_hash}"']
    return "\n".join([*lines, *(f"    {line}" for line in more), ""])


def write_users(path: Path, *entries: str) -> Path:
    """Write a users file of *entries* to *path*, and return it."""
    path.write_text("users:\n" + "".join(entries))
    return path
