"""``forwardauth doctor`` as a command; what it finds is tested where it looks."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.doctor import parse_resolve
from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE
from tests.support.processes import free_ports
from tests.support.users import entry, write_users

SECRET = "of thirty-two characters or more, and known to nobody"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a configuration of which no service runs."""
    main_port, management, portal = free_ports(3)
    server = (
        f"{{listen: '127.0.0.1:{main_port}', management: '127.0.0.1:{management}'}}"
    )
    text = COMPLETE.replace("auth.example.com", f"auth.example.com:{portal}")
    Path(tmp_path / "config.yaml").write_text(f"{text}server: {server}\n")
    write_users(tmp_path / "users.yaml", entry("alice")).chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    """Run the command, without a terminal."""
    return CliRunner().invoke(main, ["doctor", *arguments])


def checks(result: Result) -> list[dict[str, Any]]:
    """Return the findings that were written as JSON."""
    found: list[dict[str, Any]] = json.loads(result.stdout)["checks"]
    return found


def test_service_that_does_not_run_is_the_diagnosis(folder: Path) -> None:
    """Every listener has failed, nothing was made, and the status says so."""
    port = (folder / "config.yaml").read_text().partition("com:")[2].split("\n")[0]

    result = run("--json", "--resolve", f"*:{port}:127.0.0.1", "--timeout", "2")

    failed = {each["check"].split()[0] for each in checks(result) if each["remedy"]}
    assert result.exit_code == 1
    assert {"session", "listener", "management", "portal"} <= failed
    assert {each.name for each in folder.iterdir()} == {"config.yaml", "users.yaml"}


def test_broken_configuration_is_the_diagnosis(folder: Path) -> None:
    """All problems at once, each with its place and remedy; nobody is asked."""
    (folder / "config.yaml").write_text("sesion: {}\ncookies: []\n")

    result = run("--json")

    assert result.exit_code == 1
    assert {each["outcome"] for each in checks(result)} == {"fail"}
    assert any("config.yaml:1" in each["detail"] for each in checks(result))
    assert all(each["remedy"] for each in checks(result))


def test_table_has_each_remedy_below_its_line(folder: Path) -> None:
    """For people: what was seen, what to do, and the sum."""
    (folder / "config.yaml").write_text("sesion: {}\n")

    result = run()

    heading, first, remedy, *_, last = result.stdout.splitlines()
    assert heading.split() == ["RESULT", "CHECK", "WHAT", "WAS", "SEEN"]
    assert first.startswith("fail")
    assert remedy.startswith("      -> ")
    assert last.endswith(" fail")


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:b", "a:443", "a:x:127.0.0.1", ":443:127.0.0.1", "a:0:::1", "a:1:-"],
)
def test_way_that_is_none_is_a_usage_error(text: str) -> None:
    """It says how one is written."""
    result = run("--resolve", text)

    assert result.exit_code == 2
    assert "--resolve" in result.stderr


@pytest.mark.parametrize("text", ["127.0.0.1", "[::1]", "::1", "localhost"])
def test_way_is_an_address_or_a_name(text: str) -> None:
    """In a network of containers machines have names, and addresses come and go."""
    (place, address) = parse_resolve(f"*:8443:{text}")

    assert place == ("*", 8443)
    assert address in {"127.0.0.1", "::1"}


def test_password_needs_a_name(folder: Path) -> None:
    """A password alone signs nobody in."""
    file = folder / "password"
    file.write_text("hunter2\n")

    result = run("--password-file", str(file))

    assert result.exit_code == 2
    assert "hunter2" not in result.output


@pytest.mark.usefixtures("folder")
def test_secret_is_in_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails, the key of the service is not told."""
    monkeypatch.setenv("FORWARDAUTH_SESSION__SECRET", SECRET)

    result = run("--timeout", "1", "--resolve", "*:443:127.0.0.1")

    assert result.exit_code == 1
    assert SECRET not in result.output
