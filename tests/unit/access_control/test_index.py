"""Looking rules up by host leaves none out, and does not look at those for others."""

from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import Rule
from tests.support.access import in_order, rule

NAMES = ("test", "a.test", "b.a.test", "ab.test")
PATTERNS = st.sampled_from([*NAMES, *(f"*.{name}" for name in NAMES)])
REGEXES = st.sampled_from([(Regex(r"[ab]\.test"),), (Regex(".*"),), (), (), ()])
RULES = st.builds(
    lambda hosts, regexes: rule(" ".join(hosts), domain_regexes=regexes),
    st.lists(PATTERNS, max_size=3),
    REGEXES,
)


def numbers(rules: tuple[Rule, ...], host: str) -> list[int]:
    """Return the places of the candidates for *host*."""
    return [each.number for each in HostIndex(rules).candidates(host)]


@given(
    rules=st.lists(RULES, max_size=8).map(lambda rules: in_order(*rules).rules),
    host=st.sampled_from([*NAMES, "c.b.a.test", "b.test", "other"]),
)
def test_candidates_are_all_that_match_in_order(
    rules: tuple[Rule, ...], host: str
) -> None:
    """A walk over all rules finds none that is not among them."""
    found = numbers(rules, host)

    assert found == sorted(found)
    assert HostIndex(rules).count(host) == len(found)
    assert {each.number for each in rules if each.matches_host(host)} <= set(found)


def test_rules_for_other_hosts_are_not_looked_at() -> None:
    """A thousand rules for others cost nothing; an expression is tried for each."""
    others = [rule(f"h{number}.test *.w{number}.test") for number in range(1000)]
    by_regex = rule("", domain_regexes=(Regex("x"),))
    rules = in_order(*others, rule("a.test"), rule("*.test"), by_regex).rules

    assert numbers(rules, "a.test") == [1001, 1002, 1003]
    assert numbers(rules, "other") == [1003]


def test_wildcard_finds_what_could_cover_it() -> None:
    """In place of a host it stands for every host below."""
    rules = in_order(rule("a.test"), rule("*.test"), rule("*.a.test")).rules

    assert numbers(rules, "*.a.test") == [2, 3]
