"""Forms of password hashes: argon2id is written, three older families are read.

The one home of argon2-cffi, and of libpass, which reads what other programs wrote:
Authelia's files above all, but also ``htpasswd -B`` and ``mkpasswd``.

Laws: what ``check_hash`` accepts can be verified; a users file with anything else is
refused when it is read, not when its user signs in. Neither library is imported before
the first hash is made or verified: reading the file at a start needs none of them.
"""

import binascii
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from forwardauth.users.stamps import stamp_of, successor_salt

if TYPE_CHECKING:
    from argon2 import PasswordHasher

BCRYPT_BYTES: Final = 72
"""What bcrypt looks at; the rest of a longer password has no effect."""

_MARKER: Final = "{CRYPT}"
"""Authelia before 4.38 wrote it in front of every hash; it says nothing."""

_ARGON2ID: Final = "argon2id"
_BCRYPT: Final = "bcrypt"
_ARGON2_VERSION: Final = 19
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_KIB_PER_LANE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One family: *pattern* has a group ``cost``, *reader* names its libpass handler.

    Without one it is read by argon2-cffi. Implementations in C stop at a NUL, so that a
    password would be checked only up to there. Such a password is refused for these
    families.
    """

    name: str
    prefix: str
    pattern: re.Pattern[str]
    reader: str | None = None
    stops_at_nul: bool = False


_FORMS: Final = (
    _Form(
        name="argon2",
        prefix="$argon2",
        pattern=re.compile(
            r"\$(?P<cost>argon2(?:id|i|d)\$v=19\$"
            r"m=(?P<kib>[1-9][0-9]{0,8}),t=[1-9][0-9]{0,8},p=(?P<lanes>[1-9][0-9]{0,5}))"
            r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<hash>[A-Za-z0-9+/]{16,86})"
        ),
    ),
    _Form(
        name="bcrypt",
        prefix="$2",
        # The last characters of salt and digest carry two and four bits.
        pattern=re.compile(
            r"\$2[aby]\$(?P<cost>0[4-9]|[12][0-9]|3[01])\$"
            r"[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
        ),
        reader=_BCRYPT,
        stops_at_nul=True,
    ),
    _Form(
        name="PBKDF2",
        prefix="$pbkdf2-sha256$",
        pattern=re.compile(
            r"\$(?P<cost>pbkdf2-sha256\$[1-9][0-9]{0,8})"
            r"\$(?P<salt>[./A-Za-z0-9]{2,340})\$[./A-Za-z0-9]{43}"
        ),
        reader="pbkdf2_sha256",
    ),
    _Form(
        name="PBKDF2",
        prefix="$pbkdf2-sha512$",
        pattern=re.compile(
            r"\$(?P<cost>pbkdf2-sha512\$[1-9][0-9]{0,8})"
            r"\$(?P<salt>[./A-Za-z0-9]{2,340})\$[./A-Za-z0-9]{86}"
        ),
        reader="pbkdf2_sha512",
    ),
    _Form(
        name="sha512-crypt",
        prefix="$6$",
        pattern=re.compile(
            r"\$(?P<cost>6\$(?:rounds=[1-9][0-9]{3,8}\$)?)"
            r"[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}"
        ),
        reader="sha512_crypt",
        stops_at_nul=True,
    ),
)


def check_hash(text: str) -> str:
    """Return the hash in *text*, without Authelia's old marker, when we can verify it.

    Raises:
        ValueError: Plain text, a family that is not read, or one that is read with a
            mistake in it. The message says which and never holds *text*.
    """
    bare = text.removeprefix(_MARKER)
    form = _form_of(bare)
    if form is None:
        family = re.match(r"\$([a-z0-9-]{1,20})\$", bare)
        if family is None:
            raise ValueError("looks like plain text")
        raise ValueError(f"has the form {family[0]}, which is not read")
    match = form.pattern.fullmatch(bare)
    if match is None or not all(map(_is_base64, _encoded(match))):
        raise ValueError(f"has the form of {form.name}, with a mistake in it")
    if form.reader is None and int(match["kib"]) < _KIB_PER_LANE * int(match["lanes"]):
        raise ValueError("has less than the 8 KiB for each lane that argon2 needs")
    return bare


def cost_of(password_hash: str) -> str:
    """Return what decides how long *password_hash* takes: its family and parameters.

    Args:
        password_hash: As ``check_hash`` returned it.
    """
    match = _known_form_of(password_hash).pattern.fullmatch(password_hash)
    return match["cost"] if match else ""


class Hasher:
    """Verifies every family and writes argon2id; blocking, so call it in a thread.

    The default is the second recommended option of RFC 9106, 4, with one lane of its
    four: a guess costs as much, and verify waits for one thread, not four.
    """

    def __init__(
        self, *, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 1
    ) -> None:
        """Take the parameters of new hashes; see RFC 9106 for their meaning."""
        self._costs = time_cost, memory_kib, parallelism

    @cached_property
    def _argon2(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # noqa: PLC0415 - see laws

        return PasswordHasher(*self._costs, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES)

    def prepare(self) -> None:
        """Load what the first hash would wait for."""
        _ = self._argon2

    def decoy(self) -> str:
        """Return a hash of no password, which costs as much as a new one to verify."""
        salt, digest = (_base64(secrets.token_bytes(n)) for n in (16, _HASH_BYTES))
        passes, memory_kib, lanes = self._costs
        cost = f"m={memory_kib},t={passes},p={lanes}"
        return f"${_ARGON2ID}$v={_ARGON2_VERSION}${cost}${salt}${digest}"

    def hash(self, password: bytes, *, salt: bytes | None = None) -> str:
        """Return an argon2id hash of *password*, with a random salt unless given."""
        return self._argon2.hash(password, salt=salt)

    def verify(self, password_hash: str, password: bytes) -> bool:
        """Whether *password* is the one that *password_hash* was made of."""
        form = _known_form_of(password_hash)
        if form.reader is None:
            from argon2.exceptions import VerifyMismatchError  # noqa: PLC0415 - see laws

            try:
                return self._argon2.verify(password_hash, password)
            except VerifyMismatchError:
                return False
        from passlib import hash as readers  # noqa: PLC0415 - see laws

        reader = getattr(readers, form.reader)
        if form.stops_at_nul and b"\0" in password:
            reader.verify(b"", password_hash)  # costs what any wrong one does
            return False
        if form.reader == _BCRYPT:
            password = password[:BCRYPT_BYTES]
        return bool(reader.verify(password, password_hash))

    def successor(self, password_hash: str, password: bytes) -> str | None:
        """Return the hash that should replace *password_hash*, ``None`` to keep it.

        A hash is replaced by a stronger one, never by a weaker one: an administrator
        who chose more memory than our default keeps it. The salt names the predecessor,
        see ``users.stamps``.

        Args:
            password_hash: The present hash.
            password: What ``verify`` has just confirmed.
        """
        form = _known_form_of(password_hash)
        if form.reader == _BCRYPT and len(password) > BCRYPT_BYTES:
            # Bcrypt has confirmed 72 bytes of it. To hash the rest, which may be a
            # slip of the keyboard, would lock the user out.
            return None
        if form.reader is None and not self._is_weak(password_hash):
            return None
        return self.hash(password, salt=successor_salt(stamp_of(password_hash)))

    def _is_weak(self, password_hash: str) -> bool:
        from argon2 import extract_parameters  # noqa: PLC0415 - see laws

        has, own = extract_parameters(password_hash), self._argon2
        return (
            has.type is not own.type
            or has.time_cost < own.time_cost
            or has.memory_cost < own.memory_cost
            or has.hash_len < own.hash_len
        )


def _form_of(password_hash: str) -> _Form | None:
    return next((f for f in _FORMS if password_hash.startswith(f.prefix)), None)


def _known_form_of(password_hash: str) -> _Form:
    form = _form_of(password_hash)
    if form is None:
        raise ValueError("not a hash that was checked when it was read")
    return form


def _encoded(match: re.Match[str]) -> list[str]:
    return [match[name] for name in ("salt", "hash") if name in match.re.groupindex]


def _is_base64(text: str) -> bool:
    """Whether *text* is unpadded base64, spelled as an encoder would."""
    padding = "=" * (-len(text) % 4)
    try:
        raw = b64decode(text.replace(".", "+") + padding, validate=True)
    except binascii.Error:
        return False
    return _base64(raw) == text.replace(".", "+")


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii").rstrip("=")
