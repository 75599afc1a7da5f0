"""``forwardauth config check``: all problems at once, or a summary."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE, USERS, write_config
from tests.support.users import ARGON2ID, entry, write_users

RULES = """\
session:
  store: redis://:hunter2@redis
  secret: 0123456789abcdef0123456789abcdef
access_control:
  rules:
    - domain: [www.example.com, status.example.com]
      policy: bypass
    - domain: git.example.com
      groups: developers
      policy: one_factor
"""


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder with the shortest configuration and one user."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, COMPLETE)
    write_users(
        tmp_path / "users.yaml", entry("alice", ARGON2ID, "groups: [developers]")
    )


def check(*arguments: str) -> Result:
    """Check the configuration."""
    return CliRunner().invoke(main, ["config", "check", *arguments])


def test_a_valid_configuration_is_summed_up(tmp_path: Path) -> None:
    """What would be started, at a glance."""
    result = check()

    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == (
        "the configuration is valid\n"
        "  portal   https://auth.example.com/\n"
        "  listen   127.0.0.1:9091\n"
        f"  store    sqlite:{tmp_path}/sessions.db\n"
        "  users    1\n"
        "  rules    0, then deny\n"
    )


def test_every_open_door_is_listed(tmp_path: Path) -> None:
    """V-21: what everybody may see is seen by whoever checks."""
    write_config(tmp_path, COMPLETE + RULES)

    lines = check().stdout.splitlines()

    assert "  rules    2, then deny" in lines
    assert lines[-1] == (
        "  open to everybody: www.example.com, status.example.com"
        " (rule 1: every method, every path)"
    )


OPEN_DOORS = {
    "everything": ("", "app.example.com (rule 1: every method, every path)"),
    "wildcard": (
        "domain_regex: 'a.*'",
        "app.example.com, a.* (rule 1: many hosts, every method, every path)",
    ),
    "prefix": (
        "methods: GET\n      path: /a",
        "app.example.com; methods GET; path /a (rule 1: every path below)",
    ),
    "exact": (
        "methods: GET\n      path_regex: /a",
        "app.example.com; methods GET; path /a (rule 1)",
    ),
    "inside": (
        "networks: 10.0.0.0/8",
        "app.example.com; networks 10.0.0.0/8 (rule 1: every method, every path)",
    ),
}


@pytest.mark.parametrize(("criteria", "line"), OPEN_DOORS.values(), ids=OPEN_DOORS)
def test_an_open_door_has_a_note_how_wide_it_is(
    tmp_path: Path, criteria: str, line: str
) -> None:
    """V-21: only exact hosts, methods and paths are without one."""
    text = "access_control:\n  rules:\n    - domain: app.example.com\n"
    bypass = f"{text}      policy: bypass\n      {criteria}\n"
    write_config(tmp_path, COMPLETE + bypass)

    result = check()

    assert result.stdout.splitlines()[-1] == f"  open to everybody: {line}"


def test_a_rule_that_never_applies_is_a_warning(tmp_path: Path) -> None:
    """The status is 0: the service would start."""
    text = RULES + "    - {domain: www.example.com, policy: deny}\n"
    write_config(tmp_path, COMPLETE + text)

    result = check()

    assert result.exit_code == 0
    assert result.stderr.startswith(
        "Warning: config.yaml:16: access_control.rules.2.policy: never applies: rule 1"
    )


def test_names_inside_lists_are_compared_as_well(tmp_path: Path) -> None:
    """Whoever is named together with a group may be misspelt too."""
    subject = 'subject: [["user:alcie", "group:developers"]]'
    text = RULES.replace("groups: developers", subject)
    write_config(tmp_path, COMPLETE + text)

    assert "names the user alcie" in check().stderr


def test_a_default_that_lets_everybody_in_is_listed(tmp_path: Path) -> None:
    """V-21: also when no rule says so."""
    write_config(tmp_path, COMPLETE + "access_control: {default_policy: bypass}\n")

    result = check()

    assert "  open to everybody: what no rule matches\n" in result.stdout
    assert "Warning: config.yaml:6: access_control.default_policy" in result.stderr


def test_every_application_that_is_told_of_logouts_is_listed(tmp_path: Path) -> None:
    """Without the query, where a secret may stand."""
    text = "logout: {notify: ['https://a.example/x?key=hunter2', 'http://wiki/']}\n"
    write_config(tmp_path, COMPLETE + text)

    result = check()

    assert "  notify   https://a.example/x\n  notify   http://wiki/\n" in result.stdout
    assert "hunter2" not in result.output
    assert "Warning: config.yaml:6: logout.notify" in result.stderr


def test_the_password_of_the_store_is_not_shown(tmp_path: Path) -> None:
    """A summary is pasted into issues."""
    write_config(tmp_path, COMPLETE + RULES)

    result = check()

    assert "  store    redis\n" in result.stdout
    assert "hunter2" not in result.output
    assert "0123456789abcdef" not in result.output


def test_all_problems_are_told_with_status_2(tmp_path: Path) -> None:
    """Each on a line of its own, on standard error."""
    write_config(tmp_path, COMPLETE + "logout:\n  scope: x\n  paths: [y]\n")

    result = check()

    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == [
        "config.yaml:7",
        "config.yaml:8",
    ]


def test_files_and_users_are_checked_together(tmp_path: Path) -> None:
    """A missing folder does not hide a broken users file."""
    write_config(tmp_path, COMPLETE + "session: {journal: none/journal}\n")
    write_users(tmp_path / "users.yaml", "  alice: {password: secret}\n")

    result = check()

    assert result.exit_code == 2
    journal, *users = result.stderr.splitlines()
    assert journal.startswith("config.yaml:6: session.journal: the folder ")
    assert users
    assert all(line.startswith(f"{tmp_path}/users.yaml:") for line in users)


def test_a_missing_users_file_names_the_way_out(tmp_path: Path) -> None:
    """The first run of the shipped configuration ends with the next step."""
    (tmp_path / "users.yaml").unlink()

    result = check()

    assert result.exit_code == 2
    assert "forwardauth users add NAME" in result.stderr


def test_a_users_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    """Whoever can write it can sign in as anybody."""
    (tmp_path / "users.yaml").chmod(0o666)

    result = check()

    assert result.exit_code == 2
    assert "users.yaml" in result.stderr


def test_a_rule_that_names_nobody_is_a_warning(tmp_path: Path) -> None:
    """A misspelt group would lock its members out, or a misspelt user in."""
    text = RULES.replace("groups: developers", "groups: devs\n      users: Alice")
    write_config(tmp_path, COMPLETE + text)

    result = check()

    assert result.exit_code == 0
    user, group = result.stderr.splitlines()
    assert user.startswith(
        "Warning: config.yaml:13: access_control.rules.1: names the user Alice"
    )
    assert "names the group devs" in group


@pytest.mark.parametrize("arguments", [["other.yaml"], ["--config", "other.yaml"]])
def test_another_file_can_be_checked(tmp_path: Path, arguments: list[str]) -> None:
    """As an argument, as people try first, or as everywhere else."""
    (tmp_path / "other.yaml").write_text("cookies: []\n" + USERS)

    result = check(*arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith("other.yaml:1: cookies: names no domain;")


def test_a_file_is_named_once() -> None:
    """Two names are a mistake in the call."""
    result = check("a.yaml", "--config", "b.yaml")

    assert result.exit_code == 2
    assert "name the file once" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "check"],
        ["config", "check", "--json"],
        ["config", "show"],
        ["config", "show", "--json"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_refused_values_are_told_without_what_is_secret(
    tmp_path: Path, arguments: list[str]
) -> None:
    """A message goes to logs and to forums; the place tells which value it is."""
    text = (
        "  - domain: example.net\n"
        "    portal: https://auth.example.net\n"
        "    default_target: https://alice:hunter2@www.example.org/?token=hunter2\n"
        "session: {store: 'redis://me:hunter2@:0/', secret: hunter2}\n"
        "logout: {notify: ['ftp://hunter2@a/?hunter2'], paths: ['/x?token=hunter2']}\n"
    )
    write_config(tmp_path, COMPLETE + text)

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "'https://********@www.example.org/?********' would be" in result.output
    for key in ("session.store", "session.secret", "logout.notify", "logout.paths"):
        assert key in result.output


OPEN = (
    "open to everybody: www.example.com, status.example.com"
    " (rule 1: every method, every path)"
)


def test_programs_get_the_summary_as_a_record(tmp_path: Path) -> None:
    """With the warnings, and without the password of the store."""
    write_config(tmp_path, COMPLETE + RULES.replace("developers", "devs"))

    result = check("--json")

    record = json.loads(result.stdout)
    (warning,) = record.pop("warnings")
    assert result.exit_code == 0
    assert warning["place"] == "config.yaml:13"
    assert "names the group devs" in warning["reason"]
    assert record == {
        "valid": True,
        "portals": ["https://auth.example.com/"],
        "listen": ["127.0.0.1:9091"],
        "store": "redis",
        "users": 1,
        "notify": [],
        "rules": 2,
        "default_policy": "deny",
        "openings": [OPEN],
    }
    assert "hunter2" not in result.output


def test_programs_get_all_problems_as_records(tmp_path: Path) -> None:
    """Those of the users file, too, with status 2."""
    write_config(tmp_path, COMPLETE + "logout:\n  scope: x\n")
    write_users(tmp_path / "users.yaml", "  alice: {password: secret}\n")

    result = check("--json")

    record = json.loads(result.stdout)
    assert result.exit_code == 2
    assert result.stderr == ""
    assert record["valid"] is False
    assert [problem["place"] for problem in record["problems"]] == [
        "config.yaml:7",
        f"{tmp_path}/users.yaml:2",
    ]
    assert all(problem["remedy"] for problem in record["problems"])


def show(*arguments: str) -> Result:
    """Show the configuration."""
    return CliRunner().invoke(main, ["config", "show", *arguments])


def test_show_fills_in_defaults_and_tells_where_values_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A line for each key: its value, and the line or variable to change it at."""
    monkeypatch.setenv("FORWARDAUTH_PORTAL__TITLE", "Hello")

    result = show()

    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert "idle_timeout: 1h # default" in lines
    assert "title: Hello # FORWARDAUTH_PORTAL__TITLE" in lines
    assert "file: users.yaml # config.yaml:2" in lines


