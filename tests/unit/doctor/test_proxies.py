"""The lines that are blamed are those of the shipped files."""

import pytest

from forwardauth.doctor.proxies import (
    BY_ITSELF,
    LINES,
    Fault,
    guess_proxy,
    remedy_for,
)
from tests.support.proxies import DEPLOY, PROXIES
from tests.support.shipped_lines import fold


def test_every_proxy_has_a_line_for_every_fault() -> None:
    """Nobody is sent to a line that is not named."""
    assert set(LINES) == set(PROXIES)
    for proxy, lines in LINES.items():
        by_itself = {fault for name, fault in BY_ITSELF if name == proxy}
        assert by_itself | set(lines) == set(Fault)
        assert not by_itself & set(lines)


def test_every_line_stands_in_its_file() -> None:
    """A shipped file that changes takes what is said along."""
    offenders = [
        f"{proxy}/{file}: {line}"
        for proxy, lines in LINES.items()
        for file, line in lines.values()
        if line not in map(fold, (DEPLOY / proxy / file).read_text().splitlines())
    ]

    assert not offenders


def test_unknown_proxy_is_told_all_lines() -> None:
    """Whoever reads it finds the own one."""
    told = remedy_for(Fault.NOT_ASKED, None)

    assert all(lines[Fault.NOT_ASKED][1] in told for lines in LINES.values())


def test_known_proxy_is_told_its_line_and_file() -> None:
    """One line, and where it stands."""
    told = remedy_for(Fault.NOT_ASKED, "nginx")

    assert "`auth_request /_forwardauth/verify;`" in told
    assert "deploy/nginx/forwardauth-location.conf" in told
    assert "Caddyfile" not in told


def test_proxy_that_is_right_by_itself_is_told_what_to_take_out() -> None:
    """There is no line to add, and whoever has another proxy has one."""
    alone, unknown = remedy_for(Fault.ALIAS, "nginx"), remedy_for(Fault.ALIAS, None)

    assert alone.startswith("take out `underscores_in_headers on`")
    assert "deploy/" not in alone
    assert unknown.endswith(alone)
    assert "caddy `request_header -*_*`" in unknown


@pytest.mark.parametrize(
    ("server", "proxy"),
    [
        ("nginx", "nginx"),
        ("nginx/1.22.1", "nginx"),
        ("openresty/1.25", "nginx"),
        ("Caddy", "caddy"),
        ("envoy", "envoy"),
        ("forwardauth", None),
        ("", None),
        ("nginx-like", None),
    ],
)
def test_proxy_is_known_by_its_name(server: str, proxy: str | None) -> None:
    """By its word in ``Server``, and by nothing that only looks like it."""
    assert guess_proxy(server) == proxy
