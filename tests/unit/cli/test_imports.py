"""``forwardauth import``: what goes to which stream, and which files are written."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from forwardauth.users.reader import load_users
from tests.support.migration import AUTHELIA
from tests.support.repository import ROOT
from tests.support.users import ARGON2ID, BCRYPT, entry, write_users

SECRET = "0123456789abcdef0123456789abcdef"
CONFIGURATION = f"""\
{AUTHELIA}  secret: {SECRET}
  redis: {{host: redis, password: hunter2}}
theme: dark
authentication_backend: {{file: {{path: users_database.yml}}}}
access_control:
  rules:
    - {{domain: www.example.com, policy: bypass}}
    - {{domain: bank.example.com, policy: two_factor}}
    - {{domain: '*.example.com', subject: 'group:dev', policy: one_factor}}
"""


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder with the files of an Authelia."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configuration.yml").write_text(CONFIGURATION)
    write_users(
        tmp_path / "users_database.yml", entry("john", ARGON2ID, "groups: [dev]")
    )


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, [*arguments])


def test_the_configuration_goes_to_standard_output() -> None:
    """The report goes to the other stream, so that a pipe gets the file alone."""
    result = run("import", "authelia", "configuration.yml")

    assert result.exit_code == 0
    assert result.stdout.startswith("# Written by forwardauth import")
    assert "configuration.yml:7: theme:" in result.stderr
    assert "theme" not in result.stdout


def test_what_is_written_passes_our_own_check() -> None:
    """With its users file, as the service would start."""
    written = run("import", "authelia", "configuration.yml", "--output", "config.yaml")

    checked = run("config", "check")

    assert written.exit_code == checked.exit_code == 0, checked.output
    assert "  rules    3, then deny" in checked.stdout
    assert "  users    1" in checked.stdout
    assert "open to everybody: www.example.com" in checked.stdout


def test_a_file_with_secrets_is_for_its_owner(tmp_path: Path) -> None:
    """And the report, which goes to standard output now, has none of them."""
    result = run("import", "authelia", "configuration.yml", "--output", "config.yaml")

    text = (tmp_path / "config.yaml").read_text()
    assert (tmp_path / "config.yaml").stat().st_mode & 0o777 == 0o600
    assert "hunter2" in text
    assert SECRET in text
    assert "stricter here" not in text
    assert "to do:" in result.stdout
    assert "hunter2" not in result.output
    assert SECRET not in result.output


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Unless --force says so."""
    (tmp_path / "config.yaml").write_text("mine")
    call = ("import", "authelia", "configuration.yml", "--output", "config.yaml")

    refused = run(*call)
    kept = (tmp_path / "config.yaml").read_text()
    forced = run(*call, "--force")

    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert kept == "mine"
    assert forced.exit_code == 0


def test_the_report_for_programs() -> None:
    """One record for each finding, on the stream of the report."""
    result = run(
        "import", "authelia", "configuration.yml", "--output", "config.yaml", "--json"
    )

    records = json.loads(result.stdout)
    assert {record["fate"] for record in records} == {"to_do", "left", "taken"}
    assert {
        "fate": "left",
        "key": "theme",
        "file": "configuration.yml",
        "line": 7,
        "text": "the portal follows the browser: light or dark",
    } in records


def test_two_factor_is_a_choice() -> None:
    """Denied by default."""
    strict = run("import", "authelia", "configuration.yml")
    lenient = run(
        "import", "authelia", "configuration.yml", "--two-factor", "one_factor"
    )

    assert "- domain: bank.example.com\n      policy: deny" in strict.stdout
    assert "- domain: bank.example.com\n      policy: one_factor" in lenient.stdout


FAILURES = {
    "missing": ("nowhere.yml", "nowhere.yml: cannot be read"),
    "mistake": ("bad.yml", "bad.yml:1: session.cookies.0: has no authelia_url"),
    "refused here": ("suffix.yml", "is a public suffix"),
}


@pytest.mark.parametrize(("file", "message"), FAILURES.values(), ids=FAILURES)
def test_a_source_that_cannot_be_carried_over_ends_with_2(
    tmp_path: Path, file: str, message: str
) -> None:
    """And nothing is written."""
    (tmp_path / "bad.yml").write_text("session: {cookies: [{domain: example.com}]}\n")
    (tmp_path / "suffix.yml").write_text(AUTHELIA.replace("example.com", "co.uk"))

    result = run("import", "authelia", file, "--output", "config.yaml")

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "config.yaml").exists()


