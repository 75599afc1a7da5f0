"""``server`` of Authelia: address and path, in every spelling since 4.30."""

from pathlib import Path

import pytest

from forwardauth.migration.report import Fate
from tests.support.migration import AUTHELIA, import_authelia

NETWORK = ("172.20.0.0/24",)

ADDRESSES = {
    "4.38": ("server: {address: 'tcp://:9092/sso'}", "0.0.0.0:9092", "/sso"),
    "4.38 without scheme": ("server: {address: '10.0.0.5:80'}", "10.0.0.5:80", ""),
    "4.38 IPv6": ("server: {address: 'tcp6://[::1]:80/'}", "[::1]:80", ""),
    "4.37": (
        "server: {host: 10.0.0.5, port: 9000, path: authelia}",
        "10.0.0.5:9000",
        "/authelia",
    ),
    "4.29": ("host: 0.0.0.0\nport: 8080", "0.0.0.0:8080", ""),
    "default": ("", "0.0.0.0:9091", ""),
}


@pytest.mark.parametrize(("text", "listen", "path"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_listener_with_known_proxies(
    tmp_path: Path, text: str, listen: str, path: str
) -> None:
    """Whoever may connect has been named."""
    written = import_authelia(tmp_path, f"{AUTHELIA}{text}\n", trusted_proxies=NETWORK)

    server = written.settings.server
    assert [str(address) for address in server.listen] == [listen]
    assert server.base_path == path
    assert [str(network) for network in server.trusted_proxies] == list(NETWORK)


def test_without_known_proxies_loopback(tmp_path: Path) -> None:
    """The report says what is missing."""
    written = import_authelia(tmp_path, AUTHELIA)

    assert str(written.settings.server.listen[0]) == "127.0.0.1:9091"
    (text,) = written.texts(Fate.TO_DO, "server.address")
    assert "--trusted-proxy" in text


@pytest.mark.parametrize("address", ["unix:///run/a.sock", "'tcp://:9091/a b/'"])
def test_what_cannot_be_written_is_left_to_do(tmp_path: Path, address: str) -> None:
    """A socket, and a path that proxies read in different ways."""
    written = import_authelia(tmp_path, f"{AUTHELIA}server: {{address: {address}}}\n")

    assert len(written.texts(Fate.TO_DO, "server.address")) >= 1
    assert written.settings.server.base_path == ""
