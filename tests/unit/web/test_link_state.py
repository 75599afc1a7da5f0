"""The signed request of one portal to another."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.web.csrf import FormTokens
from forwardauth.web.link_state import LinkState, LinkStates
from tests.support.clock import FakeClock

KEY = b"k" * 32
STATE = LinkState(
    domain="example.org",
    nonce="nonce",
    target="https://app.example.org/?q=1&r=%2F",
    method="GET",
)


@pytest.fixture
def clock() -> FakeClock:
    """The time of both portals."""
    return FakeClock()


def test_state_comes_back_from_another_instance(clock: FakeClock) -> None:
    """Whoever has the same key reads it, and it fits a URL without escapes."""
    text = LinkStates(KEY, clock).sign(STATE)

    assert LinkStates(KEY, clock).lookup(text) == STATE
    assert set(text) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


def test_every_changed_character_is_noticed(clock: FakeClock) -> None:
    """No character of a state can be exchanged."""
    states = LinkStates(KEY, clock)
    text = states.sign(STATE)

    changed = [
        text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        for place in range(len(text))
    ]

    assert not [each for each in changed if states.lookup(each)]


@pytest.mark.parametrize(
    ("age", "counts"),
    [(-61, False), (-60, True), (0, True), (3_599, True), (3_600, False)],
    ids=["future", "skew", "new", "almost-old", "old"],
)
def test_state_counts_for_an_hour(clock: FakeClock, age: int, counts: bool) -> None:
    """It is worth as long as the pre-session; a minute of skew is forgiven."""
    states = LinkStates(KEY, clock)
    text = states.sign(STATE)
    clock.advance(timedelta(seconds=age))

    assert (states.lookup(text) is not None) is counts


def test_other_key_is_another_world(clock: FakeClock) -> None:
    """A state of another installation is none."""
    text = LinkStates(b"o" * 32, clock).sign(STATE)

    assert LinkStates(KEY, clock).lookup(text) is None


def test_what_is_signed_for_forms_is_no_state(clock: FakeClock) -> None:
    """A pre-session cookie, signed with a key of the same origin, is no state."""
    value = FormTokens(KEY, clock).create_presession().value

    assert LinkStates(KEY, clock).lookup(value) is None


@pytest.mark.parametrize("payload", [b"[]", b"{}", b"[1]", b"x", b"[null,1,2,3,4]"])
def test_signed_nonsense_is_none(clock: FakeClock, payload: bytes) -> None:
    """Even what carries our signature is read with care."""

    class Signer(LinkStates):
        def sign_raw(self, text: bytes) -> str:
            encoded = base64url(text)
            return f"{encoded}.{self._mac(encoded)}"

    assert LinkStates(KEY, clock).lookup(Signer(KEY, clock).sign_raw(payload)) is None


def base64url(text: bytes) -> str:
    """Return *text* as a payload is encoded."""
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_none(text: str) -> None:
    """Nothing that a client sends raises."""
    assert LinkStates(KEY, FakeClock()).lookup(text) is None
