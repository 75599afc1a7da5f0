"""Requests through a proxy that may be set up in any way, or not answer at all.

Law: whatever comes back is a reply. A broken connection is one without status, so that
an inspection can judge it like any other answer.
"""

import http.client
import json
from dataclasses import dataclass, replace
from typing import Final

from tests.support.client import FETCH, NAVIGATION, Client, Headers, Reply
from tests.support.installation import Installation

NO_REPLY: Final = Reply(status=0, headers=(), body=b"")
"""The connection was refused, broken, or not to be trusted."""

ADDRESS: Final = "127.0.0.9"
"""Where visitors come from: no trusted proxy has this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody in front of an installation.

    Attributes:
        site: Where everything goes to.
        token: The session of who asks; ``None`` for somebody who has not signed in.
        sessions: Those of the people that the inspections know, by their names.
    """

    site: Installation
    sessions: dict[str, str]
    token: str | None = None

    def as_user(self, name: str) -> "Visit":
        """Return the visit of *name*, who has signed in before."""
        return replace(self, token=self.sessions[name])

    def client(self) -> Client:
        """Return a browser with no other cookie than the session's."""
        client = (
            self.site.client() if self.token is None else self.site.holding(self.token)
        )
        client.address = ADDRESS
        return client

    def navigate(
        self, name: str, path: str = "/", *, method: str = "GET", headers: Headers = ()
    ) -> Reply:
        """Ask for a page of the site *name* as a window does."""
        said = (*NAVIGATION, ("Sec-Fetch-Site", "same-origin"), *headers)
        return self.send(method, name, path, headers=said)

    def fetch(self, name: str, path: str = "/", *, headers: Headers = ()) -> Reply:
        """Ask as a script of the site's own does."""
        return self.send("GET", name, path, headers=(*FETCH, *headers))

    def send(
        self,
        method: str,
        name: str,
        path: str = "/",
        *,
        headers: Headers = (),
        body: bytes | None = None,
    ) -> Reply:
        """Send exactly *headers*, beside the host, the cookie and a body's length."""
        url = self.site.url(name, path)
        try:
            return self.client().send(method, url, headers=headers, body=body)
        except (OSError, http.client.HTTPException):
            return NO_REPLY

    def send_plain(self, name: str, path: str = "/") -> Reply:
        """Ask for *path* without TLS."""
        url = f"http://{name}.example.com:{self.site.gateway.plain_port}{path}"
        try:
            return self.client().send("GET", url)
        except (OSError, http.client.HTTPException):
            return NO_REPLY

    def send_raw(self, name: str, head: str) -> int:
        """Send *head* over a connection to the site *name*; return the status."""
        try:
            return self.client().send_raw_for_status(self.site.url(name), head)
        except OSError:
            return NO_REPLY.status


def has_reached(reply: Reply) -> bool:
    """Whether *reply* is a sample application's, with the request as it came in."""
    if reply.status != http.HTTPStatus.OK:
        return False
    try:
        return "application" in reply.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
