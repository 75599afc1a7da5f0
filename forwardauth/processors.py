"""The processors that this process may use."""

import os
import sys


def count_processors() -> int:
    """Return how many there are; a container may leave a process some of them.

    Source: sched_getaffinity(2), and ``os.process_cpu_count``, which also knows what
    ``PYTHON_CPU_COUNT`` says. Elsewhere those of the machine count.
    """
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
