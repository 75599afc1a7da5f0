"""``server``: mistakes, collisions, and who is believed."""

import os
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from forwardauth.config.addresses import TcpAddress, UnixAddress
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.server import parse_base_path, parse_workers
from tests.support.configuration import Mistake, load_text, warnings_in

MISTAKES = {
    "listen-word": Mistake(
        text="server:\n  listen: here", key="server.listen", line=2, keyword="address"
    ),
    "listen-port-alone": Mistake(
        text="server:\n  listen: 9091", key="server.listen", line=2, keyword="address"
    ),
    "listen-host-name": Mistake(
        text="server:\n  listen: auth.example.com:9091",
        key="server.listen",
        line=2,
        keyword="not an IP address",
    ),
    "listen-port-out-of-range": Mistake(
        text="server:\n  listen: 127.0.0.1:70000",
        key="server.listen",
        line=2,
        keyword="port 70000",
    ),
    "listen-second-of-two": Mistake(
        text="server:\n  listen:\n    - 127.0.0.1:9091\n    - 127.0.0.1",
        key="server.listen.1",
        line=4,
        keyword="address",
    ),
    "listen-twice": Mistake(
        text="server:\n  listen: [127.0.0.1:9091, localhost:9091]",
        key="server.listen",
        line=2,
        keyword="collide",
    ),
    "listen-nowhere": Mistake(
        text="server:\n  listen: []",
        key="server.listen",
        line=2,
        keyword="names no address",
    ),
    "management-on-the-same-port": Mistake(
        text="server:\n  management: 127.0.0.1:9091",
        key="server.management",
        line=2,
        keyword="collides with server.listen 127.0.0.1:9091",
    ),
    "management-below-a-wildcard": Mistake(
        text="server:\n  trusted_proxies: [10.0.0.0/8]\n  listen: 0.0.0.0:9191",
        key="server.management",
        line=1,
        keyword="collides",
    ),
    "base-path-without-slash": Mistake(
        text="server:\n  base_path: authenticate",
        key="server.base_path",
        line=2,
        keyword="not a base path",
    ),
    "base-path-with-slash-at-its-end": Mistake(
        text="server:\n  base_path: /authenticate/",
        key="server.base_path",
        line=2,
        keyword="not a base path",
    ),
    "proxies-word": Mistake(
        text="server:\n  trusted_proxies: [traefik]",
        key="server.trusted_proxies.0",
        line=2,
        keyword="not a network",
    ),
    "proxies-everybody": Mistake(
        text="server:\n  trusted_proxies:\n    - 127.0.0.1\n    - 0.0.0.0/0",
        key="server.trusted_proxies.1",
        line=4,
        keyword="every address",
    ),
    "proxies-everybody-in-ipv6": Mistake(
        text='server:\n  trusted_proxies: ["::/0"]',
        key="server.trusted_proxies.0",
        line=2,
        keyword="every address",
    ),
    "proxies-everybody-in-halves": Mistake(
        text="server:\n  trusted_proxies: [0.0.0.0/1, 128.0.0.0/1]",
        key="server.trusted_proxies",
        line=2,
        keyword="all the addresses",
    ),
    "proxies-host-bits": Mistake(
        text="server:\n  trusted_proxies: 172.20.0.2/16",
        key="server.trusted_proxies",
        line=2,
        keyword="beyond its prefix",
    ),
    "proxies-nobody-and-exposed": Mistake(
        text="server:\n  listen: 0.0.0.0:9091\n  trusted_proxies: []",
        key="server.trusted_proxies",
        line=3,
        keyword="0.0.0.0:9091 can be reached",
    ),
    "proxies-null": Mistake(
        text="server:\n  trusted_proxies:",
        key="server.trusted_proxies",
        line=2,
        keyword="is empty",
    ),
    "workers-none": Mistake(
        text="server:\n  workers: 0", key="server.workers", line=2, keyword="processes"
    ),
    "workers-word": Mistake(
        text="server:\n  workers: many",
        key="server.workers",
        line=2,
        keyword="processes",
    ),
    "unknown-key": Mistake(
        text="server:\n  trusted_proxy: 10.0.0.1",
        key="server.trusted_proxy",
        line=2,
        keyword="is not a key",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    mistake: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """V-11: one problem, with key, line and reason."""
    check_mistake(mistake)


def test_the_settings_are_read(tmp_path: Path) -> None:
    """Every key arrives with its type."""
    text = """\
server:
  listen: ["0.0.0.0:8000", "unix:run/a.sock"]
  base_path: /authenticate
  trusted_proxies: [10.0.0.0/8, 172.20.0.2]
  workers: 4
  management: null
"""

    server = load_text(tmp_path, text).server

    assert server.listen == (
        TcpAddress(host="0.0.0.0", port=8000),  # noqa: S104 - parsed only
        UnixAddress(path=tmp_path / "run/a.sock"),
    )
    assert server.base_path == "/authenticate"
    assert server.trusted_proxies == (
        ip_network("10.0.0.0/8"),
        ip_network("172.20.0.2"),
    )
    assert server.workers == 4
    assert server.management is None


def test_nobody_is_trusted_behind_a_loopback_listener(tmp_path: Path) -> None:
    """It is safe, and no proxy would ever get an answer."""
    (warning,) = warnings_in(tmp_path, "server: {trusted_proxies: []}\n")

    assert warning.place.key == "server.trusted_proxies"
    assert "every verify request is refused" in warning.reason


@pytest.mark.parametrize(
    ("text", "path"),
    [("/", ""), ("/authenticate", "/authenticate"), ("/a/b-c.d~e_f", "/a/b-c.d~e_f")],
)
def test_base_paths_are_plain(text: str, path: str) -> None:
    """The empty path is how ``/`` is kept."""
    assert parse_base_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "//",
        "/a/",
        "/a//b",
        "/.",
        "/..",
        "/a/../b",
        "/.well-known",
        "/a%2fb",
        "/a;b",
        "/a?b",
        "/a#b",
        "/a b",
        "/a\\b",
        "/ä",
        "/a\n",
    ],
)
def test_other_base_paths_are_refused(text: str) -> None:
    """No path that a proxy could read differently."""
    with pytest.raises(RefusedValueError):
        parse_base_path(text)


def test_auto_is_one_worker_for_each_processor() -> None:
    """The number is settled when the configuration is read."""
    assert parse_workers("auto") in range(1, (os.cpu_count() or 1) + 1)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "01", "1000", "Auto", "\u0664"])
def test_other_numbers_of_workers_are_refused(text: str) -> None:
    """At least one, and no more than anybody means."""
    with pytest.raises(RefusedValueError):
        parse_workers(text)
