"""What a password that a user chooses has to be."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwardauth.users.passwords import MAX_PASSWORD_BYTES
from forwardauth.users.policy import (
    BEST_SCORE,
    Judgement,
    PasswordPolicy,
    Weakness,
    words_of,
)
from tests.support.users import make_user

POLICY = PasswordPolicy()


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        pytest.param("tangerine kayak mop", None, id="words"),
        pytest.param("kX9#qv2!Lm", None, id="random"),
        pytest.param("", Weakness.TOO_SHORT, id="empty"),
        pytest.param("kX9#qv2", Weakness.TOO_SHORT, id="seven characters"),
        pytest.param("password1", Weakness.TOO_EASY, id="common"),
        pytest.param("P@ssw0rd!", Weakness.TOO_EASY, id="common in disguise"),
        pytest.param("qwertzuiop", Weakness.TOO_EASY, id="keyboard"),
        pytest.param("1985-06-14", Weakness.TOO_EASY, id="date"),
        pytest.param("a" * 72 + "kX9#qv2!Lm", Weakness.TOO_EASY, id="late effort"),
        pytest.param("é" * MAX_PASSWORD_BYTES, Weakness.TOO_LONG, id="too long"),
        pytest.param("tangerine\ud800kayak", Weakness.TOO_LONG, id="no text"),
    ],
)
def test_password_is_judged(password: str, weakness: Weakness | None) -> None:
    """Length and guesses decide, and which signs are in it does not."""
    assert POLICY.judge(password).weakness is weakness


def test_characters_are_counted_not_bytes() -> None:
    """Eight letters are eight in every script, composed or not."""
    policy = PasswordPolicy(min_length=8, min_score=0)

    assert policy.judge("дубликат").weakness is None
    assert policy.judge("e\u0301" * 7).weakness is Weakness.TOO_SHORT


def test_score_alone_can_be_asked_for_less() -> None:
    """With a score of 0 the length is all that counts."""
    judgement = PasswordPolicy(min_length=3, min_score=0).judge("password")

    assert judgement == Judgement(score=0, weakness=None)


@pytest.mark.parametrize(
    "password",
    [
        "Pleasance1865",
        "pleasance@wonderland.example",
        "ALICE PLEASANCE",
        "croquet-club",
    ],
)
def test_what_is_known_of_the_user_is_no_secret(password: str) -> None:
    """A name is as good as common where it is the user's own."""
    user = replace(
        make_user("alice", groups=("croquet-club",)),
        display_name="Alice Pleasance",
        email="pleasance@wonderland.example",
    )

    alone = POLICY.judge(password)
    known = POLICY.judge(password, user=user)

    assert known.score < alone.score
    assert known.weakness is Weakness.TOO_EASY


def test_name_of_the_site_is_no_secret() -> None:
    """What stands above every login form is tried first."""
    policy = PasswordPolicy(
        known=words_of("Wunderlich Fotoalbum", "wunderlich.example")
    )

    assert POLICY.judge("Wunderlich2026").weakness is None
    assert policy.judge("Wunderlich2026").weakness is Weakness.TOO_EASY


def test_words_are_whole_and_in_parts() -> None:
    """An address, its parts and names of two words count, each once."""
    assert words_of("ada@example.com", "", "Example Lab", "ada") == (
        *("ada@example.com", "ada", "example", "com", "Example Lab", "Example", "Lab"),
    )


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("4@8({[<369&1!|70$5+%2" * 4, id="every disguise"),
        pytest.param("!|@$01234567898$9699!5321@@9$32!|@2|870$" * 2, id="digits"),
        pytest.param("kX9#qv2!Lm" * 100, id="long"),
    ],
)
def test_judgement_of_hostile_text_takes_a_moment(password: str) -> None:
    """Who types signs for letters keeps nobody waiting who wants to sign in."""
    POLICY.judge("what reads the word lists")
    before = time.thread_time()

    POLICY.judge(password)

    assert time.thread_time() - before < 1.5


def test_signs_in_the_place_of_letters_do_not_make_a_word_hard_to_guess() -> None:
    """Whatever follows, the beginning of a text full of signs is judged."""
    policy = PasswordPolicy()

    assert policy.judge("passwordpassword([{<!|@$+%").weakness is Weakness.TOO_EASY
    assert policy.judge("kX9#qv2!Lm([{<!|@$+%").weakness is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_the_judgement(password: str) -> None:
    """Whatever is typed gets a score, and never an exception."""
    judgement = POLICY.judge(password, user=make_user("İstanbul"))

    assert 0 <= judgement.score <= BEST_SCORE


def test_word_lists_cost_nothing_until_they_are_needed() -> None:
    """A service that starts has read none of them."""
    program = "import sys, forwardauth.app; print('zxcvbn' in sys.modules)"

    loaded = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert loaded.stdout == "False\n"
