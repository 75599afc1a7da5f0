"""What is imported for a command, and what is left as it was."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, os, sys
from forwardauth.cli.loading import load
before = dict(os.environ)
load("forwardauth.cli.serve")
assert "aiohttp.connector" in sys.modules
assert dict(os.environ) == before, "the environment has changed"
assert gc.isenabled(), "garbage is not looked for any more"
import aiohttp.connector
trusted = aiohttp.connector._SSL_CONTEXT_VERIFIED
sys.exit(f"{len(trusted.get_ca_certs())} were read" if trusted.get_ca_certs() else 0)
"""


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="none-named"),
        pytest.param({"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}, id="own"),
    ],
)
def test_nothing_is_read_that_nobody_asks_for(environment: dict[str, str]) -> None:
    """No authority's certificate is, and the variable that names them is kept."""
    finished = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
