"""A server that hangs up on a request that it has not read to its end."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.support.certificates import Certificates

_TIMEOUT_SECONDS: Final = 20


@contextmanager
def hasty_server(
    answer: bytes, *, reads: int, certificates: Certificates | None = None
) -> Iterator[int]:
    """Serve one connection: read some, send *answer*, close; yield the port.

    What has not been read by then makes the kernel reset the connection, so that who
    still writes meets an error.

    Args:
        answer: All that is sent, as it is.
        reads: How many bytes to read before, and not one more.
        certificates: What to show over TLS; plain without them.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_TIMEOUT_SECONDS)

        def serve() -> None:
            plain, _ = listener.accept()
            # An answer that waits in this kernel is dropped with the connection.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(_TIMEOUT_SECONDS)
            with _encrypted(plain, certificates) as connection:
                left = reads
                while left:
                    left -= len(connection.recv(left))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


def _encrypted(
    plain: socket.socket, certificates: Certificates | None
) -> socket.socket:
    if certificates is None:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context.wrap_socket(plain, server_side=True)