def test_tinyauth_brings_its_users_along(tmp_path: Path) -> None:
    """Beside the configuration, for the owner alone; both pass our own check."""
    (tmp_path / ".env").write_text(
        f"APP_URL=https://auth.example.com\nUSERS=alice:{BCRYPT}\nSECRET=hunter2\n"
    )

    written = run("import", "tinyauth", ".env", "--output", "config.yaml")

    checked = run("config", "check")
    assert written.exit_code == checked.exit_code == 0, checked.output
    assert "  users    1" in checked.stdout
    assert (tmp_path / "users.yaml").stat().st_mode & 0o777 == 0o600
    assert BCRYPT not in written.output
    assert "hunter2" not in written.output


def test_users_are_written_to_files_alone(tmp_path: Path) -> None:
    """On standard output there is one file; the report says how to get the other."""
    (tmp_path / ".env").write_text(
        f"APP_URL=https://auth.example.com\nUSERS=alice:{BCRYPT}\n"
    )

    result = run("import", "tinyauth", ".env")

    assert result.exit_code == 0
    assert "users.yaml: the users are written with --output" in result.stderr
    assert not (tmp_path / "users.yaml").exists()


def test_users_that_are_there_keep_both_files_from_being_written(
    tmp_path: Path,
) -> None:
    """Half of an import would sign in other people than it says."""
    (tmp_path / ".env").write_text(
        f"APP_URL=https://auth.example.com\nUSERS=alice:{BCRYPT}\n"
    )
    (tmp_path / "users.yaml").write_text("mine")

    result = run("import", "tinyauth", ".env", "--output", "config.yaml")

    assert result.exit_code == 2
    assert "users.yaml exists already" in result.stderr
    assert not (tmp_path / "config.yaml").exists()


def test_traefik_forward_auth_needs_its_users_added(tmp_path: Path) -> None:
    """By the commands that the report names; then our own check passes."""
    (tmp_path / "tfa.ini").write_text(
        "cookie-domain = example.com\nauth-host = auth.example.com\n"
        "whitelist = jane@example.org\n"
    )

    written = run(
        "import", "traefik-forward-auth", "tfa.ini", "--output", "config.yaml"
    )

    assert "forwardauth users add jane@example.org" in written.stdout
    added = CliRunner().invoke(
        main, ["users", "add", "jane@example.org"], input="correct horse\n"
    )
    checked = run("config", "check")
    assert (written.exit_code, added.exit_code, checked.exit_code) == (0, 0, 0)
    assert checked.stderr == ""


def test_a_password_file_becomes_a_users_file(tmp_path: Path) -> None:
    """On standard output, or in a file for the owner alone."""
    (tmp_path / "htpasswd").write_text(f"alice:{BCRYPT}\n")

    shown = run("import", "htpasswd", "htpasswd")
    written = run("import", "htpasswd", "htpasswd", "--output", "users.yaml")

    assert shown.exit_code == written.exit_code == 0
    assert shown.stdout == (tmp_path / "users.yaml").read_text()
    assert load_users(tmp_path / "users.yaml").get("alice") is not None
    assert (tmp_path / "users.yaml").stat().st_mode & 0o777 == 0o600
    assert "htpasswd:1: alice: user alice" in written.stdout


def test_a_password_that_is_not_read_ends_with_2(tmp_path: Path) -> None:
    """Unless its user is left out on purpose."""
    (tmp_path / "htpasswd").write_text(f"alice:$apr1$a$b\nbob:{BCRYPT}\n")

    refused = run("import", "htpasswd", "htpasswd")
    skipped = run("import", "htpasswd", "htpasswd", "--skip-refused", "--json")

    assert refused.exit_code == 2
    assert refused.stderr.startswith("htpasswd:1: the password of user alice is MD5")
    assert refused.stdout == ""
    assert skipped.exit_code == 0
    assert "alice" not in skipped.stdout
    assert json.loads(skipped.stderr)[0]["key"] == "alice"


def test_the_example_of_the_guide_is_what_is_written(tmp_path: Path) -> None:
    """Line by line, with its comments."""
    guide = (ROOT / "docs/migrating.md").read_text()
    source, wanted, *_ = re.findall(r"(?s)```yaml\n(.*?)```", guide)
    (tmp_path / "configuration.yml").write_text(source)

    result = run("import", "authelia", "configuration.yml")

    assert result.exit_code == 0
    assert wanted in result.stdout


def test_the_guide_has_every_option() -> None:
    """None that is gone, either."""
    guide = (ROOT / "docs/migrating.md").read_text()
    shown = run("import", "authelia", "--help").stdout
    shown += run("import", "htpasswd", "--help").stdout

    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z-]+", guide))
