"""oauth2-proxy, built by Go from its module.

It keeps the session in the cookie, encrypted: nothing is looked up, so that no session
can be ended on the server. It knows no rules for hosts or paths.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from benchmarks.products.base import Person, browser
from benchmarks.products.installation import installed, run, tool
from benchmarks.servers import SERVER_CORE, pinned
from tests.support.processes import Process, free_ports

_VERSION: Final = "7.15.6"
_MODULE: Final = f"github.com/oauth2-proxy/oauth2-proxy/v7@v{_VERSION}"


class OAuth2Proxy:
    """A ``Product``."""

    name = f"oauth2-proxy {_VERSION}"
    path = "/oauth2/auth"
    user_header = "X-Auth-Request-User"

    def install(self) -> None:
        """Build the program."""
        self._folder()

    @contextmanager
    def running(self, folder: Path, person: Person) -> Iterator[Process]:
        """Run it for the one user of a file."""
        (port,) = free_ports(1)
        digest = hashlib.sha1(person.password.encode(), usedforsecurity=False).digest()
        users = folder / "htpasswd"
        users.write_text(f"{person.name}:{{SHA}}{base64.b64encode(digest).decode()}\n")
        words = [
            f"--http-address=127.0.0.1:{port}",
            # Nobody is sent there: the user of the file signs in with a form.
            *("--provider=github", "--client-id=none", "--client-secret=none"),
            f"--cookie-secret={secrets.token_hex(16)}",
            *("--cookie-secure=false", "--email-domain=*", "--reverse-proxy=true"),
            *("--upstream=static://202", "--set-xauthrequest=true"),
            f"--htpasswd-file={users}",
            *("--request-logging=false", "--auth-logging=false"),
        ]
        command = pinned(SERVER_CORE, self._folder() / "oauth2-proxy", *words)
        with Process(
            "oauth2-proxy", command, log=folder / "log", ports=[port]
        ) as process:
            yield process

    def sign_in(self, port: int, person: Person) -> str:
        """Send the form."""
        own = browser()
        fields = {"username": person.name, "password": person.password}
        reply = own.send(
            "POST",
            f"http://auth.example.com:{port}/oauth2/sign_in",
            headers=[("Content-Type", "application/x-www-form-urlencoded")],
            body=urlencode(fields).encode(),
        )
        cookie = own.jar.header("auth.example.com")
        if not cookie.startswith("_oauth2_proxy="):
            raise RuntimeError(f"no session: {reply.status} with {cookie!r}")
        return cookie

    @staticmethod
    def _folder() -> Path:
        return installed(
            f"oauth2-proxy-{_VERSION}",
            lambda folder: run(
                folder,
                [tool("go"), "install", _MODULE],
                environment={"GOBIN": str(folder)},
            ),
        )
