"""A browser's side of HTTP through a gateway: raw header lines, cookies, no magic."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from tests.support.cookies import CookieJar

Headers = Iterable[tuple[str, str]]

NAVIGATION: Final = (
    ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
)
"""What a browser says of a request that fills its window, but for the site."""

FETCH: Final = (
    ("Accept", "*/*"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Dest", "empty"),
)
"""What a browser says of ``fetch()`` in a page of the same origin."""

HUNG_UP: Final = (ConnectionError, ssl.SSLEOFError)
"""What a write meets once the other side is gone, the second over TLS."""

_TIMEOUT_SECONDS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; header lines are kept as they came, repetitions too."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def lines(self, name: str) -> list[str]:
        """Return the value of every line of header *name*, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the value of the one line of header *name*."""
        (value,) = self.lines(name)
        return value

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    def reached(self, name: str) -> list[str]:
        """Return the lines of header *name* that reached the sample application."""
        return [v for key, v in self.json()["headers"] if key.lower() == name.lower()]


def finish(connection: http.client.HTTPConnection, body: bytes | None) -> Reply:
    """Send what is left of a request, *body* among it, and return the answer.

    Who refuses a request need not read all of it. Where it has answered and hung up
    while this side was still writing, the answer counts, as it does to curl.

    Raises:
        OSError: Not all could be sent, and there is no whole answer either, which the
            cause says.
    """
    if connection.sock is None:
        connection.connect()  # nobody hangs up who has not been reached
    unsent = None
    try:
        connection.endheaders(body)
    except HUNG_UP as exc:
        if connection.sock is None:
            # Nobody listens yet, so nothing was sent and nothing will be answered.
            raise
        unsent = exc
    try:
        response = connection.getresponse()
        return Reply(
            status=response.status,
            headers=tuple(response.getheaders()),
            body=response.read(),
        )
    except (OSError, http.client.HTTPException) as exc:
        if unsent is None:
            raise
        raise unsent from exc


@dataclass(kw_only=True)
class Client:
    """One browser, whose every name resolves to loopback.

    Attributes:
        authority: The certificate authority it trusts.
        address: Where it connects from, an address of loopback.
        jar: Its cookies.
    """

    authority: Path
    address: str = "127.0.0.1"
    jar: CookieJar = field(default_factory=CookieJar)

    def navigate(
        self,
        url: str,
        *,
        site: str = "none",
        method: str = "GET",
        headers: Headers = (),
    ) -> Reply:
        """Ask for *url* as a window does that comes from *site*."""
        said = (*NAVIGATION, ("Sec-Fetch-Site", site), *headers)
        return self.send(method, url, headers=said)

    def fetch(self, url: str, *, method: str = "GET") -> Reply:
        """Ask for *url* as a script in a page of the same origin does."""
        return self.send(method, url, headers=FETCH)

    def post_json(self, url: str, content: object, *, headers: Headers = ()) -> Reply:
        """Post *content* as JSON."""
        return self.send(
            "POST",
            url,
            headers=(("Content-Type", "application/json"), *headers),
            body=json.dumps(content).encode(),
        )

    def send(
        self, method: str, url: str, *, headers: Headers = (), body: bytes | None = None
    ) -> Reply:
        """Send exactly *headers*, beside ``Host``, ``Cookie`` and the body's length."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        connection = self._connect(parts.scheme, parts.hostname, parts.port)
        try:
            connection.putrequest(
                method,
                parts.path + (f"?{parts.query}" if parts.query else ""),
                skip_host=True,
                skip_accept_encoding=True,
            )
            connection.putheader("Host", parts.netloc)
            if cookies := self.jar.header(parts.hostname):
                connection.putheader("Cookie", cookies)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            reply = finish(connection, body)
        finally:
            connection.close()
        self.jar.update(parts.hostname, reply.lines("Set-Cookie"))
        return reply

    def send_raw(self, url: str, head: str) -> bytes:
        """Send *head*, to which ``Cookie`` is added, as it is to the host of *url*.

        Returns:
            Everything that comes back until the other side closes.
        """
        with self._raw_answer(url, head) as answer:
            return answer.read()

    def send_raw_for_status(self, url: str, head: str) -> int:
        """Send *head* like ``send_raw``, and return the status alone; 0 for none.

        It does not wait for the other side to close: some take a second for that.
        """
        with self._raw_answer(url, head) as answer:
            words = answer.readline().split(b" ", 2)
        return int(words[1]) if len(words) > 1 else 0

    @contextmanager
    def _raw_answer(self, url: str, head: str) -> Iterator[BinaryIO]:
        parts = urlsplit(url)
        assert parts.hostname is not None
        lines = [head.rstrip("\r\n"), "Connection: close"]
        if cookies := self.jar.header(parts.hostname):
            lines.append(f"Cookie: {cookies}")
        connection = self._connect(parts.scheme, parts.hostname, parts.port)
        try:
            connection.connect()
            assert connection.sock is not None
            unsent = None
            try:
                connection.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            except HUNG_UP as exc:
                unsent = exc
            with connection.sock.makefile("rb") as answer:
                if unsent is not None and not answer.peek(1):
                    raise unsent
                yield answer
        finally:
            connection.close()

    def context(self) -> ssl.SSLContext:
        """Return what TLS needs to trust the gateway."""
        return ssl.create_default_context(cafile=self.authority)

    def _connect(
        self, scheme: str, host: str, port: int | None
    ) -> http.client.HTTPConnection:
        assert port is not None, "the tests' gateways listen on no default port"
        source = (self.address, 0)
        if scheme == "http":
            return http.client.HTTPConnection(
                "127.0.0.1", port, timeout=_TIMEOUT_SECONDS, source_address=source
            )
        return _Connection(host, port, self.context(), source)


class _Connection(http.client.HTTPSConnection):
    """Connects to loopback, and names *host* in the handshake."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, source: tuple[str, int]
    ) -> None:
        super().__init__(host, port, timeout=_TIMEOUT_SECONDS, context=context)
        self._tls = context
        self._source = source

    def connect(self) -> None:
        plain = socket.create_connection(
            ("127.0.0.1", self.port), _TIMEOUT_SECONDS, self._source
        )
        # As the standard library's own `connect` does: the request need not wait until
        # the end of the handshake is confirmed.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
