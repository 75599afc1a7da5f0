"""Where the demonstration is found: names below ``example.localhost``, one port.

Browsers resolve every name below ``localhost`` to this machine without asking a name
server, and treat plain HTTP there as a secure context.
Source: RFC 6761 6.3; W3C Secure Contexts 3.1.
"""

import contextlib
import socket
from dataclasses import dataclass
from typing import Final

LOOPBACK: Final = "127.0.0.1"
OTHER_LOOPBACK: Final = "::1"
DOMAIN: Final = "example.localhost"


class DemoError(Exception):
    """The demonstration cannot go on; the text is a sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses that people open; *port* is the proxy's."""

    port: int

    def authority(self, site: str) -> str:
        """Return host and port of *site* as a browser writes them."""
        port = "" if self.port == 80 else f":{self.port}"  # noqa: PLR2004 - HTTP's own
        return f"{site}.{DOMAIN}{port}"

    def url(self, site: str) -> str:
        """Return the origin of *site*: ``auth``, ``app`` or ``app2``."""
        return f"http://{self.authority(site)}"


def check_port(port: int) -> int:
    """Return *port* when the proxy can listen there.

    Raises:
        DemoError: Another program listens there, or the system does not allow it. It
            counts for either family, since a browser may try IPv6 first.
    """
    if _is_answered(OTHER_LOOPBACK, port):
        raise DemoError(_taken(port))
    with socket.socket() as candidate:
        # As the proxy does: a connection that just ended does not keep the port.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except PermissionError:
            raise DemoError(
                f"You may not listen on port {port}: choose one above 1023, for "
                "instance with --port 8080."
            ) from None
        except OSError:
            raise DemoError(_taken(port)) from None
    return port


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as candidate:
        candidate.bind((LOOPBACK, 0))
        port: int = candidate.getsockname()[1]
        return port


def _taken(port: int) -> str:
    return (
        f"Port {port} is taken by another program: end that one, or choose another "
        f"port, for instance with --port {port + 1 if port < 65535 else 8081}."  # noqa: PLR2004 - the last port
    )


def _is_answered(host: str, port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection((host, port), timeout=1),
    ):
        return True
    return False
