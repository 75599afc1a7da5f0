"""One request and its answer: nothing followed, nothing kept, nothing raised."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from forwardauth.doctor.exchange import Exchange, Reach, Reply, Silence
from tests.support.certificates import Certificates, create_certificates
from tests.support.processes import free_ports
from tests.support.strangers import stranger


@asynccontextmanager
async def secure_server(certificates: Certificates) -> AsyncIterator[int]:
    """Run a server that speaks TLS, and yield its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Host"])

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield port
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate for example.com, of an authority that nobody knows."""
    return create_certificates(tmp_path_factory.mktemp("tls"), "example.com")


async def test_redirect_is_an_answer() -> None:
    """It is what is looked for, and leads nowhere."""
    location = ("Location", "http://127.0.0.1:1/elsewhere")
    async with (
        stranger(status=302, headers=[location, ("Set-Cookie", "a=1")]) as url,
        Exchange(Reach()) as exchange,
    ):
        reply = await exchange.send("GET", f"{url}/here")

    assert isinstance(reply, Reply)
    assert (reply.status, reply.header("location")) == (302, location[1])


async def test_name_goes_where_it_was_told_to(certificates: Certificates) -> None:
    """The certificate is still that of the name."""
    async with secure_server(certificates) as port:
        reach = Reach(
            addresses={("example.com", port): "127.0.0.1"},
            authority=certificates.authority,
        )
        async with Exchange(reach) as exchange:
            reply = await exchange.send("GET", f"https://example.com:{port}/")
            until = await exchange.lookup_certificate_end("example.com", port)

    assert isinstance(reply, Reply)
    assert reply.body == f"example.com:{port}".encode()
    assert until is not None
    assert until > datetime(2026, 1, 1, tzinfo=UTC)


async def test_unknown_authority_is_a_reason(certificates: Certificates) -> None:
    """It is told apart from a server that is not there."""
    async with (
        secure_server(certificates) as port,
        Exchange(Reach(addresses={("*", port): "127.0.0.1"})) as exchange,
    ):
        reply = await exchange.send("GET", f"https://example.com:{port}/")

    assert isinstance(reply, Silence)
    assert reply.is_certificate
    assert "unable to get local issuer" in reply.reason


async def test_wrong_name_is_a_reason(certificates: Certificates) -> None:
    """A certificate for another name is none."""
    async with secure_server(certificates) as port:
        reach = Reach(
            addresses={("*", port): "127.0.0.1"}, authority=certificates.authority
        )
        async with Exchange(reach) as exchange:
            reply = await exchange.send("GET", f"https://other.example:{port}/")

    assert isinstance(reply, Silence)
    assert reply.is_certificate


async def test_nobody_looks_where_nobody_is_to_look(certificates: Certificates) -> None:
    """With the risk taken, every certificate is good."""
    async with secure_server(certificates) as port:
        reach = Reach(addresses={("*", port): "127.0.0.1"}, is_insecure=True)
        async with Exchange(reach) as exchange:
            reply = await exchange.send("GET", f"https://other.example:{port}/")

    assert isinstance(reply, Reply)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://nowhere.invalid/", "http:///", "junk"]
)
async def test_whatever_goes_wrong_is_a_reason(url: str) -> None:
    """No port, no name, no address: a sentence, and no exception."""
    (port,) = free_ports(1)
    async with Exchange(Reach(timeout_seconds=2)) as exchange:
        reply = await exchange.send("GET", url.format(port=port))

    assert isinstance(reply, Silence)
    assert reply.reason
    assert "ssl:" not in reply.reason


async def test_answer_in_pieces_is_read_to_its_end() -> None:
    """A program that answers slowly is no other program."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"status":', b' "OK"}'):
            await response.write(piece)
            # Lets the client have the piece before the next one.
            for _ in range(10):
                await asyncio.sleep(0)
        return response

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server, Exchange(Reach()) as exchange:
        reply = await exchange.send("GET", str(server.make_url("/")))

    assert isinstance(reply, Reply)
    assert reply.data() == {"status": "OK"}


async def test_socket_file_is_a_way(tmp_path: Path) -> None:
    """A listener without a port is reached as well."""
    file = tmp_path / "a.sock"
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.UnixSite(runner, file).start()
    try:
        async with Exchange(Reach(), socket_file=file) as exchange:
            reply = await exchange.send("GET", "http://localhost/")
    finally:
        await runner.cleanup()

    assert isinstance(reply, Reply)
    assert reply.status == 404
