"""Proof that a companion tells people apart, without which its figure says nothing.

Law: the very bytes that are counted get an answer that names the user; the same bytes
without the session, and with a forged one, are refused.
"""

import http.client
import socket
from typing import Final

_TIMEOUT_SECONDS: Final = 10
_GRANTED: Final = range(200, 300)
_REFUSED: Final = 401


def check_answers(
    port: int, request: bytes, *, cookie: str, user_header: str, user: str
) -> None:
    """Return when the companion on *port* knows *user* by *cookie*, and by that alone.

    Args:
        port: Whom to ask.
        request: A whole signed-in request, whose ``Cookie`` line ends with *cookie*.
        cookie: The session's: name and value.
        user_header: The header of the answer that names the user.
        user: Who that has to be.

    Raises:
        RuntimeError: Somebody else gets in, or this user does not.
    """
    status, found = _ask(port, request, user_header)
    if status not in _GRANTED or found != user:
        raise RuntimeError(f"not {user}'s answer: {status}, {user_header} is {found!r}")
    own = f"; {cookie}".encode()
    for what, instead in (("no", b""), ("a forged", f"; {_forged(cookie)}".encode())):
        changed = request.replace(own, instead)
        if changed == request:
            raise RuntimeError(f"the request does not have {cookie.partition('=')[0]}")
        status, found = _ask(port, changed, user_header)
        if status != _REFUSED or found is not None:
            raise RuntimeError(f"{what} session is answered {status}, {found!r}")


def _forged(cookie: str) -> str:
    """Return *cookie* with other letters, which no signature or look-up survives."""
    name, _, value = cookie.partition("=")
    return f"{name}={value.swapcase()}"


def _ask(port: int, request: bytes, header: str) -> tuple[int, str | None]:
    """Return the status of the answer to *request*, and the value of *header*."""
    address = ("127.0.0.1", port)
    with socket.create_connection(address, _TIMEOUT_SECONDS) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        try:
            return response.status, response.getheader(header)
        finally:
            response.close()
