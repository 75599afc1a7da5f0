"""The whole service in the test's own process, with a store and a clock to hold."""

from collections.abc import Iterable
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from forwardauth.app import create_applications, create_beside
from forwardauth.clock import Clock
from forwardauth.config.load import load_settings
from forwardauth.sessions.ids import SessionId
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.model import Session
from forwardauth.sessions.store import SessionStore
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.users.reader import load_users
from forwardauth.users.stamps import stamp_of
from forwardauth.web import keys
from forwardauth.web.limits import Limits
from forwardauth.web.runner import ServiceRunner
from tests.support.client import Headers, Reply
from tests.support.clock import FakeClock
from tests.support.configuration import write_config
from tests.support.users import CHEAP, QUICK_HASH, QUICK_PASSWORD

PORTAL: Final = "auth.example.com"
APP: Final = "app.example.com"
PASSWORD: Final = QUICK_PASSWORD
COOKIE: Final = "forwardauth_session"

HASH: Final = QUICK_HASH
WEAK_HASH: Final = CHEAP.hash(PASSWORD.encode())
"""What a login replaces, which takes its time."""

USERS: Final = f"""\
users:
  alice:
    displayname: Alice Liddell
    password: "{HASH}"
    email: alice@example.com
    groups: [dev, ops]
  bob:
    displayname: Bob
    password: "{HASH}"
  carol:
    displayname: Carol
    disabled: true
    password: "{HASH}"
"""

CONFIG: Final = """\
cookies:
  - domain: example.com
    portal: https://auth.example.com
  - domain: example.org
    portal: https://login.example.org
    default_target: https://www.example.org/
users:
  file: users.yaml
session:
  store: "memory:"
access_control:
  rules:
    - {domain: public.example.com, policy: bypass}
    - {domain: closed.example.com, policy: deny}
    - {domain: ops.example.com, policy: one_factor, groups: [ops]}
    - {domain: ops.example.com, policy: deny}
    - {domain: paths.example.com, policy: bypass, path: /public}
    - {domain: api.example.com, policy: one_factor, preflight: allow}
    - {domain: plain.example.com, policy: bypass, plain_http: allow}
    - {domain: scripts.example.com, policy: one_factor, basic: true}
    - {domain: dev.example.com, policy: one_factor, basic: true, groups: [ops]}
    - {domain: ["*.example.com", "*.example.org"], policy: one_factor}
"""


