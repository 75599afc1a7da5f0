"""The processors that this process may use."""

import os


def count_processors() -> int:
    """Return how many there are; a container or ``taskset`` may leave a process some.

    Source: sched_getaffinity(2). Where the system has no such thing all are meant.
    """
    lookup_allowed = getattr(os, "sched_getaffinity", None)
    return len(lookup_allowed(0)) if lookup_allowed else os.cpu_count() or 1
