"""Candidates: what is left out decides nothing, whoever has asked before."""

from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.candidates import (
    MAX_HOSTS,
    MAX_KEPT,
    MAX_SENDERS,
    Candidates,
)
from forwardauth.access_control.criteria import Match
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion
from forwardauth.access_control.rule import Rule
from forwardauth.request import OriginalRequest
from tests.support.access import ask, in_order, methods, networks, paths, query, rule

HOST: Final = "a.test"
FOR_ALICE: Final = SubjectCriterion(users=frozenset({"alice"}))

RULES: Final = st.lists(
    st.builds(
        rule,
        st.sampled_from(["a.test", "*.test", "b.test"]),
        st.sampled_from(Policy),
        methods=st.sampled_from([None, methods("GET"), methods("PUT", "POST")]),
        path=st.sampled_from([None, paths("/a"), paths("/b")]),
        query=st.sampled_from([None, query("x equal 1")]),
        networks=st.sampled_from([None, networks("10.0.0.0/8"), networks("fd00::/8")]),
        subject=st.sampled_from([SubjectCriterion(), FOR_ALICE]),
    ),
    max_size=6,
).map(lambda rules: in_order(*rules).rules)
REQUESTS: Final = st.lists(
    st.builds(
        ask,
        st.sampled_from(["a.test", "b.test", "c.a.test", "test"]),
        st.sampled_from(["/", "/a", "/b?x=1", "/a?x=2", "/a//b", "/a?x=1;"]),
        method=st.sampled_from(["GET", "PUT", "DELETE"]),
        client=st.sampled_from(["10.0.0.1", "192.0.2.1", "fd00::1", None]),
    ),
    min_size=1,
    max_size=8,
)


def _find(candidates: Candidates, original: OriginalRequest) -> list[tuple[int, Match]]:
    """Return the numbers of those that *candidates* leaves, with what they say."""
    asked = Asked(original)
    checked = [(each, each.check(asked)) for each in candidates.find(original)]
    return _up_to_the_last([(each.rule, match) for each, match in checked])


def _walk(
    rules: tuple[Rule, ...], original: OriginalRequest
) -> list[tuple[int, Match]]:
    """Return the same of all *rules*, asking each of them for everything."""
    asked = Asked(original)
    return _up_to_the_last([(each, each.check_object(asked)) for each in rules])


def _up_to_the_last(checked: list[tuple[Rule, Match]]) -> list[tuple[int, Match]]:
    """Return those that have a say, up to one that decides whoever asks."""
    found: list[tuple[int, Match]] = []
    for each, match in checked:
        if match is Match.NO or (match is Match.UNKNOWN and each.is_bypass):
            continue
        found.append((each.number, match))
        if each.subject.is_for_everyone:
            break
    return found


@example(
    # Nobody vouches for the address, so the first one lets nobody in, nor ends it.
    rules=in_order(
        rule(HOST, Policy.BYPASS, networks=networks("10.0.0.0/8")),
        rule(HOST, Policy.ONE_FACTOR),
    ).rules,
    requests=[ask(HOST, client=None)],
)
@given(rules=RULES, requests=REQUESTS)
def test_candidates_say_what_all_rules_say(
    rules: tuple[Rule, ...], requests: list[OriginalRequest]
) -> None:
    """Whatever was asked before, in whichever order (V-20, V-21)."""
    candidates = Candidates(rules)

    for original in (*requests, *requests):
        assert _find(candidates, original) == _walk(rules, original)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        pytest.param({}, 0, id="nothing to tell apart"),
        pytest.param({"path": paths("/a")}, 0, id="path alone"),
        pytest.param({"methods": methods("GET")}, 2, id="methods"),
        pytest.param({"networks": networks("10.0.0.0/8")}, 6, id="addresses"),
    ],
)
def test_only_what_rules_look_at_is_told_apart(
    changes: dict[str, Any], known: int
) -> None:
    """Of a thousand addresses nothing is kept where no rule looks at them."""
    candidates = Candidates(in_order(rule(HOST, Policy.DENY, **changes)).rules)

    for client in ("10.0.0.1", "10.0.0.2", None):
        for method in ("GET", "PUT"):
            candidates.find(ask(HOST, method=method, client=client))

    assert len(candidates._by_sender) == known  # noqa: SLF001


def test_rule_that_names_a_host_twice_is_found_once() -> None:
    """By its name and by those above it, which are looked up apart (V-20)."""
    both = in_order(rule(f"{HOST} *.test", Policy.ONE_FACTOR, subject=FOR_ALICE))

    assert len(Candidates(both.rules).find(ask(HOST))) == 1


def test_number_of_hosts_is_bounded() -> None:
    """Names below a wildcard, of which there are as many as a client likes (V-42)."""
    candidates = Candidates(in_order(rule("*.a.test", Policy.BYPASS)).rules)

    for number in range(MAX_HOSTS * 2 + 1):
        assert len(candidates.find(ask(f"h{number}.a.test"))) == 1

    assert 0 < len(candidates._by_host) <= MAX_HOSTS  # noqa: SLF001


def test_number_of_senders_is_bounded() -> None:
    """And addresses, where a rule looks at them (V-42)."""
    inside = rule(HOST, Policy.BYPASS, networks=networks("10.0.0.0/8"))
    candidates = Candidates(in_order(inside).rules)

    for number in range(MAX_SENDERS + 1):
        client = f"10.0.{number // 256}.{number % 256}"
        assert len(candidates.find(ask(HOST, client=client))) == 1

    assert 0 < len(candidates._by_sender) <= MAX_SENDERS  # noqa: SLF001


@pytest.mark.parametrize("number", [MAX_KEPT // 16, MAX_KEPT + 1])
def test_number_of_rules_that_are_kept_is_bounded(number: int) -> None:
    """However many a host has, they are not kept for every address (V-42)."""
    inside = rule(HOST, Policy.ONE_FACTOR, methods=methods("GET"), subject=FOR_ALICE)
    outside = rule(HOST, Policy.DENY, networks=networks("fd00::/8"))
    candidates = Candidates(in_order(outside, *[inside] * number).rules)

    for client in range(20):
        assert len(candidates.find(ask(HOST, client=f"10.0.0.{client}"))) == number

    kept = candidates._by_sender.values()  # noqa: SLF001
    assert sum(map(len, kept)) == candidates._kept <= MAX_KEPT  # noqa: SLF001
