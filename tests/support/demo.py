"""``forwardauth demo`` as a process, with a folder of its own for temporary files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forwardauth.demo.addresses import Addresses
from tests.support.processes import Process, free_ports, wait_for

LAST_LINE = "Ctrl-C ends everything and leaves nothing behind."


class Demo:
    """One demonstration: its addresses, its process, what it leaves behind."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self.addresses = Addresses(port=port)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.process = Process(
            "demo",
            [sys.executable, "-m", "forwardauth", "demo", "--port", str(port)],
            log=folder / "demo.log",
            ports=[port],
            environment={"TMPDIR": str(self.temporary)},
        )

    def start(self) -> None:
        """Start it, and return when it has told what to try."""
        self.process.start()
        wait_for(lambda: LAST_LINE in self.told(), "the demonstration is ready")

    def told(self) -> str:
        """Return what it has written so far."""
        return self.process.log.read_text()

    def children(self) -> dict[str, int]:
        """Return the process id of each child, by a word of its command line."""
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = {}
        for child in map(int, pids):
            command = Path(f"/proc/{child}/cmdline").read_text()
            found["service" if "serve" in command else "proxy"] = child
        return found


def lives(pid: int) -> bool:
    """Whether a process *pid* is there."""
    return Path(f"/proc/{pid}").exists()


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """Run a demonstration as long as the context lasts."""
    demo = Demo(folder)
    try:
        demo.start()
        yield demo
    finally:
        demo.process.close()
