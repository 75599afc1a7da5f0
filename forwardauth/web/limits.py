"""How much one connection may send, how slowly, and how many there may be.

Constants and not keys of the configuration: each has a reason that does not depend on
the installation. The one number that does, the connections, follows the number of files
that the system lets the process open.

Law: whatever a connection does, it holds a bounded amount of memory, and in a bounded
time it ends or goes on with a new request.
"""

from dataclasses import dataclass
from typing import Final

MAX_LINE_BYTES: Final = 128 * 1024
"""Limit of the request line, and of each header.

More than nginx and HAProxy pass on as they are shipped (the cookies of HTTP/2, which
arrive in pieces, are one header of up to 64 KiB), so that a jar which somebody has
stuffed with cookies is read, and its owner can sign out.
"""

MAX_HEAD_BYTES: Final = 2 * MAX_LINE_BYTES
"""Limit of the request line with all headers: a stuffed jar, and a long address."""

MAX_HEADERS: Final = 128
"""HAProxy and Envoy pass on 101 and 100 of a client's, and add their own."""

MAX_RAW_BODY_BYTES: Final = 1024 * 1024
"""Limit of a body with the framing of its chunks, read or not.

What is read ends at 64 KiB (``forms.MAX_BODY_BYTES``); chunks of single bytes make six
times as much of it. The rest is for a client that is still sending when its answer
comes: a connection that was cut at once would lose it the answer.
"""

READ_BUFFER_BYTES: Final = 64 * 1024
"""What is kept of a body that nobody reads; half of where reading stops."""

MAX_WAITING: Final = 2
"""Requests that may wait behind the one in hand before we stop reading."""

HEAD_SECONDS: Final = 10.0
"""From the first byte of a request to the end of its head. Proxies send it at once."""

BODY_SECONDS: Final = 30.0
"""From there to the end of the body; some proxies pass it on as slowly as it comes."""

ANSWER_SECONDS: Final = 30.0
"""For the client to take what was sent. The longest page fits into most kernels."""

DRAIN_SECONDS: Final = 5.0
"""How long what is left of an unread body is thrown away before the connection ends."""

IDLE_SECONDS: Final = 3630.0
"""Between two requests; longer than any proxy keeps a connection.

Who closes first wins a race against the next request, so it has to be the proxy. Envoy
keeps them longest: for an hour. What is idle makes room when all are taken.
"""

QUIET_SECONDS: Final = 1.0
"""In a stop, from the last answer until a connection that is kept is closed.

Until then the next answer says that it is the last one. Which request comes while a
connection is closed is lost, unless the proxy asks somebody else: one that has been
quiet for so long is unlikely to be asked just then.
"""

MAX_CONNECTIONS: Final = 10_000
"""Of one process, if the system lets it open that many files."""


CROWD: Final = 900
"""From how many connections on the loop may look for arrivals before a turn is over.

libuv does so when it was told of 1,024 events at once; there are others than requests.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of every connection of a listener; tests shorten the times.

    Attributes:
        head_seconds: See ``HEAD_SECONDS``.
        body_seconds: See ``BODY_SECONDS``.
        answer_seconds: See ``ANSWER_SECONDS``.
        drain_seconds: See ``DRAIN_SECONDS``.
        idle_seconds: See ``IDLE_SECONDS``.
        quiet_seconds: See ``QUIET_SECONDS``.
        max_connections: At least 1.
        crowd: See ``CROWD``.
    """

    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    idle_seconds: float = IDLE_SECONDS
    quiet_seconds: float = QUIET_SECONDS
    max_connections: int = MAX_CONNECTIONS
    crowd: int = CROWD
