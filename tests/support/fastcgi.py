"""An application that speaks FastCGI, as PHP does, and tells what reached it.

It answers every request with its parameters as JSON.
Source: FastCGI Specification 1.0, 3.3 and 5.
"""

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct("!BBHHBx")
_VERSION: Final = 1
_END_REQUEST, _PARAMS, _STDIN, _STDOUT = 3, 4, 5, 6
_LONG: Final = 0x80
"""A length whose first byte has this bit takes four bytes."""


@contextmanager
def fastcgi_application(path: Path) -> Iterator[None]:
    """Listen at the unix socket *path* as long as the context lasts."""
    with socketserver.ThreadingUnixStreamServer(str(path), _Connection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class _Connection(socketserver.StreamRequestHandler):
    """One request: nginx keeps no such connection open unless it is told to."""

    def handle(self) -> None:
        """Answer the request."""
        kind, request, parameters = 0, 0, b""
        while kind != _STDIN:
            _, kind, request, length, padding = _HEADER.unpack(self.rfile.read(8))
            content = self.rfile.read(length + padding)[:length]
            parameters += content if kind == _PARAMS else b""
        body = json.dumps(dict(_pairs(parameters))).encode()
        head = b"Content-Type: application/json\r\n\r\n"
        self.wfile.write(
            _record(_STDOUT, request, head + body)
            + _record(_STDOUT, request, b"")
            + _record(_END_REQUEST, request, bytes(8))
        )


def _record(kind: int, request: int, content: bytes) -> bytes:
    return _HEADER.pack(_VERSION, kind, request, len(content), 0) + content


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    while data:
        sizes = []
        for _ in ("name", "value"):
            width = 4 if data[0] & _LONG else 1
            sizes.append(int.from_bytes(data[:width]) & (_LONG << 8 * (width - 1)) - 1)
            data = data[width:]
        text, data = data[: sum(sizes)].decode("latin-1"), data[sum(sizes) :]
        yield text[: sizes[0]], text[sizes[0] :]
