"""One HTTP request and its answer, as a browser's first look would have them.

Laws: nothing is followed and nothing is kept: no redirect, no cookie. An answer that
does not come is a value with a reason, since that is what is looked for.
"""

import asyncio
import json
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from forwardauth.doctor.sockets import Sockets

Headers = Iterable[tuple[str, str]]

NAVIGATION: Final = (
    ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Site", "none"),
)
"""What a browser says of an address that was typed."""

ANY_HOST: Final = "*"
_MAX_BODY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer.

    Attributes:
        status: Of the answer.
        headers: Every line, in order.
        body: Its beginning, up to a mebibyte.
        seconds: How long it took.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    seconds: float = 0.0

    def lines(self, name: str) -> list[str]:
        """Return the value of every line of header *name*."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the first line of header *name*; empty for none."""
        return next(iter(self.lines(name)), "")

    def data(self) -> Mapping[str, Any]:
        """Return the object in the body, empty where there is none."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No answer; *reason* says why, and *is_certificate* whether that was TLS's say."""

    reason: str
    is_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How the other side is reached.

    Attributes:
        addresses: Instead of asking the system for them, by host and port; the host
            may be ``*``.
        authority: A file of certificates to trust besides those of the system.
        is_insecure: Whether no certificate is looked at.
        timeout_seconds: For each request.
    """

    addresses: Mapping[tuple[str, int], str] = field(default_factory=dict)
    authority: Path | None = None
    is_insecure: bool = False
    timeout_seconds: float = 5.0


class Exchange:
    """Sends requests; an asynchronous context that closes what it has opened."""

    def __init__(self, reach: Reach, *, socket_file: Path | None = None) -> None:
        """Keep how to get there; *socket_file* is a unix socket that leads there."""
        self._reach = reach
        self._socket_file = socket_file
        self._sockets = Sockets()

    async def __aenter__(self) -> Self:
        """Open a client."""
        connector: aiohttp.BaseConnector
        if self._socket_file is not None:
            connector = aiohttp.UnixConnector(str(self._socket_file), force_close=True)
        else:
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self._reach.addresses),
                ssl=_context(self._reach),
                force_close=True,
                socket_factory=self._sockets.open,
            )
        self._client = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._reach.timeout_seconds),
            skip_auto_headers=("Accept", "User-Agent", "Content-Type"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it, and wait for what says goodbye, as long as for an answer."""
        await self._client.close()
        await self._sockets.wait_closed(self._reach.timeout_seconds)

    async def send(
        self, method: str, url: str, *, headers: Headers = (), body: bytes | None = None
    ) -> Reply | Silence:
        """Return the answer to exactly this request, or why there is none."""
        lines = [("User-Agent", "forwardauth-doctor"), *headers]
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with self._client.request(
                method,
                URL(url, encoded=True),
                headers=lines,
                data=body,
                allow_redirects=False,
            ) as response:
                content = await _read(response.content)
                return Reply(
                    status=response.status,
                    headers=tuple(response.headers.items()),
                    body=content,
                    seconds=loop.time() - start,
                )
        except aiohttp.ClientConnectorCertificateError as exc:
            reason = getattr(exc.certificate_error, "verify_message", "") or str(exc)
            return Silence(reason=reason, is_certificate=True)
        except TimeoutError:
            return Silence(reason=f"no answer within {self._reach.timeout_seconds:g} s")
        except aiohttp.ClientConnectorError as exc:
            return Silence(reason=_words_of(exc.os_error))
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            return Silence(reason=str(exc) or type(exc).__name__)

    async def lookup_certificate_end(self, host: str, port: int) -> datetime | None:
        """Return when the certificate shown for *host* ends, ``None`` if not known.

        A handshake of its own: an answer does not tell which connection brought it.
        """
        address = _lookup_address(self._reach.addresses, host, port) or host
        try:
            async with asyncio.timeout(self._reach.timeout_seconds):
                _, writer = await asyncio.open_connection(
                    address, port, ssl=_context(self._reach), server_hostname=host
                )
            certificate = writer.get_extra_info("peercert")
            writer.transport.abort()
        except (OSError, TimeoutError):
            return None
        if not certificate:
            return None
        seconds = ssl.cert_time_to_seconds(certificate["notAfter"])
        return datetime.fromtimestamp(seconds, UTC)


def _words_of(error: OSError) -> str:
    """Return what the system says, without the address, which the reader knows."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return str(error.strerror or error).lower()
    return os.strerror(error.errno).lower()


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """Return what comes, up to the bound; it may come in pieces."""
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) >= _MAX_BODY_BYTES:
            break
    return bytes(content)


def _lookup_address(
    addresses: Mapping[tuple[str, int], str], host: str, port: int
) -> str | None:
    return addresses.get((host, port)) or addresses.get((ANY_HOST, port))


class _Resolver(AbstractResolver):
    """Knows some addresses by itself, and asks the system for all others."""

    def __init__(self, addresses: Mapping[tuple[str, int], str]) -> None:
        self._addresses = addresses
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = _lookup_address(self._addresses, host, port)
        if address is None:
            return await self._system.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        await self._system.close()


def _context(reach: Reach) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if reach.authority is not None:
        context.load_verify_locations(cafile=reach.authority)
    if reach.is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
