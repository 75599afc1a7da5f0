"""Every form of hash that is read, and the one that is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwardauth.users.hashes import Hasher, check_hash, cost_of
from forwardauth.users.stamps import is_current, stamp_of
from tests.support.users import (
    ARGON2ID,
    BCRYPT,
    BCRYPT_OF_72,
    CHEAP,
    LONG_PASSWORD,
    PASSWORD,
)

SHA512_CRYPT = (
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLi"
    "BFdcbYEdFCoEOfaS35inz1"
)
PBKDF2_SHA256 = (
    "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg"
    "$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"
)
AUTHELIA_ARGON2ID = (
    "$argon2id$v=19$m=65536,t=3,p=2$BpLnfgDsc2WD8F2q"
    "$o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM"
)
AUTHELIA_TEMPLATE = (
    "$argon2id$v=19$m=32768,t=1,p=8$eUhVT1dQa082YVk2VUhDMQ"
    "$E8QI4jHbUBt3EdsU1NFDu4Bq5jObKNx7nBKSn1EYQxk"
)
AUTHELIA_SHA512 = (
    "$6$rounds=500000$jgiCMRyGXzoqpxS3$w2pJeZnnH8bwW3zzvoMWtTRfQYsHbWbD/hquuQ5vUeIy"
    "l9gdwBIt6RWk2S6afBA0DPakbeWgD/4SZPiS0hYtU/"
)
AUTHELIA_PBKDF2 = (
    "$pbkdf2-sha512$310000$c8p78n7pUMln0jzvd4aK4Q$JNRBzwAo0ek5qKn50cFzzvE9RXV88h1w"
    "Jn5KGiHrD0YKtZaR/nCb2CJPOsKaPK0hjf.9yHxzQGZziziccp6Yng"
)

KNOWN = [
    pytest.param(ARGON2ID, PASSWORD, id="argon2id"),
    pytest.param(AUTHELIA_ARGON2ID, "password", id="argon2id of Authelia's tests"),
    pytest.param(AUTHELIA_TEMPLATE, "authelia", id="argon2id of Authelia's template"),
    pytest.param("{CRYPT}" + SHA512_CRYPT, "Hello world!", id="Authelia's old marker"),
    pytest.param(SHA512_CRYPT, "Hello world!", id="sha512-crypt of its specification"),
    pytest.param(AUTHELIA_SHA512, "password", id="sha512-crypt of Authelia's tests"),
    pytest.param(PBKDF2_SHA256, "password", id="pbkdf2-sha256 of passlib"),
    pytest.param(AUTHELIA_PBKDF2, "insecure_secret", id="pbkdf2-sha512 of Authelia"),
    pytest.param(BCRYPT, "U*U", id="bcrypt 2a"),
    pytest.param(BCRYPT.replace("$2a$", "$2b$"), "U*U", id="bcrypt 2b"),
    pytest.param(BCRYPT.replace("$2a$", "$2y$"), "U*U", id="bcrypt 2y of htpasswd"),
]


@pytest.mark.parametrize(("text", "password"), KNOWN)
def test_known_hash_verifies(text: str, password: str) -> None:
    """Hashes that other programs published are read as those programs read them."""
    found = check_hash(text)

    assert CHEAP.verify(found, password.encode())


@pytest.mark.parametrize(
    "text", [ARGON2ID, SHA512_CRYPT, PBKDF2_SHA256, BCRYPT], ids=cost_of
)
@pytest.mark.parametrize(
    "password", [b"", b"wrong", b"U*U\0", b"Hello world!\0x", b"\xff\xfe", b"x" * 1024]
)
def test_wrong_password_does_not_verify(text: str, password: bytes) -> None:
    """No form accepts another password, cut at a NUL or empty, and none raises."""
    assert not CHEAP.verify(text, password)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hunter2", "looks like plain text"),
        ("$ecret", "looks like plain text"),
        ("$1$salt$qJH7.N4xYta3aEG/dfqo/0", "has the form $1$, which is not read"),
        ("$5$saltstring$5B8v", "has the form $5$, which is not read"),
        (
            "$scrypt$ln=16,r=8,p=1$c2FsdA$aGFzaA",
            "has the form $scrypt$, which is not read",
        ),
        ("$pbkdf2$1000$c2FsdA$aGFzaA", "has the form $pbkdf2$, which is not read"),
        (
            "$6$rounds00000$salt$hash",
            "has the form of sha512-crypt, with a mistake in it",
        ),
        (SHA512_CRYPT[:-1], "has the form of sha512-crypt, with a mistake in it"),
        (SHA512_CRYPT + "\n", "has the form of sha512-crypt, with a mistake in it"),
        ("$2x" + BCRYPT[3:], "has the form of bcrypt, with a mistake in it"),
        (
            BCRYPT.replace("$05$", "$03$"),
            "has the form of bcrypt, with a mistake in it",
        ),
        (
            BCRYPT.replace("$05$", "$32$"),
            "has the form of bcrypt, with a mistake in it",
        ),
        (BCRYPT[:-1] + "X", "has the form of bcrypt, with a mistake in it"),
        (AUTHELIA_PBKDF2[:-1], "has the form of PBKDF2, with a mistake in it"),
        (
            ARGON2ID.replace("v=19", "v=16"),
            "has the form of argon2, with a mistake in it",
        ),
        (ARGON2ID.replace("t=1,", ""), "has the form of argon2, with a mistake in it"),
        (
            ARGON2ID.replace("c2Fs", "^^Fs"),
            "has the form of argon2, with a mistake in it",
        ),
        (ARGON2ID[:-1] + "l", "has the form of argon2, with a mistake in it"),
        (
            ARGON2ID.replace("p=1", "p=2"),
            "has less than the 8 KiB for each lane that argon2 needs",
        ),
    ],
)
def test_what_cannot_be_verified_is_refused(text: str, reason: str) -> None:
    """The reason tells what to do, and never repeats what may be a password."""
    with pytest.raises(ValueError, match=r"looks|has") as caught:
        check_hash(text)

    assert str(caught.value) == reason
    assert text not in str(caught.value)


@settings(max_examples=60)
@given(
    text=st.sampled_from([ARGON2ID, SHA512_CRYPT, PBKDF2_SHA256, BCRYPT]),
    position=st.integers(min_value=1, max_value=40),
    character=st.sampled_from("./+AZaz09=$^ é"),
)
def test_accepted_hash_never_raises(text: str, position: int, character: str) -> None:
    """A slip in the digest is found when the file is read, not when a user signs in."""
    slipped = text[:-position] + character + text[len(text) - position + 1 :]
    try:
        found = check_hash(slipped)
    except ValueError:
        return

    assert CHEAP.verify(found, b"whatever") is False


def test_bcrypt_looks_at_72_bytes() -> None:
    """A long password verifies against the hash that its first 72 bytes made."""
    assert CHEAP.verify(BCRYPT_OF_72, LONG_PASSWORD.encode())
    assert CHEAP.verify(BCRYPT_OF_72, LONG_PASSWORD[:72].encode())
    assert not CHEAP.verify(BCRYPT_OF_72, LONG_PASSWORD[:71].encode())


def test_long_password_behind_bcrypt_keeps_its_hash() -> None:
    """What bcrypt did not see may be a slip: to hash it would lock the user out."""
    assert CHEAP.successor(BCRYPT_OF_72, LONG_PASSWORD.encode()) is None
    assert CHEAP.successor(BCRYPT_OF_72, LONG_PASSWORD[:72].encode()) is not None


@pytest.mark.parametrize(
    "text",
    [BCRYPT, SHA512_CRYPT, PBKDF2_SHA256, ARGON2ID.replace("argon2id", "argon2i")],
    ids=["bcrypt", "sha512-crypt", "PBKDF2", "argon2i"],
)
def test_older_form_is_replaced(text: str) -> None:
    """A login moves its hash to argon2id, and keeps the sessions of the old one."""
    new = CHEAP.successor(text, b"secret")

    assert new is not None
    assert new.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert CHEAP.verify(new, b"secret")
    assert is_current((stamp_of(text),), new)


@pytest.mark.parametrize(
    ("hasher", "is_replaced"),
    [
        (CHEAP, False),
        (Hasher(time_cost=2, memory_kib=8, parallelism=1), True),
        (Hasher(time_cost=1, memory_kib=16, parallelism=1), True),
        (Hasher(time_cost=1, memory_kib=16, parallelism=2), True),
    ],
    ids=["the same", "more time", "more memory", "more of both"],
)
def test_hash_is_replaced_when_parameters_rise(
    hasher: Hasher, is_replaced: bool
) -> None:
    """Raised parameters reach a user at the next login."""
    assert (hasher.successor(ARGON2ID, PASSWORD.encode()) is not None) is is_replaced


def test_stronger_hash_is_kept() -> None:
    """An administrator who chose more than our default is not overruled."""
    strong = Hasher(time_cost=2, memory_kib=64, parallelism=1).hash(b"secret")

    assert CHEAP.successor(strong, b"secret") is None


def test_default_is_argon2id_of_rfc_9106() -> None:
    """New hashes take 64 MiB, three passes and one thread, with 16 bytes of salt."""
    decoy = Hasher().decoy()

    assert cost_of(decoy) == "argon2id$v=19$m=65536,t=3,p=1"
    assert check_hash(decoy) == decoy


def test_decoy_costs_what_a_new_hash_costs() -> None:
    """The stand-in for an unknown user has the parameters, and nobody's password."""
    decoy = CHEAP.decoy()

    assert cost_of(decoy) == cost_of(CHEAP.hash(b"secret"))
    assert not CHEAP.verify(decoy, b"")
    assert decoy != CHEAP.decoy()


def test_unchecked_text_is_no_hash() -> None:
    """A hash that went past ``check_hash`` is a fault of ours, never a match."""
    with pytest.raises(ValueError, match="not a hash"):
        CHEAP.verify("hunter2", b"hunter2")
