"""Paths that rules accept, as real proxies and Python's own servers read them."""

import socket
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from forwardauth.access_control.asked import read_path
from tests.support.path_oracles import is_below
from tests.support.path_readers import READERS, Reading, parse_answer
from tests.support.processes import free_ports, wait_for

FRAGMENTS: Final = st.sampled_from(
    [
        *("/", "/", "//", ".", "..", ";", "%", "+", ":", "a", "admin", "public", "~"),
        *("@", "&", "=", "*", "|", '"', "{", "[", "^", "<", "%2f", "%5c", "%2e", "%25"),
        *("%00", "%0a", "%3b", "%3f", "%23", "%20", "%61", "%41", "%7e", "%c3%a9"),
        *("%ff", "%c0%af", "%ef%bc%8f", "%f0%9f%98%80", "%2", "%zz", "%2B", "%26"),
        *("%40", "%3a", "%3d", "%2c", "%5b", "%7b", "%C3%A9", "%E2%80%A5", "%64min"),
    ]
)


@pytest.fixture(scope="module", params=list(READERS))
def port(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """A program that tells how it has read the path."""
    folder = tmp_path_factory.mktemp(request.param)
    (number,) = free_ports(1)
    with READERS[request.param](folder, number) as process:
        # Traefik listens before it knows its routes.
        wait_for(
            lambda: ask(number, "/").status == 204,
            f"{process.name} tells; see {process.log}",
        )
        yield number


def ask(port: int, raw: str) -> Reading:
    """Return how the program on *port* reads a request target as it is written."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = (
            f"GET {raw} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode("ascii"))
        return parse_answer(connection.makefile("rb").read())


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(parts=st.lists(FRAGMENTS, max_size=7))
def test_real_program_reads_an_accepted_path_as_rules_do(
    port: int, parts: list[str]
) -> None:
    """Nothing that a rule compares is something else for who acts on it (V-19)."""
    raw = "/" + "".join(parts)
    path = read_path(raw)
    assume(path is not None)
    assert path is not None

    reading = ask(port, raw)

    assert reading == Reading(status=204, path=path, is_admin=is_below(path, "/admin"))
