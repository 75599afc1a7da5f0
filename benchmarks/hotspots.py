"""Where the time of verify goes: the functions of a worker under load, by own time.

Every call is written down, which makes short functions look longer than they are: read
it for the order, and ``script/bench verify`` for the figures.
"""

import io
import pstats
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import load, servers
from benchmarks.seeding import seed_redis
from benchmarks.verify_stage import fill_sqlite
from benchmarks.workload import Workload, requests

_SECONDS: Final = 5.0
_FUNCTIONS: Final = 40


def profile_verify(folder: Path, workload: Workload, store: str) -> str:
    """Return the table of functions for the service on *store*, under full load."""
    found = folder / "profile"
    asked = load.write_requests(
        folder / "requests", requests("nginx", "/verify/nginx", workload.tokens)
    )
    with ExitStack() as stack:
        url = "memory:"
        if store == "sqlite":
            fill_sqlite(folder / "sessions.db", workload)
            url = f"sqlite:{folder / 'sessions.db'}"
        elif store == "redis":
            redis = stack.enter_context(servers.redis(folder))
            seed_redis(redis.ports[0], workload.entries())
            url = f"redis://127.0.0.1:{redis.ports[0]}/0"
        process = servers.service(folder / store, workload, url, profile=found)
        stack.enter_context(process)
        load.rate(process.ports[0], asked, _SECONDS)
    text = io.StringIO()
    stats = pstats.Stats(str(found), stream=text)
    stats.strip_dirs().sort_stats("tottime").print_stats(_FUNCTIONS)
    return text.getvalue()
