"""nginx-ldap-auth-service, from PyPI, with a directory server from the system.

For each request it looks up the session in the memory of its process, and the user in
the directory, whose processor time is not counted as its own. It knows no rules for
hosts or paths.

It is run by uvicorn, which it brings, rather than by its own command: that one writes a
line for each request, and has no setting against it.
"""

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from benchmarks.products.base import Person, browser
from benchmarks.products.directory import ADMIN, BASE, PROGRAMS, directory
from benchmarks.products.installation import installed, need_packages, run
from benchmarks.servers import AS_INSTALLED, SERVER_CORE, pinned
from benchmarks.workload import DOMAIN
from tests.support.processes import Process, free_ports

_VERSION: Final = "2.6.2"
# With 1.0 and later its sign-in page answers 500: they took away what it calls.
_STARLETTE: Final = "starlette<1"
_PACKAGES: Final = {
    f"{PROGRAMS}/slapd": "slapd",
    "/usr/include/ldap.h": "libldap2-dev",
    "/usr/include/sasl/sasl.h": "libsasl2-dev",
}
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')


class NginxLdapAuth:
    """A ``Product``."""

    name = f"nginx-ldap-auth-service {_VERSION}"
    path = "/check"
    user_header = "X-Authenticated-User"

    def install(self) -> None:
        """Get the directory server, and the service into an environment of its own."""
        need_packages("a companion is compared that asks a directory", _PACKAGES)
        self._folder()

    @contextmanager
    def running(self, folder: Path, person: Person) -> Iterator[Process]:
        """Run it beside a directory of the workload's users."""
        (port,) = free_ports(1)
        words = ["-m", "uvicorn", "nginx_ldap_auth.app.main:app"]
        words += ["--host", "127.0.0.1", "--port", str(port)]
        words += ["--no-access-log", "--log-level", "warning"]
        with (
            directory(folder, person) as users,
            Process(
                "nginx-ldap-auth-service",
                pinned(SERVER_CORE, self._folder() / "bin" / "python", *words),
                log=folder / "log",
                ports=[port],
                environment={
                    **AS_INSTALLED,
                    "LOGLEVEL": "WARN",
                    "SECRET_KEY": secrets.token_hex(16),
                    "CSRF_SECRET_KEY": secrets.token_hex(16),
                    "LDAP_URI": users.url,
                    "LDAP_STARTTLS": "False",
                    "LDAP_BASEDN": BASE,
                    "LDAP_BINDDN": ADMIN,
                    "LDAP_PASSWORD": users.password,
                },
            ) as process,
        ):
            yield process

    def sign_in(self, port: int, person: Person) -> str:
        """Read the form, and send it."""
        own = browser()
        host = f"auth.{DOMAIN}"
        url = f"http://{host}:{port}/auth/login"
        said = [("X-Proto-Scheme", "https"), ("X-Host", host)]
        page = own.send("GET", url, headers=said).body.decode()
        token = _TOKEN.search(page)
        if token is None:
            raise RuntimeError(f"no form to sign in with: {page!r}")
        fields = {
            "csrf_token": token[1],
            "username": person.name,
            "password": person.password,
            "service": "/",
        }
        reply = own.send(
            "POST",
            url,
            headers=[*said, ("Content-Type", "application/x-www-form-urlencoded")],
            body=urlencode(fields).encode(),
        )
        cookie = own.jar.header(host)
        if not cookie.startswith("nginxauth="):
            raise RuntimeError(f"no session: {reply.status} with {cookie!r}")
        return cookie

    @staticmethod
    def _folder() -> Path:
        def install(folder: Path) -> None:
            run(folder, [sys.executable, "-m", "venv", folder])
            words = ["-m", "pip", "install", "--disable-pip-version-check"]
            words += [f"nginx-ldap-auth-service=={_VERSION}", _STARLETTE]
            run(folder, [folder / "bin" / "python", *words])

        return installed(f"nginx-ldap-auth-service-{_VERSION}", install)
