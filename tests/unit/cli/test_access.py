"""``forwardauth access explain``: which rule decides, and why."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE, write_config
from tests.support.users import ARGON2ID, entry, write_users

RULES = """\
access_control:
  networks: [{name: internal, networks: 10.0.0.0/8}]
  rules:
    - domain: www.example.com
      policy: bypass
    - domain: "*.dev.example.com"
      groups: developers
      policy: one_factor
    - domain: app.example.com
      networks: internal
      methods: [GET, HEAD]
      path: /admin
      policy: deny
    - domain: api.example.com
      path_regex: '/v[0-9]+/.*'
      query: [[{operator: equal, key: a, value: b}]]
      networks: internal
      preflight: allow
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
    """Each criterion has its outcome; the last line is the decision."""
    result = explain("https://app.example.com/inbox?a=b", "--ip", "10.1.2.3")

    assert result.exit_code == 0
    assert result.output == (
        "GET https://app.example.com/inbox?a=b  as nobody\n"
        "  rule 1: bypass\n"
        "    no      domain   www.example.com\n"
        "  rule 2: one_factor\n"
        "    no      domain   *.dev.example.com\n"
        "  rule 3: deny\n"
        "    yes     domain   app.example.com\n"
        "    yes     methods  GET, HEAD\n"
        "    no      path     /admin\n"
        "    yes     networks internal\n"
        "    yes     subject  everybody\n"
        "  rule 4: one_factor\n"
        "    no      domain   api.example.com\n"
        "  rule 5: one_factor  <- decides\n"
        "    yes     domain   *.example.com\n"
        "    yes     subject  everybody\n"
        "sign_in: rule 5, policy one_factor\n"
    )


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["--method", "PUT", "--ip", "10.0.0.1"], "sign_in: rule 5"),
        (["--method", "HEAD", "--ip", "10.0.0.1"], "forbidden: rule 3"),
        (["--ip", "192.0.2.1"], "sign_in: rule 5"),
        (["--ip", "::ffff:10.0.0.1"], "forbidden: rule 3"),
        ([], "forbidden: rule 3"),
    ],
    ids=["method", "other method", "address", "mapped address", "no address"],
)
def test_method_and_address_count(arguments: list[str], verdict: str) -> None:
    """V-22: an address that is not told is denied by a rule that denies."""
    result = explain("https://app.example.com/admin/users", *arguments)

    assert result.output.splitlines()[-1].startswith(verdict)


def test_what_cannot_be_told_is_told() -> None:
    """V-22: with what it means for a rule of that policy."""
    denied = explain("https://app.example.com/admin")
    passed = explain("https://api.example.com/v1/x?a=b&a=c", "--user", "alice")

    assert (
        "    unknown networks internal  (cannot be told, so a rule of deny matches)\n"
    ) in denied.output
    assert (
        "    unknown query    a equal 'b'  "
        "(cannot be told, so a rule of one_factor lets nobody by)\n"
    ) in passed.output


def test_nobody_is_told_that_signing_in_would_tell() -> None:
    """A rule for certain people stops whoever is not signed in."""
    result = explain("https://git.dev.example.com/")

    assert (
        "    unknown subject  group:developers  "
        "(nobody is signed in: only signing in can tell)\n"
        "sign_in: rule 2, policy one_factor\n"
    ) in result.output


def test_an_ambiguous_path_is_denied_before_any_rule() -> None:
    """V-19: where a rule looks at paths, and with the reason of the log."""
    denied = explain("https://app.example.com/x/..%2fadmin", "--user", "alice")
    passed = explain("https://www.example.com/x/..%2fadmin")

    (verdict,) = denied.output.splitlines()[1:]
    assert verdict == (
        "forbidden: path_ambiguous, a rule for this host looks at the path, and"
        " programs read this one in different ways"
    )
    assert passed.output.endswith("allow: rule 1, policy bypass\n")


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        (
            "https://api.example.com/v1/x?a=b",
            "allow: rule 4, policy one_factor, preflight allowed",
        ),
        (
            "https://www.example.com/",
            "forbidden: rule 1, policy bypass, preflight not allowed",
        ),
        (
            "https://example.com/",
            "forbidden: no rule matches, policy deny, preflight not allowed",
        ),
    ],
)
def test_a_preflight_is_explained(url: str, verdict: str) -> None:
    """V-38: it passes where the rule says so, and nowhere else."""
    result = explain(url, "--preflight", "--ip", "10.0.0.1")

    first, *_, last = result.output.splitlines()
    assert first == f"OPTIONS {url}  as nobody"
    assert last == verdict


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


def test_logout_by_plain_http_ends_nothing() -> None:
    """No session cookie comes that way, so that there is nothing to end."""
    result = explain("http://www.example.com/logout?rd=x")

    assert result.output.endswith(
        "leads to the portal: nobody is signed out by plain http\n"
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


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("www.example.com", "forbidden: rule 1, policy bypass"),
        ("other.example.com", "forbidden: rule 5, policy one_factor"),
    ],
)
def test_plain_http_is_denied_with_the_reason_of_the_log(
    host: str, verdict: str
) -> None:
    """V-15: the rule that it met is named, and what it would have to say."""
    result = explain(f"http://{host}/", "--user", "alice")

    why = "scheme_insecure: plain http needs plain_http: allow"
    assert result.output.splitlines()[-1] == f"{verdict}, {why}"


def test_basic_is_told_as_a_way_in(tmp_path: Path) -> None:
    """Where the rule that asks for a sign-in takes it, and nowhere else."""
    rules = RULES.replace("groups: developers", "groups: developers\n      basic: true")
    write_config(tmp_path, COMPLETE + rules)

    taken = explain("https://a.dev.example.com/").output.splitlines()[-1]
    other = explain("https://other.example.com/").output.splitlines()[-1]

    assert taken == "sign_in: rule 2, policy one_factor, at the portal or by Basic"
    assert other == "sign_in: rule 5, policy one_factor"
