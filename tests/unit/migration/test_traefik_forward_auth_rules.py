"""Rules of traefik-forward-auth, asked of those that are written."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.errors import ConfigError
from forwardauth.migration.report import Fate
from forwardauth.request import ANONYMOUS, Subject
from tests.support.access import ask
from tests.support.migration import Written, import_traefik

BASE = "cookie-domain = example.com\nauth-host = auth.example.com\n"
JANE = Subject(username="jane@example.org", level=1)
STAFF = Subject(username="joe", groups=frozenset({"example.org"}), level=1)
EVE = Subject(username="eve", level=1)

BOTH = "whitelist = jane@example.org\ndomain = example.org\n"
PEOPLE = {
    "anybody": ("", {JANE, STAFF, EVE}),
    "whitelist": ("whitelist = jane@example.org", {JANE}),
    "domain": ("domain = example.org", {STAFF}),
    "whitelist before domain": (
        "whitelist = jane@example.org\ndomain = example.org",
        {JANE},
    ),
    "either": (
        BOTH + "match-whitelist-or-domain = true",
        {JANE, STAFF},
    ),
}


def let_in(written: Written, host: str, uri: str = "/") -> set[Subject]:
    """Return who gets in."""
    everybody = (ANONYMOUS, JANE, STAFF, EVE)
    original = ask(host, uri)
    return {s for s in everybody if written.outcome(original, s) is Outcome.ALLOW}


@pytest.mark.parametrize(("lines", "wanted"), PEOPLE.values(), ids=PEOPLE)
def test_who_may_sign_in(tmp_path: Path, lines: str, wanted: set[Subject]) -> None:
    """An address is a user of that name, a domain a group; nobody else gets in."""
    written = import_traefik(tmp_path, f"{BASE}{lines}\n")

    assert let_in(written, "a.example.com") == wanted
    assert written.outcome(ask("a.example.com")) is Outcome.SIGN_IN


def test_a_rule_that_allows_is_open(tmp_path: Path) -> None:
    """For the path that it names, and for no other."""
    text = f"{BASE}rule.1.action = allow\nrule.1.rule = Path(`/public`)\n"

    written = import_traefik(tmp_path, text)

    assert ANONYMOUS in let_in(written, "a.example.com", "/public?x=1")
    assert ANONYMOUS not in let_in(written, "a.example.com", "/public/x")


def test_the_list_of_a_rule_takes_the_place_of_that_of_all(tmp_path: Path) -> None:
    """And who is not in it is refused by that rule, not passed on."""
    text = (
        f"{BASE}whitelist = eve\n"
        "rule.x.rule = Host(`x.example.com`)\nrule.x.whitelist = jane@example.org\n"
    )

    written = import_traefik(tmp_path, text)

    assert let_in(written, "x.example.com") == {JANE}
    assert let_in(written, "a.example.com") == {EVE}


def test_where_rules_overlap_the_one_that_asks_counts(tmp_path: Path) -> None:
    """The source decides by chance, which no list of ours can."""
    text = (
        f"{BASE}rule.1.action = allow\nrule.1.rule = PathPrefix(`/`)\n"
        "rule.2.rule = Host(`x.example.com`)\n"
    )

    written = import_traefik(tmp_path, text)

    assert ANONYMOUS not in let_in(written, "x.example.com")
    assert ANONYMOUS in let_in(written, "a.example.com")


def test_everything_may_be_open_by_default(tmp_path: Path) -> None:
    """But for what a rule is for."""
    text = f"{BASE}default-action = allow\nrule.2.rule = Host(`x.example.com`)\n"

    written = import_traefik(tmp_path, text)

    assert ANONYMOUS in let_in(written, "a.example.com")
    assert ANONYMOUS not in let_in(written, "x.example.com")


def test_a_rule_that_cannot_be_said_opens_nothing(tmp_path: Path) -> None:
    """Headers are not asked for here."""
    text = (
        f"{BASE}rule.1.action = allow\n"
        "rule.1.rule = PathPrefix(`/api`) && Headers(`A`, `b`)\n"
    )

    written = import_traefik(tmp_path, text)

    assert ANONYMOUS not in let_in(written, "a.example.com", "/api/x")
    assert written.texts(Fate.STRICTER, "rule.1")


def test_a_rule_that_asks_and_cannot_be_said_closes(tmp_path: Path) -> None:
    """Where everything else is open, what it may be about is closed."""
    text = (
        f"{BASE}default-action = allow\n"
        "rule.1.rule = Host(`x.example.com`) && !Path(`/open`)\n"
    )

    written = import_traefik(tmp_path, text)

    assert ANONYMOUS not in let_in(written, "x.example.com", "/closed")
    assert ANONYMOUS in let_in(written, "a.example.com")


def test_a_host_elsewhere_is_left_out(tmp_path: Path) -> None:
    """Nobody asks about it here."""
    text = f"{BASE}rule.1.action = allow\nrule.1.rule = Host(`x.other.net`)\n"

    written = import_traefik(tmp_path, text)

    assert written.texts(Fate.LEFT, "rule.1")


MISTAKES = {
    "no rule": ("rule.1.action = allow", "rule.1.rule has no matcher"),
    "half": ("rule.1.rule = Host(`a`", "rule.1.rule has no )"),
    "action": (
        "rule.1.rule = Path(`/`)\nrule.1.action = open",
        "rule.1.action is neither",
    ),
}


@pytest.mark.parametrize(("lines", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, lines: str, message: str
) -> None:
    """The first line that is about the rule."""
    with pytest.raises(ConfigError) as caught:
        import_traefik(tmp_path, f"{BASE}{lines}\n")

    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{tmp_path}/tfa.ini:3: {message}")
