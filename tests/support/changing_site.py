"""A service whose configuration is changed key by key, and questions that show it.

Law: whoever asks goes by what the configuration says now (the portal, the base path,
the name of the cookie): a later question still finds what an earlier change has moved.
"""

import base64
import http.client
import json
import re
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.support.client import Headers, Reply
from tests.support.portal import PASSWORD

Tree = dict[str, Any]

_TIMEOUT_SECONDS: Final = 60
_JSON: Final = (("Content-Type", "application/json"),)
_PAGE: Final = (("Accept", "text/html"),)


@dataclass(kw_only=True)
class ChangingSite:
    """The running service, as proxies and browsers see it.

    Attributes:
        config: Its configuration file.
        tree: What that holds.
        port: Of its listener.
        token: Returns the cookie of another session of whom it is given.
        told: A listener for who tells of logouts.
    """

    config: Path
    tree: Tree
    port: int
    token: Callable[[str], str] = str
    told: socket.socket = field(
        default_factory=partial(socket.create_server, ("127.0.0.1", 0))
    )
    _session: str = ""

    def set(self, key: str, value: object) -> None:
        """Write *value*, or what it returns for the old one, under a dotted *key*."""
        *way, last = key.split(".")
        place: Any = self.tree
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value(place.get(last)) if callable(value) else value
        self.write()

    def write(self) -> None:
        """Write the whole file anew."""
        # JSON is YAML, and quicker to write.
        self.config.write_text(json.dumps(self.tree, indent=1))

    @property
    def portal(self) -> str:
        """The host of the first portal."""
        url: str = self.tree["cookies"][0]["portal"]
        return urlsplit(url).netloc

    @property
    def cookie_name(self) -> str:
        """What the session cookie is called."""
        name: str = self.tree["session"]["cookie_name"]
        return name

    def send(
        self,
        method: str,
        path: str,
        *,
        host: str | None = None,
        headers: Headers = (),
        body: bytes | None = None,
        address: str = "127.0.0.1",
    ) -> Reply:
        """Send one request from *address*, by default to the portal."""
        base = self.tree["server"]["base_path"].rstrip("/")
        connection = http.client.HTTPConnection(
            "127.0.0.1",
            self.port,
            timeout=_TIMEOUT_SECONDS,
            source_address=(address, 0),
        )
        try:
            connection.putrequest(method, base + path, skip_host=True)
            connection.putheader("Host", host or self.portal)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(
                status=response.status,
                headers=tuple(response.getheaders()),
                body=response.read(),
            )
        finally:
            connection.close()

    def verify(
        self,
        host: str,
        uri: str = "/",
        *,
        method: str = "GET",
        scheme: str = "https",
        client: str = "192.0.2.1",
        address: str = "127.0.0.1",
        token: str | None = None,
        headers: Headers = (),
    ) -> Reply:
        """Ask as Traefik does whether a request may pass."""
        lines = [
            ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Uri", uri),
            ("X-Forwarded-Method", method),
            ("X-Forwarded-For", client),
            *headers,
        ]
        if token is not None:
            lines.append(("Cookie", f"{self.cookie_name}={token}"))
        return self.send(
            "GET", "/verify/traefik", host="auth", headers=lines, address=address
        )

    def sign_in(self, username: str = "alice") -> Reply:
        """Sign in by the interface for programs."""
        body = json.dumps({"username": username, "password": PASSWORD}).encode()
        return self.send("POST", "/api/firstfactor", headers=_JSON, body=body)

    def cookie_line(self) -> str:
        """Return the line that sets the cookie of another session of alice."""
        lines = self.sign_in().lines("Set-Cookie")
        # The others end what the browser may have had before.
        (line,) = (each for each in lines if "Max-Age=0" not in each)
        return line

    @property
    def session(self) -> str:
        """The cookie of a session of alice that goes on as long as all."""
        self._session = self._session or self.token("alice")
        return self._session

    def signed_in(self, method: str, path: str, **more: Any) -> Reply:
        """Ask the portal as alice."""
        cookie = ("Cookie", f"{self.cookie_name}={self.session}")
        headers = (*_PAGE, *more.pop("headers", ()), cookie)
        return self.send(method, path, headers=headers, **more)

    def sign_out(self, token: str) -> Reply:
        """End the session *token*."""
        cookie = ("Cookie", f"{self.cookie_name}={token}")
        return self.send("POST", "/api/logout", headers=[cookie])

    def hears_of_logout(self) -> bool:
        """Whether ``told`` is told of the end of a session.

        Nobody is waited for where the file names nobody.
        """
        self.sign_out(self.token("bob"))
        self.told.settimeout(_TIMEOUT_SECONDS if self.tree["logout"]["notify"] else 0.0)
        try:
            self.told.accept()[0].close()
        except OSError:
            return False
        return True

    def page(self, path: str) -> str:
        """Return a page that somebody without a session sees."""
        return self.send("GET", path, headers=_PAGE).body.decode()

    def find(self, pattern: str, path: str = "/login") -> list[str]:
        """Return what *pattern* finds in a page."""
        return re.findall(pattern, self.page(path))

    def weakness(self, password: str) -> object:
        """Return what is said against a new *password*."""
        page = self.signed_in("GET", "/account").body.decode()
        (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
        reply = self.signed_in(
            "POST",
            "/account/strength",
            headers=[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Sec-Fetch-Site", "same-origin"),
            ],
            body=f"csrf_token={token}&new_password={password}".encode(),
        )
        return reply.json()["data"]["weakness"]

    def newest_record(self) -> Tree:
        """Return how the store keeps the session that has just begun."""
        self.token("alice")
        with sqlite3.connect(self.config.with_name("sessions.db")) as database:
            rows = database.execute("SELECT record FROM sessions").fetchall()
        records = [json.loads(record) for (record,) in rows]
        return max(records, key=lambda each: int(each["created"]))


def basic(username: str) -> tuple[str, str]:
    """Return the header by which a program says who it is."""
    pair = base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
    return "Authorization", f"Basic {pair}"


Look = Callable[[ChangingSite], object]
"""Asks something of which the answer shows what a key says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key, changed in a running service.

    Attributes:
        key: As in the table of all keys.
        value: The new one, or what makes it of the old one.
        look: Answers otherwise from the reload on.
        at: Where it stands in the file; *key* where that has no ``*``.
    """

    key: str
    value: object
    look: Look
    at: str = ""

    @property
    def place(self) -> str:
        """Where it stands."""
        return self.at or self.key


def rule(**criteria: object) -> Tree:
    """Return a rule that lets everybody pass unless it says otherwise."""
    return {"policy": "bypass", **criteria}
