"""The switches of a rule: what each opens, and beside which policy it may stand."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from forwardauth.access_control.rule import Rule
from tests.support.configuration import COMPLETE, Mistake, load_text, warnings_in

HEAD: Final = "access_control:\n  rules:\n"


def rule(policy: str, *lines: str) -> str:
    """Return the text of one rule, whose policy is on line 4."""
    complete = ("domain: app.example.com", f"policy: {policy}", *lines)
    return HEAD + "    - " + "\n      ".join(complete) + "\n"


def read(folder: Path, text: str) -> Rule:
    """Return the one rule of *text*."""
    (only,) = load_text(folder, text).access_control.rules
    return only


def mistake(text: str, name: str, keyword: str) -> Mistake:
    """Return a mistake on line 5, in the switch *name* of the rule."""
    key = f"access_control.rules.0.{name}"
    return Mistake(text=text, key=key, line=5, keyword=keyword)


MISTAKES: Final = {
    "preflight-unknown": mistake(
        rule("one_factor", "preflight: yes"), "preflight", "nothing about preflights"
    ),
    "preflight-that-is-denied": mistake(
        rule("deny", "preflight: allow"), "preflight", "by a rule that denies"
    ),
    "plain-http-unknown": mistake(
        rule("bypass", "plain_http: true"), "plain_http", "nothing about plain http"
    ),
    "plain-http-beside-one-factor": mistake(
        rule("one_factor", "plain_http: allow"), "plain_http", "cookies are Secure"
    ),
    "plain-http-that-is-denied": mistake(
        rule("deny", "plain_http: allow"), "plain_http", "beside deny"
    ),
    "basic-unknown": mistake(
        rule("one_factor", "basic: allow"), "basic", "not true or false"
    ),
    "basic-of-a-rule-that-denies": mistake(
        rule("deny", "basic: true"), "basic", "denies everybody"
    ),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_switch_that_contradicts_its_rule_is_refused(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem with key, line, reason and remedy (V-15, V-38)."""
    check_mistake(wrong)


def test_every_switch_is_off_by_default(tmp_path: Path) -> None:
    """What nobody wrote opens nothing."""
    found = read(tmp_path, rule("bypass"))

    assert not found.allows_preflight
    assert not found.allows_plain_http
    assert not found.allows_basic


def test_every_switch_reaches_the_rule(tmp_path: Path) -> None:
    """What is written is what counts."""
    found = read(tmp_path, rule("bypass", "preflight: allow", "plain_http: allow"))

    assert found.allows_preflight
    assert found.allows_plain_http


@pytest.mark.parametrize(
    "lines",
    [("one_factor", "basic: true"), ("deny", "basic: true", "users: mallory")],
    ids=["one_factor", "deny for certain people"],
)
def test_basic_reaches_a_rule_that_has_to_know_who_asks(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    """A rule that denies certain people is one (V-39)."""
    assert warnings_in(tmp_path, rule(*lines)) == ()
    assert read(tmp_path, rule(*lines)).allows_basic


@pytest.mark.parametrize(
    "switch", ["preflight: deny", "plain_http: deny", "basic: false"]
)
def test_a_switch_may_be_written_although_it_is_off(
    tmp_path: Path, switch: str
) -> None:
    """Its default is a value like any other, beside any policy."""
    assert warnings_in(tmp_path, rule("deny", switch)) == ()


def test_a_switch_comes_from_the_environment(tmp_path: Path) -> None:
    """A rule can be written in variables, one key each."""
    name = "FORWARDAUTH_ACCESS_CONTROL__RULES__0__"
    environ = {
        f"{name}DOMAIN": "app.example.com",
        f"{name}POLICY": "bypass",
        f"{name}PLAIN_HTTP": "allow",
    }

    (only,) = load_text(tmp_path, "", environ).access_control.rules

    assert only.allows_plain_http


WARNINGS: Final = {
    "basic-beside-bypass": (
        rule("bypass", "basic: true"),
        "basic",
        "asks nobody who they are",
    ),
    "preflight-without-options": (
        rule("one_factor", "preflight: allow", "methods: GET"),
        "preflight",
        "matches no OPTIONS",
    ),
}


@pytest.mark.parametrize(("text", "name", "keyword"), WARNINGS.values(), ids=WARNINGS)
def test_a_switch_without_effect_is_a_warning(
    tmp_path: Path, text: str, name: str, keyword: str
) -> None:
    """It is allowed, has its line, and is seldom meant."""
    (warning,) = warnings_in(tmp_path, text)

    assert warning.place.key == f"access_control.rules.0.{name}"
    assert warning.place.line == COMPLETE.count("\n") + 5
    assert keyword in warning.reason
    assert warning.remedy
