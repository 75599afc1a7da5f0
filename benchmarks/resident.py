"""What the kernel says about a process: memory, processor time, and its event loop."""

import os
import re
from pathlib import Path
from typing import Final

_BYTES_PER_MB: Final = 1_000_000


def pss_megabytes(pid: int) -> float:
    """Return ``pss_bytes`` in MB."""
    return pss_bytes(pid) / _BYTES_PER_MB


def pss_bytes(pid: int) -> int:
    """Return the memory of *pid*; of what it shares, its share."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
    found = re.search(r"^Pss: +([0-9]+) kB$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the kernel does not tell the memory of {pid}")
    return int(found[1]) * 1024


def group_seconds(pid: int) -> float:
    """Return the processor time of *pid* and all others of its process group so far.

    Unlike the time on a clock it is hardly more where others are busy as well.
    """
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text("utf-8")
        except OSError:  # ended meanwhile
            continue
        # Behind the name, which may hold anything: state, parent, group; times at 11.
        fields = text.rpartition(")")[2].split()
        if int(fields[2]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def is_on_uvloop(pid: int) -> bool:
    """Whether *pid* has loaded uvloop, as a service that runs on it has."""
    return "uvloop" in Path(f"/proc/{pid}/maps").read_text("utf-8")
