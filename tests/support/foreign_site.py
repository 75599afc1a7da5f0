"""A site that has nothing to do with us, whose pages a test writes."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.support.certificates import Certificates

_HOST: Final = "www.example.net"
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Elsewhere</title>
  <link rel="icon" href="data:,">
</head>
<body>
  <h1>Elsewhere</h1>
  {content}
</body>
</html>
"""


class ForeignSite:
    """Serves what ``show`` was given last, under every path."""

    def __init__(self, certificates: Certificates) -> None:
        self._content = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def show(self, content: str) -> str:
        """Return the address of a page with *content*, which is HTML."""
        self._content = content
        return f"https://{_HOST}:{self._server.server_port}/"

    @contextmanager
    def running(self) -> Iterator["ForeignSite"]:
        """Serve as long as the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = _PAGE.format(content=site._content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
