"""Every key of the file is read, has no counterpart, or is unknown; none is silent."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.authelia.keys import LEFT, READ
from forwardauth.migration.report import Fate
from tests.support.migration import AUTHELIA, import_authelia


@pytest.mark.parametrize(
    "key", [key for key in LEFT if key.partition(".")[0] != "session"]
)
def test_a_key_without_counterpart_is_listed(tmp_path: Path, key: str) -> None:
    """With what there is in its place."""
    head, *rest = key.split(".")
    value = "x"
    for name in reversed(rest):
        value = f"{{{name}: {value}}}"

    written = import_authelia(tmp_path, f"{AUTHELIA}{head}: {value}\n")

    assert written.texts(Fate.LEFT, key) == [LEFT[key]]


UNKNOWN = {
    "top": ("acess_control: {}", "acess_control", "did you mean access_control?"),
    "below": ("server: {adress: x}", "server.adress", "did you mean server.address?"),
    "far from all": ("xyzzy: 1", "xyzzy", "is no key of Authelia"),
}


@pytest.mark.parametrize(("text", "key", "word"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_key_is_listed_with_its_line(
    tmp_path: Path, text: str, key: str, word: str
) -> None:
    """A misspelt criterion or section is seen."""
    written = import_authelia(tmp_path, f"{AUTHELIA}{text}\n")

    (found,) = [each for each in written.report.findings if each.key == key]
    assert (found.fate, found.line) == (Fate.LEFT, 5)
    assert word in found.text


DEEPER = {
    "a cookie": ("      same_sit: lax", "session.cookies.0.same_sit"),
    "redis": ("  redis: {host: r, hots: s}", "session.redis.hots"),
    "sentinel": (
        "  redis: {host: r, high_availability: {sentinel_name: s, node: []}}",
        "session.redis.high_availability.node",
    ),
    "rules": ("access_control: {rule: []}", "access_control.rule"),
    "a network": (
        "access_control: {networks: [{name: a, networks: [10.0.0.1], netwrks: x}]}",
        "access_control.networks.0.netwrks",
    ),
}


@pytest.mark.parametrize(("line", "key"), DEEPER.values(), ids=DEEPER)
def test_an_unknown_key_further_down_is_listed(
    tmp_path: Path, line: str, key: str
) -> None:
    """Also where everything around it is read."""
    written = import_authelia(tmp_path, f"{AUTHELIA}{line}\n")

    (found,) = [each for each in written.report.findings if each.key == key]
    assert (found.fate, found.line) == (Fate.LEFT, 5)
    assert "did you mean" in found.text


def test_no_key_is_both_read_and_left() -> None:
    """The two tables share nothing."""
    assert not READ & LEFT.keys()


def test_a_section_that_holds_no_keys_is_refused(tmp_path: Path) -> None:
    """It cannot be told what it was to say."""
    with pytest.raises(ConfigError) as caught:
        import_authelia(tmp_path, f"{AUTHELIA}server: fast\n")

    assert "configuration.yml:5: server: must hold keys" in str(caught.value)
