"""Paths that rules accept, as a real nginx and a real Caddy read them."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from forwardauth.access_control.asked import read_path
from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports

NGINX: Final = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port};
        location / {{ add_header X-Read "[$uri]" always; return 204; }}
    }}
}}
"""
CADDY: Final = """\
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    header X-Read "[{{path}}]"
    respond 204
}}
"""

FRAGMENTS: Final = st.sampled_from(
    [
        *("/", "/", "//", ".", "..", ";", "%", "+", ":", "a", "admin", "public", "~"),
        *("@", "&", "=", "*", "|", '"', "{", "[", "^", "<", "%2f", "%5c", "%2e", "%25"),
        *("%00", "%0a", "%3b", "%3f", "%23", "%20", "%61", "%41", "%7e", "%c3%a9"),
        *("%ff", "%c0%af", "%ef%bc%8f", "%f0%9f%98%80", "%2", "%zz", "%2B"),
    ]
)


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def port(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """A proxy that tells in ``X-Read`` how it has read the path."""
    program = require_binary(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    (number,) = free_ports(1)
    template = NGINX if request.param == "nginx" else CADDY
    config = folder / "config"
    config.write_text(template.format(folder=folder, port=number))
    command = _command(program, config)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with Process(
        request.param, command, log=folder / "log", ports=[number], environment=home
    ):
        yield number


def _command(program: str, config: Path) -> list[str]:
    if Path(program).name == "nginx":
        return [program, "-c", str(config)]
    return [program, "run", "--adapter", "caddyfile", "--config", str(config)]


def _ask(port: int, raw: str) -> tuple[bytes, bytes]:
    """Return status line and ``X-Read`` for a request target as it is written.

    The path stands in brackets there: Caddy trims the values of headers.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = (
            f"GET {raw} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode("ascii"))
        lines = connection.makefile("rb").read().split(b"\r\n")
    read = [line[8:] for line in lines if line.lower().startswith(b"x-read: ")]
    return lines[0], b"".join(read)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(parts=st.lists(FRAGMENTS, max_size=7))
def test_real_proxy_reads_an_accepted_path_as_rules_do(
    port: int, parts: list[str]
) -> None:
    """Nothing that a rule compares is something else for the proxy (V-19)."""
    raw = "/" + "".join(parts)
    path = read_path(raw)
    assume(path is not None)

    status, read = _ask(port, raw)

    assert status.split()[1] == b"204"
    assert read.decode() == f"[{path}]"
