"""An installation of Authelia moves: its files, its users, and its lines for nginx.

The lines are those that its guide for nginx asks for, in the fewest words: what is
asked at ``/api/authz/auth-request``, with which headers, what becomes of a 401.
"""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.binaries import require_binary
from tests.support.processes import Process, free_ports
from tests.support.users import ARGON2ID, PASSWORD, entry, write_users

CONFIGURATION: Final = """\
server:
  address: 'tcp://127.0.0.1:{port}/'
authentication_backend:
  file:
    path: /config/users_database.yml
session:
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com
      default_redirection_url: https://www.example.com
access_control:
  default_policy: deny
  rules:
    - domain: www.example.com
      policy: bypass
    - domain: git.example.com
      resources: ['^/admin([/?].*)?$']
      subject: 'group:admins'
      policy: one_factor
    - domain: git.example.com
      resources: ['^/admin']
      policy: deny
    - domain: '*.example.com'
      policy: one_factor
storage:
  local:
    path: /config/db.sqlite3
"""
NGINX: Final = """\
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{gateway};
    location /internal/authelia/authz {{
      internal;
      proxy_pass http://127.0.0.1:{service}/api/authz/auth-request;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URL https://$http_host$request_uri;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_http_version 1.1;
    }}
    location / {{
      auth_request /internal/authelia/authz;
      auth_request_set $user $upstream_http_remote_user;
      auth_request_set $groups $upstream_http_remote_groups;
      auth_request_set $redirection_url $upstream_http_location;
      error_page 401 =302 $redirection_url;
      proxy_set_header Remote-User $user;
      proxy_set_header Remote-Groups $groups;
      proxy_pass http://127.0.0.1:{application};
    }}
  }}
  server {{
    listen 127.0.0.1:{application};
    default_type text/plain;
    return 200 "user=$http_remote_user groups=$http_remote_groups";
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where nginx and the service listen."""

    gateway: int
    service: int

    def ask(self, url: str, cookie: str = "") -> tuple[int, str, str]:
        """Return status, target and text of a page below nginx."""
        host, slash, path = url.partition("/")
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway, timeout=20)
        headers = {"Host": host, "Accept": "text/html", "Cookie": cookie}
        connection.request("GET", slash + path, headers=headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, reply.headers.get("Location", ""), text

    def sign_in(self, username: str) -> str:
        """Return the cookie of somebody who has signed in at the portal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service, timeout=20)
        connection.request(
            "POST",
            "/api/firstfactor",
            json.dumps({"username": username, "password": PASSWORD}),
            {
                "Host": "auth.example.com",
                "X-Forwarded-Proto": "https",
                "Content-Type": "application/json",
            },
        )
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
        line = reply.headers["Set-Cookie"]
        connection.close()
        return line.partition(";")[0]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """Import the files of an Authelia, and run what was written behind its nginx."""
    binary = require_binary("nginx")
    folder = tmp_path_factory.mktemp("moved")
    gateway, service, application = free_ports(3)
    source = folder / "configuration.yml"
    source.write_text(CONFIGURATION.format(port=service))
    write_users(
        folder / "users_database.yml",
        entry("john", ARGON2ID, "groups: [admins]"),
        entry("jane", ARGON2ID, "groups: []"),
    )
    command = [sys.executable, "-m", "forwardauth", "import", "authelia", str(source)]
    subprocess.run(  # noqa: S603 - our own program
        [*command, "--output", str(folder / "config.yaml")],
        check=True,
        capture_output=True,
    )
    lines = NGINX.format(
        folder=folder, gateway=gateway, service=service, application=application
    )
    (folder / "nginx.conf").write_text(lines if os.getuid() else f"user root;\n{lines}")
    with ExitStack() as stack:
        stack.enter_context(
            Process(
                "forwardauth",
                [
                    *(sys.executable, "-m", "forwardauth", "serve"),
                    *("--config", str(folder / "config.yaml")),
                ],
                log=folder / "forwardauth.log",
                ports=[service],
                environment={"FORWARDAUTH_SERVER__MANAGEMENT": "null"},
            )
        )
        stack.enter_context(
            Process(
                "nginx",
                [binary, "-c", folder / "nginx.conf", "-p", folder, "-e", "stderr"],
                log=folder / "nginx.log",
                ports=[gateway, application],
            )
        )
        yield Moved(gateway=gateway, service=service)


def test_what_was_open_is_open(moved: Moved) -> None:
    """To everybody, without a name."""
    assert moved.ask("www.example.com/") == (200, "", "user= groups=")


def test_who_is_not_signed_in_is_sent_to_the_same_portal(moved: Moved) -> None:
    """By the line that was written for Authelia."""
    status, target, _ = moved.ask("git.example.com/x?y=z")

    assert status == 302
    assert target.startswith("https://auth.example.com/")
    assert "git.example.com%2Fx%3Fy%3Dz" in target


def test_users_sign_in_with_the_passwords_that_they_have(moved: Moved) -> None:
    """And applications are told the same names and groups."""
    john, jane = moved.sign_in("john"), moved.sign_in("jane")

    assert moved.ask("git.example.com/", john)[2] == "user=john groups=admins"
    assert moved.ask("git.example.com/admin/x", john)[0] == 200
    assert moved.ask("git.example.com/", jane)[2] == "user=jane groups="
    assert moved.ask("git.example.com/admin/x", jane)[0] == 403
    assert moved.ask("git.example.com/administration", john)[0] == 403
