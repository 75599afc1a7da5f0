"""The redirect validator, against lists of attacks, other parsers, and servers."""

import time
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forwardauth.domains import CookieDomains
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import (
    MAX_TARGET_CHARACTERS,
    RefusalReason,
    TargetPolicy,
    check_only_target,
    check_target,
    explain_target,
    parse_allowed_target,
)
from tests.support.target_oracles import assert_sound
from tests.support.target_texts import FRAGMENTS, assembled, disguised_loop, nearly_good
from tests.support.targets import DOMAINS, POLICY, Listed, read_list

REFUSED: Final = list(read_list("redirects-refused.txt"))
ACCEPTED: Final = list(read_list("redirects-accepted.txt"))


def test_the_lists_are_long_enough() -> None:
    """The attacks cover every reason there is for a text, and are no repetitions."""
    texts = [case.text for case in REFUSED]
    seldom = {RefusalReason.EMPTY, RefusalReason.TOO_LONG, RefusalReason.DUPLICATE}
    reasons = {r for r in RefusalReason if not r.startswith("entry_")}

    assert len(texts) == len(set(texts)) > 600
    assert {case.expected for case in REFUSED} == reasons - seldom


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_attack_is_refused_for_its_reason(case: Listed) -> None:
    """Each attack is refused, by the rule that its class is meant to meet.

    Proves L-33, L-35, L-36, L-37 and L-41. What is said about it holds none of it, so
    that a log line or a page cannot carry it on (L-34).
    """
    with pytest.raises(UnsafeTargetError) as refused:
        check_target(case.text, POLICY)

    explained = explain_target(case.text, POLICY)
    assert refused.value.reason == case.expected
    assert explained.reason == case.expected
    assert not explained.accepted
    assert str(refused.value) == f"{case.expected}: {explained.detail}"
    assert "evil" not in f"{refused.value} {explained.rule}"


@pytest.mark.parametrize("case", ACCEPTED, ids=str)
def test_good_target_is_sent_as_it_came(case: Listed) -> None:
    """An accepted target is returned unchanged, and every parser agrees on it.

    Proves L-33, L-36, L-37, L-38 and L-40.
    """
    target = check_target(case.text, POLICY)

    explained = explain_target(case.text, POLICY)
    assert target == case.text
    assert explained.accepted
    assert explained.reason is None
    assert explained.rule == case.expected
    assert_sound(case.text)


def test_empty_and_overlong_targets_are_refused() -> None:
    """One to 2048 characters; the longest still passes."""
    longest = "https://app.example.com/".ljust(MAX_TARGET_CHARACTERS, "a")

    assert check_target(longest, POLICY) == longest
    assert explain_target("", POLICY).reason is RefusalReason.EMPTY
    assert explain_target(longest + "a", POLICY).reason is RefusalReason.TOO_LONG


RULES: Final = {
    "rule 1": "https://app.example.com\\@evil.test",
    "rule 2": "https://app.example.com@evil.test",
    "rule 3": "https://evil.test",
    "rule 4": "https://auth.example.com/logout",
}


@pytest.mark.parametrize(("rule", "text"), RULES.items(), ids=RULES)
def test_explanation_names_the_rule(rule: str, text: str) -> None:
    """An operator reads which of the four rules refused a target, and why."""
    explained = explain_target(text, POLICY)

    assert explained.rule.startswith(rule)
    assert explained.detail


ONLY: Final = {
    "none": ([], None),
    "empty": ([""], None),
    "empties": (["", ""], None),
    "one": (["https://app.example.com/"], "https://app.example.com/"),
    "one-and-empty": (["", "https://app.example.com/", ""], "https://app.example.com/"),
}


@pytest.mark.parametrize(("values", "target"), ONLY.values(), ids=ONLY)
def test_only_value_is_the_target(values: list[str], target: str | None) -> None:
    """An empty parameter counts as absent, beside another one too (L-32)."""
    assert check_only_target(values, POLICY) == target


TWICE: Final = {
    "equal": ["https://app.example.com/", "https://app.example.com/"],
    "different": ["https://app.example.com/", "https://example.com/"],
    "good-first": ["https://app.example.com/", "https://evil.test/"],
    "good-last": ["https://evil.test/", "https://app.example.com/"],
    "blank": ["https://app.example.com/", " "],
}


@pytest.mark.parametrize("values", TWICE.values(), ids=TWICE)
def test_two_values_are_none(values: list[str]) -> None:
    """Of several values none is used, though all were equal and good (L-32)."""
    with pytest.raises(UnsafeTargetError) as refused:
        check_only_target(values, POLICY)

    assert refused.value.reason == RefusalReason.DUPLICATE


def test_only_value_is_checked() -> None:
    """The one value meets the same rules as any other."""
    with pytest.raises(UnsafeTargetError) as refused:
        check_only_target(["https://evil.test/"], POLICY)

    assert refused.value.reason == RefusalReason.HOST_NOT_ALLOWED


def test_entry_admits_a_port_below_a_cookie_domain() -> None:
    """A list entry reaches where the domain rule does not, but not around loops."""
    listed = TargetPolicy(
        domains=DOMAINS,
        allowed=(parse_allowed_target("https://*.example.com:9000"),),
        logout_paths=(),
    )

    assert explain_target("https://auth.example.com:9000/", listed).accepted
    assert not explain_target("https://auth.example.com:9001/", listed).accepted
    assert not explain_target("https://auth.example.com:9000/login", listed).accepted


