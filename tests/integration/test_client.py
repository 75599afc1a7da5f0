"""The client of the tests: what it makes of servers that do not hear it out."""

import http.client
import ssl
from typing import Final

import pytest

from tests.support.certificates import Certificates
from tests.support.client import Client, Reply
from tests.support.hasty_server import hasty_server
from tests.support.processes import free_ports
from tests.support.serving import Peer

BODY: Final = b"x" * 32_000_000
"""More than the two kernels keep between them, so that its write cannot end unread."""

REFUSAL: Final = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno.\n"
)
UNENDED: Final = b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno.\n"
WRITE_ERRORS: Final = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)

schemes = pytest.mark.parametrize("scheme", ["http", "https"])


def upload(
    scheme: str, certificates: Certificates, answer: bytes, *, body: bytes = BODY
) -> Reply:
    """Post *body* to a server that reads a few bytes, sends *answer* and hangs up."""
    shown = certificates if scheme == "https" else None
    with hasty_server(answer, reads=4, certificates=shown) as port:
        return Client(authority=certificates.authority).send(
            "POST", f"{scheme}://app1.example.com:{port}/", body=body
        )


@schemes
@pytest.mark.parametrize("answer", [REFUSAL, UNENDED], ids=["length", "until the end"])
def test_answer_that_overtakes_the_body_counts(
    scheme: str, certificates: Certificates, answer: bytes
) -> None:
    """A refusal is read though the rest of the upload found nobody any more."""
    reply = upload(scheme, certificates, answer)

    assert (reply.status, reply.body) == (401, b"no.\n")


@schemes
@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.", REFUSAL[:-2]],
    ids=["nothing", "half a line", "half a body"],
)
def test_unsent_body_without_a_whole_answer_is_an_error(
    scheme: str, certificates: Certificates, answer: bytes
) -> None:
    """What could not be written is told, and what was missing of the answer."""
    with pytest.raises(WRITE_ERRORS) as caught:
        upload(scheme, certificates, answer)

    assert isinstance(caught.value.__cause__, OSError | http.client.HTTPException)


def test_sent_body_without_an_answer_is_an_error(certificates: Certificates) -> None:
    """Who hangs up after a whole request without a word has not answered it."""
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        upload("http", certificates, b"", body=b"")


@schemes
def test_server_that_is_not_there_is_an_error(
    scheme: str, certificates: Certificates
) -> None:
    """Nobody is asked for an answer who has not been reached."""
    client = Client(authority=certificates.authority)
    (port,) = free_ports(1)

    with pytest.raises(ConnectionRefusedError):
        client.send("GET", f"{scheme}://www.example.com:{port}/")


def test_answer_of_the_service_that_overtakes_the_body_counts() -> None:
    """So it does to a proxy's side of HTTP, which asks the service itself."""
    with hasty_server(REFUSAL, reads=4) as port:
        reply = Peer(address=port).send("POST", "/api/firstfactor", body=BODY)

    assert (reply.status, reply.body) == (401, b"no.\n")


@schemes
def test_answer_that_overtakes_a_raw_head_counts(
    scheme: str, certificates: Certificates
) -> None:
    """A head that nobody wants to read to its end is answered too."""
    client = Client(authority=certificates.authority)
    shown = certificates if scheme == "https" else None
    head = f"GET / HTTP/1.1\r\nHost: www.example.com\r\nX: {'x' * len(BODY)}"

    with hasty_server(REFUSAL, reads=4, certificates=shown) as port:
        answer = client.send_raw(f"{scheme}://www.example.com:{port}/", head)

    assert answer == REFUSAL


@schemes
def test_raw_head_without_an_answer_is_an_error(
    scheme: str, certificates: Certificates
) -> None:
    """Nothing is not taken for an answer, where not all could be sent."""
    client = Client(authority=certificates.authority)
    shown = certificates if scheme == "https" else None
    head = f"GET / HTTP/1.1\r\nHost: www.example.com\r\nX: {'x' * len(BODY)}"

    with (
        hasty_server(b"", reads=4, certificates=shown) as port,
        pytest.raises(WRITE_ERRORS),
    ):
        client.send_raw_for_status(f"{scheme}://www.example.com:{port}/", head)