class Portal:
    """A running service; one connection a request, header lines as they are."""

    def __init__(
        self,
        folder: Path,
        *,
        extra: str = "",
        session: str = "",
        store: SessionStore | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
    ) -> None:
        users = folder / "users.yaml"
        if not users.exists():
            users.write_text(USERS, encoding="utf-8")
            users.chmod(0o600)
        self.users = users
        self.settings = load_settings(_write(folder, extra, session), {})
        self.clock = clock or FakeClock()
        self.store = store or MemoryStore()
        apps = create_applications(self.settings, clock=self.clock, store=self.store)
        self.app = apps.main
        self.live = apps.live
        self._folder = folder
        self._main = ServiceServer(apps.main, limits=limits)
        self._management = ServiceServer(apps.management)

    async def __aenter__(self) -> Self:
        await self._main.start_server()
        await self._management.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._management.close()
        await self._main.close()

    async def change_over(self, extra: str) -> ServiceRunner:
        """Go by the configuration with *extra* at its end; return what runs it."""
        settings = load_settings(_write(self._folder, extra, ""), {})
        table = load_users(settings.users.file)
        applications = create_beside(
            self.live, settings, users_table=table, is_current=True
        )
        successor = ServiceRunner(applications.main)
        await successor.setup()
        applications.take_over()
        self.runner.change_over(successor)
        return successor

    @property
    def runner(self) -> ServiceRunner:
        """What runs the service that proxies ask."""
        runner = self._main.runner
        assert isinstance(runner, ServiceRunner)
        return runner

    def url(self, path: str) -> str:
        """Return where *path* is reached without a proxy."""
        return str(self._main.make_url(path))

    async def send(
        self,
        method: str,
        path: str,
        *,
        host: str = PORTAL,
        headers: Headers = (),
        cookie: str | None = None,
        body: bytes | None = None,
        is_management: bool = False,
    ) -> Reply:
        """Send one request as it is written, and return the answer as it came."""
        server = self._management if is_management else self._main
        lines = [("Host", host), *headers]
        if cookie is not None:
            lines.append(("Cookie", f"{COOKIE}={cookie}"))
        async with (
            aiohttp.ClientSession(
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as client,
            client.request(
                method,
                URL(str(server.make_url("/")).rstrip("/") + path, encoded=True),
                headers=lines,
                data=body,
                allow_redirects=False,
            ) as response,
        ):
            content = await response.read()
            raw = [(k.decode(), v.decode()) for k, v in response.raw_headers]
        return Reply(status=response.status, headers=tuple(raw), body=content)

    async def post_form(
        self,
        path: str,
        fields: Iterable[tuple[str, str]],
        *,
        headers: Headers = (),
        cookie: str | None = None,
        host: str = PORTAL,
    ) -> Reply:
        """Post *fields* as a browser's form does."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return await self.send(
            "POST",
            path,
            host=host,
            headers=[*headers, kind],
            cookie=cookie,
            body=urlencode(list(fields)).encode(),
        )

    async def post_json(
        self,
        path: str,
        body: bytes,
        *,
        headers: Headers = (),
        cookie: str | None = None,
        host: str = PORTAL,
    ) -> Reply:
        """Post *body* as JSON."""
        kind = ("Content-Type", "application/json")
        return await self.send(
            "POST", path, host=host, headers=[*headers, kind], cookie=cookie, body=body
        )

    async def create_session(
        self,
        username: str = "alice",
        *,
        domain: str = "example.com",
        linked_to: Session | None = None,
        password_hash: str = HASH,
    ) -> tuple[SessionId, Session]:
        """Sign *username* in without the password, whose hash is that one."""
        return await self.app[keys.SESSIONS].create(
            Login(
                username=username,
                domain=domain,
                credential=(stamp_of(password_hash),),
                methods=("pwd",),
                remembered=False,
                address="192.0.2.1",
                user_agent="test",
                linked_to=linked_to,
            )
        )

    async def verify(
        self,
        cookie: str | None,
        *,
        host: str = APP,
        adapter: str = "traefik",
        method: str = "GET",
        uri: str = "/",
        headers: Headers = (),
        scheme: str = "https",
    ) -> Reply:
        """Ask as a proxy does whether a request may pass."""
        forwarded = (
            ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Uri", uri),
            ("X-Forwarded-Method", method),
        )
        lines = {
            "traefik": forwarded,
            "caddy": forwarded,
            "haproxy": forwarded,
            "nginx": (
                ("X-Original-URL", f"{scheme}://{host}{uri}"),
                ("X-Original-Method", method),
            ),
        }
        if adapter == "envoy":
            return await self.send(
                method,
                f"/verify/envoy{uri}",
                host=host,
                headers=[("X-Forwarded-Proto", scheme), *headers],
                cookie=cookie,
            )
        return await self.send(
            "GET",
            f"/verify/{adapter}",
            host="forwardauth.internal",
            headers=[*lines[adapter], *headers],
            cookie=cookie,
        )


class ServiceServer(TestServer):
    """Runs an application on the protocol that it is served with."""

    def __init__(self, app: web.Application, *, limits: Limits | None = None) -> None:
        super().__init__(app)
        self._limits = limits

    async def _make_runner(self, **options: Any) -> ServiceRunner:
        return ServiceRunner(self.app, limits=self._limits, **options)


def _write(folder: Path, extra: str, session: str) -> Path:
    """Write the configuration with *extra* at its end and *session* in that section."""
    mark = 'store: "memory:"\n'
    return write_config(folder, CONFIG.replace(mark, mark + session) + extra)


def write_enabled_users(folder: Path) -> None:
    """Write the users file without carol, whose sessions end when a service starts."""
    path = folder / "users.yaml"
    path.write_text(USERS.partition("  carol:")[0], encoding="utf-8")
    path.chmod(0o600)


def write_weak_users(folder: Path) -> None:
    """Write the users file with hashes that the first login of each replaces."""
    path = folder / "users.yaml"
    path.write_text(USERS.replace(HASH, WEAK_HASH), encoding="utf-8")
    path.chmod(0o600)


def cookie_value(reply: Reply, name: str) -> str:
    """Return the value that the one line setting cookie *name* gives it."""
    found = SimpleCookie()
    (line,) = [
        each for each in reply.lines("Set-Cookie") if each.startswith(f"{name}=")
    ]
    found.load(line)
    return found[name].value