def test_show_tells_no_secret(tmp_path: Path) -> None:
    """Neither as YAML nor as JSON."""
    write_config(tmp_path, COMPLETE + RULES)

    for result in (show(), show("--json")):
        assert result.exit_code == 0
        assert "hunter2" not in result.output
        assert "0123456789abcdef" not in result.output
        assert "redis://:********@redis" in result.stdout


def test_show_for_programs_has_settings_and_origins() -> None:
    """Both by the names of the keys."""
    content = json.loads(show("--json").stdout)

    assert content["settings"]["users"] == {
        "file": "users.yaml",
        "min_password_length": "8",
        "min_password_score": "3",
    }
    assert content["origins"]["users.file"] == {
        "kind": "file",
        "source": "config.yaml",
        "line": 2,
        "path": None,
    }
    assert content["origins"]["portal.title"]["kind"] == "default"


def test_show_of_a_broken_file_tells_the_problems(tmp_path: Path) -> None:
    """There is nothing that counts, and status 2 says so."""
    write_config(tmp_path, "sesion: {}\n")

    result = show()

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "config.yaml:1: sesion" in result.stderr


def test_show_of_a_broken_file_tells_programs_as_check_does(tmp_path: Path) -> None:
    """Whoever parses the output finds the same record in either, and status 2."""
    write_config(tmp_path, COMPLETE + "logout: {scope: everywhere}\n")

    results = [
        CliRunner().invoke(main, ["config", name, "--json"])
        for name in ("show", "check")
    ]

    shown, checked = (json.loads(result.stdout) for result in results)
    assert [result.exit_code for result in results] == [2, 2]
    assert shown == checked
    assert shown["valid"] is False
    assert [each["key"] for each in shown["problems"]] == ["logout.scope"]
    assert [result.stderr for result in results] == ["", ""]


def test_show_reads_the_file_that_is_named(tmp_path: Path) -> None:
    """Once, as ``check`` does."""
    other = tmp_path / "other.yaml"
    other.write_text(COMPLETE + "portal: {title: Other}\n")

    assert "title: Other" in show(str(other)).stdout
    assert show(str(other), "--config", "config.yaml").exit_code == 2
