"""An application that is told of logouts: a real server on loopback."""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.certificates import Certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def token(self) -> str:
        """The logout token, the only field of the form."""
        ((name, (value,)),) = parse_qs(self.body, strict_parsing=True).items()
        assert name == "logout_token"
        return value

    @property
    def claims(self) -> dict[str, Any]:
        """What the token says, unchecked."""
        part = self.token.split(".")[1]
        padded = part + "=" * (-len(part) % 4)
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
        return claims


class Receiver:
    """Answers *statuses* in turn, and the last one from then on.

    While held, requests arrive and are not answered. With *certificates* it takes TLS
    alone.

    Attributes:
        answered: How many requests have been answered.
        released: Ends the hold.
        origin: Scheme, host and port, once started.
        url: Where to notify.
    """

    origin: str
    url: str

    def __init__(
        self,
        *statuses: int,
        headers: Mapping[str, str] | None = None,
        is_held: bool = False,
        is_endless: bool = False,
        certificates: Certificates | None = None,
    ) -> None:
        self.answered = 0
        self.released = asyncio.Event()
        if not is_held:
            self.released.set()
        self._statuses = list(statuses or (200,))
        self._headers = headers or {}
        self._is_endless = is_endless
        self._tls: ssl.SSLContext | None = None
        if certificates is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificates.certificate, certificates.key)
        self._received: asyncio.Queue[Received] = asyncio.Queue()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server(ssl=self._tls)
        self.origin = str(self._server.make_url("/")).rstrip("/")
        self.url = f"{self.origin}/notify"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        await self._server.close()

    async def next(self) -> Received:
        """Wait for the next request; a test that waits in vain fails."""
        return await asyncio.wait_for(self._received.get(), timeout=30)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has arrived that was not read yet."""
        return self._received.empty()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._received.put_nowait(
            Received(
                method=request.method,
                path=request.path_qs,
                headers=request.headers.copy(),
                body=await request.text(),
            )
        )
        await self.released.wait()
        status = self._statuses[0]
        if len(self._statuses) > 1:
            self._statuses.pop(0)
        self.answered += 1
        if not self._is_endless:
            return web.Response(status=status, headers=self._headers)
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