def test_entry_without_prefix_wins_over_entries_with_one() -> None:
    """Where the whole origin is listed too, no path of it is refused."""
    listed = TargetPolicy(
        domains=DOMAINS,
        allowed=tuple(
            parse_allowed_target(f"https://x.example.net{path}") for path in ("/a", "")
        ),
        logout_paths=(),
    )

    assert explain_target("https://x.example.net/b//../c%2f", listed).accepted


def test_logout_paths_are_compared_however_they_are_configured() -> None:
    """A path with an escape or capitals in the configuration is the same path."""
    listed = TargetPolicy(
        domains=DOMAINS, allowed=(), logout_paths=("/Sign%20Out/", "/abmelden-ü")
    )
    loops = ("/sign%20out", "/signout", "/abmelden-%C3%BC", "/ABMELDEN-%C3%9C/")

    reasons = {
        explain_target(f"https://app.example.com{path}", listed).reason
        for path in loops
    }

    assert reasons == {RefusalReason.LOOP}


def test_two_portals_on_one_host_keep_both_their_paths() -> None:
    """The paths of one portal do not hide those of another on the same host."""
    first = DOMAINS.home
    shared = CookieDomains(
        entries=(first, replace(first, name="also.example", base_path="/b"))
    )
    listed = TargetPolicy(domains=shared, allowed=(), logout_paths=())

    for path in ("/login", "/b/login"):
        reason = explain_target(f"https://auth.example.com{path}", listed).reason
        assert reason is RefusalReason.LOOP


# --- What holds for every text -------------------------------------------------------

LOOKALIKES: Final = (
    "\u200b\u200d\u2024\u2028\u202e\u2044\u2100\u2215\u212a\u24d4\u3000\u3002"
    "\ufeff\uff03\uff0e\uff0f\uff1a\uff20\uff3c\uff61\U0001f4a9\ud800\udfff"
)
INSERTED: Final = [*map(chr, range(0x100)), *LOOKALIKES, *FRAGMENTS]


@pytest.mark.parametrize(
    "good",
    ["https://app.example.com:443/p;x?q#f", "https://shop.example.net:8444/store/a"],
)
def test_anything_put_in_anywhere_is_refused_or_harmless(good: str) -> None:
    """Each character and fragment, at each place, leaves a target good or refused.

    Proves L-33 and L-38 without leaving out a place or a control character.
    """
    accepted = 0

    for place in range(len(good) + 1):
        for inserted in INSERTED:
            text = good[:place] + inserted + good[place:]
            if explain_target(text, POLICY).accepted:
                accepted += 1
                assert_sound(text)

    assert accepted > 250


@given(nearly_good())
@settings(max_examples=300, derandomize=True, database=None)
@example("https://evil.test\\@app.example.com/")
def test_changed_target_is_refused_or_sound(text: str) -> None:
    """Whatever small change leaves a target accepted has left it good (L-33, L-36)."""
    if explain_target(text, POLICY).accepted:
        assert_sound(text)


@given(assembled())
@settings(max_examples=300, derandomize=True, database=None)
@example("https://auth.example.com/a%2fb/../x")
def test_assembled_target_is_refused_or_sound(text: str) -> None:
    """Whatever is put together from good and bad pieces is good or refused (L-33)."""
    if explain_target(text, POLICY).accepted:
        assert_sound(text)


@given(
    st.text(max_size=60), st.sampled_from(["", "https://", "https://app.example.com"])
)
@settings(max_examples=300, derandomize=True, database=None)
def test_any_text_is_answered(tail: str, head: str) -> None:
    """No text raises anything but a refusal, and both functions say the same."""
    text = head + tail
    explained = explain_target(text, POLICY)

    reason = None
    try:
        sent = check_target(text, POLICY)
    except UnsafeTargetError as refused:
        sent, reason = None, refused.reason

    assert reason == explained.reason
    assert sent == (text if explained.accepted else None)


@given(disguised_loop())
@settings(max_examples=200, derandomize=True, database=None)
def test_loop_is_refused_in_any_disguise(text: str) -> None:
    """Encoding, dots, slashes, parameters and capitals do not hide a path of ours.

    Proves L-41: neither login nor logout leads to another logout or login.
    """
    reason = explain_target(text, POLICY).reason

    assert reason in (RefusalReason.LOOP, RefusalReason.LOOP_POSSIBLE)


COSTLY: Final = {
    "labels": "https://" + "a." * 1020,
    "hyphens": "https://" + "a-" * 1020,
    "long-labels": "https://" + ("a" * 62 + "-.") * 32,
    "dots": "https://" + "." * 2040,
    "numbers": "https://" + "1." * 1010 + "@",
    "colons": "https://" + ":" * 2040,
    "at-signs": "https://" + "@" * 2040,
    "xn-labels": "https://" + "xn--mnchen-3ya." * 16 + "example.com/",
    "layers": "https://app.example.com/%" + "25" * 1000,
    "escapes": "https://app.example.com/" + "%2561" * 400,
    "parents": "https://app.example.com/" + "a/../" * 400,
    "parameters": "https://app.example.com/" + ";/" * 1000,
    "prefix": "https://shop.example.net:8444/store" + "/a" * 1000 + "%",
    "prefix-dots": "https://shop.example.net:8444/store" + "/.." * 660,
    "megabytes": "https://app.example.com/" + "a" * 5_000_000,
    "megabytes-of-escapes": "%25" * 2_000_000,
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_hostile_text_costs_little(text: str) -> None:
    """No text, whatever its shape or length, keeps the processor busy.

    The worst takes a third of a millisecond; the bound leaves room for slow machines.
    """
    started = time.process_time()

    explain_target(text, POLICY)

    assert time.process_time() - started < 0.05
