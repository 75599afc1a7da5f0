"""What the kernel says about a process: its memory, and which event loop it has."""

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


def is_on_uvloop(pid: int) -> bool:
    """Whether *pid* has loaded uvloop, as a service that runs on it has."""
    return "uvloop" in Path(f"/proc/{pid}/maps").read_text("utf-8")
