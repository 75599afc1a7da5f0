"""Portals and listeners, whatever the source."""

from pathlib import Path

import pytest

from forwardauth.migration.choices import Choices
from forwardauth.migration.portals import Portal, is_target, write_listener
from forwardauth.migration.yaml_text import Entry

PORTAL = Portal(domain="example.com", url="https://auth.example.com", note="from x")


def test_without_known_proxies_only_loopback_is_listened_on(tmp_path: Path) -> None:
    """Else anybody could say which client asks; the remark names the way out."""
    keys, remark = write_listener("", "9091", Choices(folder=tmp_path))

    assert keys == (Entry(name="listen", value="127.0.0.1:9091"),)
    assert remark is not None
    assert "--trusted-proxy" in remark


@pytest.mark.parametrize(
    ("host", "listen"),
    [("", "0.0.0.0:80"), ("10.0.0.5", "10.0.0.5:80"), ("::1", "[::1]:80")],
)
def test_with_known_proxies_the_address_is_taken_over(
    tmp_path: Path, host: str, listen: str
) -> None:
    """Empty means every address."""
    choices = Choices(folder=tmp_path, trusted_proxies=("172.20.0.0/24",))

    keys, remark = write_listener(host, "80", choices)

    assert [key.value for key in keys] == [listen, ["172.20.0.0/24"]]
    assert remark is None


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://home.example.com/", True),
        ("http://home.example.com/", False),
        ("https://example.net/", False),
    ],
)
def test_a_target_is_judged_by_the_one_validator(url: str, wanted: bool) -> None:
    """A portal that is refused itself allows nothing."""
    broken = Portal(domain="co.uk", url="https://auth.co.uk", note="from y")

    assert is_target(url, [broken, PORTAL], base_path="") is wanted
