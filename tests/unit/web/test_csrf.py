"""Form tokens: bound to a browser, short-lived before sign-in, and not to be forged."""

import hmac
from collections.abc import Callable
from datetime import timedelta

import pytest

from forwardauth.sessions.ids import create_session_id, digest_of
from forwardauth.web.csrf import PRESESSION_LIFETIME, FormTokens, Presession
from tests.support.clock import FakeClock

KEY = b"k" * 32
MINUTE = timedelta(minutes=1)
SESSION = digest_of(create_session_id())
OTHER_SESSION = digest_of(create_session_id())


def mac_of(use: str, text: str) -> str:
    """Return the MAC of *text*, made with the key for *use*."""
    key = hmac.digest(KEY, f"forwardauth {use}".encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


@pytest.fixture
def clock() -> FakeClock:
    """A clock to move."""
    return FakeClock()


@pytest.fixture
def tokens(clock: FakeClock) -> FormTokens:
    """Tokens with the key of this instance."""
    return FormTokens(KEY, clock)


def test_presession_is_found_again(tokens: FormTokens) -> None:
    """What was signed here is known here."""
    created = tokens.create_presession()

    assert tokens.lookup_presession((created.value,)) == created


def test_presessions_differ(tokens: FormTokens) -> None:
    """Each browser has its own; 128 random bits make it so."""
    made = [tokens.create_presession() for _ in range(100)]

    assert len({each.nonce for each in made}) == 100
    assert len({tokens.token_for_presession(each) for each in made}) == 100
    assert all(len(each.nonce) == 22 for each in made)


@pytest.mark.parametrize(
    ("age", "is_valid"),
    [
        (timedelta(0), True),
        (PRESESSION_LIFETIME - MINUTE, True),
        (PRESESSION_LIFETIME, False),
        (timedelta(days=400), False),
        (-MINUTE, True),
        (-2 * MINUTE, False),
    ],
    ids=["new", "nearly over", "over", "ancient", "clock set back", "from the future"],
)
def test_presession_is_short_lived(
    tokens: FormTokens, clock: FakeClock, age: timedelta, *, is_valid: bool
) -> None:
    """It lasts an hour; clocks of two instances may differ by a minute (L-22)."""
    created = tokens.create_presession()
    clock.advance(age)

    found = tokens.lookup_presession((created.value,))

    assert (found is not None) is is_valid


def test_presession_cannot_be_renewed_by_its_holder(
    tokens: FormTokens, clock: FakeClock
) -> None:
    """The time is signed: who changes it has no pre-session."""
    nonce, issued, mac = tokens.create_presession().value.split(".")
    clock.advance(2 * PRESESSION_LIFETIME)
    later = str(int(issued) + 7200)

    assert tokens.lookup_presession((f"{nonce}.{later}.{mac}",)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
        lambda value: ("A" if value[0] != "A" else "B") + value[1:],
        lambda value: value.rpartition(".")[0] + "." + "0" * 64,
        lambda value: value.rpartition(".")[0] + ".",
        lambda value: value.rpartition(".")[0],
        lambda value: value.rpartition(".")[0] + "." + value[-64:].upper(),
        lambda value: value + "0",
        lambda value: value + "\n",
        lambda value: " " + value,
        lambda value: f'"{value}"',
        lambda value: value.replace(".", ".0", 1),
        lambda value: value.replace(".", ".-", 1),
        lambda value: value.replace(".", "..", 1),
        lambda value: value[:22] + "." + "9" * 12 + value[-65:],
        lambda value: value[:22] + "." + "9" * 400 + value[-65:],
        lambda value: value[:22] + ".\u0661\u0662" + value[-65:],
        lambda value: value[:22] + value[-65:],
        lambda _: "",
        lambda _: "..",
        lambda _: "\udcff" * 30,
        lambda _: "A" * 100_000,
    ],
    ids=[
        "last digit",
        "nonce",
        "zero mac",
        "empty mac",
        "no mac",
        "upper case",
        "longer",
        "line break",
        "space",
        "quoted",
        "leading zero",
        "negative",
        "two dots",
        "far future",
        "huge number",
        "other digits",
        "no time",
        "empty",
        "dots",
        "no text",
        "long",
    ],
)
def test_forged_presession_is_none(
    tokens: FormTokens,
    change: Callable[[str], str],
) -> None:
    """Whatever we have not signed, byte by byte, is no pre-session, and no fault."""
    value = tokens.create_presession().value

    assert tokens.lookup_presession((change(value),)) is None


def test_junk_beside_the_presession_does_not_hide_it(tokens: FormTokens) -> None:
    """Only valid ones are counted."""
    created = tokens.create_presession()

    found = tokens.lookup_presession(("junk", created.value, ""))

    assert found == created


