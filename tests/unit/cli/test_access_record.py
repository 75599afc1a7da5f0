"""``access explain --json``: what the text says, for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE, write_config
from tests.support.users import ARGON2ID, entry, write_users

RULES = """\
access_control:
  rules:
    - {domain: www.example.com, policy: bypass}
    - {domain: "*.example.com", path: /x, groups: developers, policy: one_factor}
"""


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder with two rules and a user."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, COMPLETE + RULES)
    write_users(
        tmp_path / "users.yaml", entry("alice", ARGON2ID, "groups: [developers]")
    )


def explain(*arguments: str) -> dict[str, Any]:
    """Return what is said about a request."""
    result = CliRunner().invoke(main, ["access", "explain", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_each_rule_that_was_tried_is_a_step() -> None:
    """With each criterion, and the one that decided."""
    found = explain("https://a.example.com/x/y?z", "--user", "alice")

    assert found == {
        "method": "GET",
        "url": "https://a.example.com/x/y?z",
        "user": "alice",
        "groups": ["developers"],
        "outcome": "allow",
        "reason": "rule",
        "rule": 2,
        "policy": "one_factor",
        "allows_basic": False,
        "steps": [
            {
                "rule": 1,
                "policy": "bypass",
                "decides": False,
                "checks": [
                    {"criterion": "domain", "match": "no", "wanted": "www.example.com"}
                ],
            },
            {
                "rule": 2,
                "policy": "one_factor",
                "decides": True,
                "checks": [
                    {"criterion": "domain", "match": "yes", "wanted": "*.example.com"},
                    {"criterion": "path", "match": "yes", "wanted": "/x"},
                    {
                        "criterion": "subject",
                        "match": "yes",
                        "wanted": "group:developers",
                    },
                ],
            },
        ],
    }


CASES = {
    "nobody": ("https://a.example.com/x", "sign_in", "rule"),
    "by default": ("https://a.example.com/y", "forbidden", "default_policy"),
    "ambiguous": ("https://a.example.com/x//y", "forbidden", "path_ambiguous"),
    "plain http": ("http://www.example.com/", "forbidden", "scheme_insecure"),
    "elsewhere": ("https://example.net/", "refused", "no_cookie_domain"),
    "logout": ("https://a.example.com/logout", "sign_out", "logout_path"),
    "logout by http": ("http://a.example.com/logout", "to_portal", "logout_path"),
}


@pytest.mark.parametrize(("url", "outcome", "reason"), CASES.values(), ids=CASES)
def test_the_outcome_is_a_word(url: str, outcome: str, reason: str) -> None:
    """Also where no rule is asked."""
    found = explain(url)

    assert (found["outcome"], found["reason"]) == (outcome, reason)
    assert found["user"] is None
