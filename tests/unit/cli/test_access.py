"""``forwardauth access explain``: which rule decides, and why."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE, write_config
from tests.support.users import ARGON2ID, entry, write_users

RULES = """\
access_control:
  rules:
    - domain: www.example.com
      policy: bypass
    - domain: "*.dev.example.com"
      groups: developers
      policy: one_factor
    - domain: "*.example.com"
      policy: one_factor
"""


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder with rules and two users, one of them disabled."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, COMPLETE + RULES)
    alice = entry("Alice", ARGON2ID, "groups: [developers]")
    write_users(
        tmp_path / "users.yaml", alice, entry("bob", ARGON2ID, "disabled: true")
    )


def explain(*arguments: str) -> Result:
    """Return what is said about a request."""
    return CliRunner().invoke(main, ["access", "explain", *arguments])


def test_every_rule_that_was_tried_is_told() -> None:
    """The last line is the decision, the one before it the rule."""
    result = explain("https://app.example.com/inbox?a=b")

    assert result.exit_code == 0
    assert result.output == (
        "GET https://app.example.com/inbox?a=b  as nobody\n"
        "  rule 1: host app.example.com is not among www.example.com\n"
        "  rule 2: host app.example.com is not among *.dev.example.com\n"
        "  rule 3: host matches; for everyone; policy one_factor  <- decides\n"
        "sign_in: rule 3, policy one_factor\n"
    )


def test_a_user_brings_the_groups_of_the_users_file() -> None:
    """The name is found however it is spelled."""
    result = explain("https://git.dev.example.com", "--user", "alice")

    assert result.exit_code == 0
    assert result.output.startswith(
        "GET https://git.dev.example.com/  as Alice, groups: developers\n"
    )
    assert result.output.endswith("allow: rule 2, policy one_factor\n")


def test_the_default_policy_decides_where_no_rule_matches() -> None:
    """V-1: what nobody thought of is denied."""
    result = explain("https://example.com/", "--user", "alice")

    assert result.output.endswith("forbidden: no rule matches, policy deny\n")


def test_a_logout_path_comes_before_any_rule() -> None:
    """L-45: no rule can keep people from signing out."""
    result = explain("https://www.example.com/logout?rd=x")

    assert result.output.endswith(
        "signs out: /logout is in logout.paths, before any rule\n"
    )


def test_a_foreign_host_is_refused_before_any_rule() -> None:
    """No cookie could reach it."""
    result = explain("https://app.example.net/")

    assert result.output.endswith(
        "refused: app.example.net is below no cookie domain\n"
    )


def test_the_users_file_is_not_needed_for_nobody(tmp_path: Path) -> None:
    """Rules can be tried before there are users."""
    (tmp_path / "users.yaml").unlink()

    assert explain("https://www.example.com/").exit_code == 0


@pytest.mark.parametrize(
    ("name", "trouble"), [("carol", "no such user"), ("bob", "user disabled")]
)
def test_a_user_who_cannot_sign_in_is_told(name: str, trouble: str) -> None:
    """Nobody is explained who could not ask."""
    result = explain("https://app.example.com/", "--user", name)

    assert result.exit_code == 1
    assert trouble in result.stderr


@pytest.mark.parametrize(
    ("arguments", "keyword"),
    [
        (["app.example.com"], "must be http or https"),
        (["ftp://app.example.com/"], "must be http or https"),
        (["https://app_1.example.com/"], "is not a host name"),
        (["https://app.example.com/#a"], "is not a path with query"),
        (["https://app.example.com?a=b"], "is not a host name"),
        (
            ["https://app.example.com/", "--method", "get"],
            "; known are ",
        ),
        (["https://app.example.com/", "--ip", "localhost"], "localhost"),
        ([], "URL"),
    ],
)
def test_a_request_that_no_adapter_reads_is_a_mistake_in_the_call(
    arguments: list[str], keyword: str
) -> None:
    """V-16, V-17, V-18: status 2, with the same grammar as behind a proxy."""
    result = explain(*arguments)

    assert result.exit_code == 2
    assert keyword in result.stderr


def test_method_and_address_are_understood() -> None:
    """A client may have either kind of address."""
    for address in ("192.0.2.1", "2001:db8::1"):
        result = explain(
            "http://www.example.com:8080/", "--method", "POST", "--ip", address
        )

        assert result.output.startswith(
            "POST http://www.example.com:8080/  as nobody\n"
        )