def test_two_presessions_are_none(tokens: FormTokens) -> None:
    """Which of two is the browser's own, nobody can tell."""
    values = tuple(tokens.create_presession().value for _ in range(2))

    assert tokens.lookup_presession(values) is None


def test_token_counts_in_its_own_browser(tokens: FormTokens) -> None:
    """A token beside what it was made for is valid (L-16, L-22)."""
    presession = tokens.create_presession()
    login = tokens.token_for_presession(presession)
    session = tokens.token_for_session(SESSION)

    assert tokens.is_valid(login, presession=presession, digests=())
    assert tokens.is_valid(session, presession=None, digests=(OTHER_SESSION, SESSION))
    assert tokens.is_valid(login, presession=presession, digests=(SESSION,))


def test_token_of_another_browser_is_worth_nothing(tokens: FormTokens) -> None:
    """An attacker's own token does not fit the victim's cookies (L-16, L-22)."""
    victim, attacker = tokens.create_presession(), tokens.create_presession()
    login = tokens.token_for_presession(attacker)
    session = tokens.token_for_session(OTHER_SESSION)

    for token in (login, session):
        assert not tokens.is_valid(token, presession=victim, digests=(SESSION,))
        assert not tokens.is_valid(token, presession=None, digests=())


@pytest.mark.parametrize(
    "token",
    ["", "0" * 64, "None", "\udcff", "\0", "ü" * 64, "A" * 1_000_000],
    ids=["empty", "zeros", "none", "no text", "nul", "not ascii", "long"],
)
def test_junk_is_no_token(tokens: FormTokens, token: str) -> None:
    """Any text may come; none is a token by accident, none is a fault."""
    presession = tokens.create_presession()

    assert not tokens.is_valid(token, presession=presession, digests=(SESSION,))
    assert not tokens.is_valid(token, presession=None, digests=())


def test_token_is_compared_whole(tokens: FormTokens) -> None:
    """A part of a token, or a token with more, is none."""
    token = tokens.token_for_session(SESSION)

    for part in (token[:-1], token[1:], token + "0", token.upper(), f" {token}"):
        assert not tokens.is_valid(part, presession=None, digests=(SESSION,))


def test_parts_of_the_presession_are_no_token(tokens: FormTokens) -> None:
    """The MAC in the cookie is made with another key than the form's (L-22)."""
    presession = tokens.create_presession()

    for part in (presession.value, presession.nonce, presession.value[-64:]):
        assert not tokens.is_valid(part, presession=presession, digests=())


def test_token_does_not_sign_a_presession(tokens: FormTokens) -> None:
    """A token cannot be turned into a cookie: the keys are separate."""
    presession = tokens.create_presession()
    signed = presession.value.rpartition(".")[0]
    forged = Presession(value="", nonce=signed)

    mac = tokens.token_for_presession(forged)

    assert tokens.lookup_presession((f"{signed}.{mac}",)) is None


def test_each_use_has_a_key_of_its_own(tokens: FormTokens) -> None:
    """Replicas of all versions agree on keys, which no two uses share (L-22)."""
    presession = tokens.create_presession()
    signed, _, mac = presession.value.rpartition(".")

    token = tokens.token_for_session(SESSION)

    assert mac == mac_of("presession", signed)
    assert token == mac_of("form token", f"session {SESSION.hex()}")
    assert token != mac_of("presession", f"session {SESSION.hex()}")


def test_presession_named_like_a_session_has_another_token(tokens: FormTokens) -> None:
    """The two kinds of tokens never meet."""
    lookalike = Presession(value="", nonce=SESSION.hex())

    assert tokens.token_for_presession(lookalike) != tokens.token_for_session(SESSION)


def test_instances_with_one_key_work_as_one(clock: FakeClock) -> None:
    """A form of one replica is posted to another (L-22)."""
    here, there = FormTokens(KEY, clock), FormTokens(KEY, clock)
    created = here.create_presession()

    found = there.lookup_presession((created.value,))

    assert found == created
    token = here.token_for_presession(created)
    assert there.is_valid(token, presession=found, digests=())


def test_another_key_signs_nothing_that_counts(
    tokens: FormTokens, clock: FakeClock
) -> None:
    """Cookies and tokens of another installation are worth nothing."""
    foreign = FormTokens(b"K" * 32, clock)
    created, own = foreign.create_presession(), tokens.create_presession()

    assert tokens.lookup_presession((created.value,)) is None
    assert not tokens.is_valid(
        foreign.token_for_session(SESSION), presession=None, digests=(SESSION,)
    )
    assert not tokens.is_valid(
        foreign.token_for_presession(own), presession=own, digests=()
    )
    # A pre-session beside the right one hides nothing.
    assert tokens.lookup_presession((created.value, own.value)) == own
