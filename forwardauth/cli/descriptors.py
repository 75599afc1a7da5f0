"""How many files the process may open, and how many connections that leaves room for.

Each connection is an open file. Where the system ran out of them nothing could be
accepted, no store be reached and no users file be read, so connections end before that.
"""

import resource
from typing import Final

from forwardauth.web.limits import MAX_CONNECTIONS

RESERVED: Final = 512
"""For all else: the connections of a Redis store and of the management listener,
databases, files that are read again, and what is accepted in the moment before it ends.
"""


def raise_file_limit() -> int:
    """Let the process open as many files as it needs, or as it may.

    Systems set a low limit for old programs and a higher one up to which a process may
    raise it by itself.

    Returns:
        The limit that counts now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def count_connections(files: int) -> int:
    """Return how many connections there may be where *files* may be open."""
    return min(MAX_CONNECTIONS, max(files - RESERVED, files // 2))
