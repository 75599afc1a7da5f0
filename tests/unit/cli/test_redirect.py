"""``forwardauth redirect explain``: the validator, asked from a shell."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.configuration import COMPLETE, write_config


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder with a configuration and no users file."""
    monkeypatch.chdir(tmp_path)
    text = "logout: {allowed_targets: [https://www.example.net/shop]}\n"
    write_config(tmp_path, COMPLETE + text)


def explain(url: str) -> Result:
    """Return what is said about *url*."""
    return CliRunner().invoke(main, ["redirect", "explain", "--", url])


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://app.example.com/inbox", "cookie domain example.com"),
        ("https://www.example.net/shop/1", "allowed_targets: https://www.example.net/"),
    ],
)
def test_an_accepted_target_names_the_place_that_admits_it(
    url: str, place: str
) -> None:
    """Status 0."""
    result = explain(url)

    assert result.exit_code == 0
    assert result.output.startswith("accepted (")
    assert place in result.output


@pytest.mark.parametrize(
    ("url", "rule", "reason"),
    [
        ("https://evil.example/", "rule 3", "host_not_allowed"),
        ("https://evil.example\\@app.example.com/", "rule 1", "backslash"),
        ("//evil.example", "rule 2", "relative"),
        ("https://auth.example.com/logout", "rule 4", "loop"),
        ("https://www.example.net/", "rule 3", "path_not_allowed"),
        ("", "rule 1", "empty"),
        ("-https://app.example.com/", "rule 2", "relative"),
    ],
)
def test_a_refused_target_names_the_rule(url: str, rule: str, reason: str) -> None:
    """L-33: status 1, with the reason that the log has."""
    result = explain(url)

    assert result.exit_code == 1
    verdict, detail = result.output.splitlines()
    assert verdict.startswith(f"refused ({rule}: ")
    assert detail.startswith(f"{reason}: ")


def test_a_refused_target_is_not_repeated() -> None:
    """L-34: what may hold control characters never reaches the terminal."""
    result = explain("https://evil.example/\x1b[31m")

    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "evil" not in result.output


def test_a_broken_configuration_decides_nothing(tmp_path: Path) -> None:
    """Status 2 is neither accepted nor refused."""
    write_config(tmp_path, "cookies: []\n")

    assert explain("https://app.example.com/").exit_code == 2


@pytest.mark.parametrize(
    ("url", "status", "record"),
    [
        (
            "https://app.example.com/",
            0,
            {"accepted": True, "reason": None, "detail": None},
        ),
        ("https://evil.example/", 1, {"accepted": False, "reason": "host_not_allowed"}),
    ],
    ids=["accepted", "refused"],
)
def test_programs_get_a_record(
    url: str, status: int, record: dict[str, object]
) -> None:
    """With the status of the text."""
    result = CliRunner().invoke(main, ["redirect", "explain", "--json", url])

    assert result.exit_code == status
    found = json.loads(result.stdout)
    assert found.items() >= record.items()
    assert found["rule"]
