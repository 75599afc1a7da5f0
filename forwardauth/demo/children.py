"""Child processes of the demonstration: started, watched, and ended by pid.

Each child leads a process group of its own, so that a Ctrl-C in the terminal reaches
the demonstration alone, which then ends its children in order. Where the demonstration
is killed, and can do nothing any more, Linux asks its children to end.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

from forwardauth.demo.addresses import DemoError

STOP_SECONDS: Final = 8.0
"""How long a child may take to end when it is asked to."""

_TAIL_LINES: Final = 12
_PR_SET_PDEATHSIG: Final = 1  # Source: linux/prctl.h


class Child:
    """One running child; made by ``child_process``."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's as well."""
        return self._process.pid

    async def watch(self) -> None:
        """Wait for the child to end, which it is not meant to do.

        Raises:
            DemoError: Always, as soon as the child has ended, with the end of its log.
        """
        status = await self._process.wait()
        raise DemoError(
            f"{self.name} ended by itself ({_describe(status)}). The last lines of its "
            f"log:\n{self.tail()}"
        )

    def tail(self) -> str:
        """Return the last lines of its output, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (nothing)"

    async def stop(self) -> None:
        """Ask the child to end, and end its whole group if it does not."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@contextlib.asynccontextmanager
async def child_process(
    name: str, arguments: Sequence[str | Path], *, folder: Path
) -> AsyncIterator[Child]:
    """Run *arguments* in *folder* as long as the context lasts.

    Its output goes to ``<name>.log`` in *folder*, in lower case.
    """
    log = folder / f"{name.lower()}.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_end_with_parent(),
        )
    child = Child(name, process, log)
    try:
        yield child
    finally:
        await child.stop()


def _end_with_parent() -> Callable[[], None] | None:
    """Return what a child does first so that it ends with this process.

    ``None`` where the system has no such thing.
    """
    if sys.platform != "linux":
        return None
    parent, control = os.getpid(), ctypes.CDLL(None).prctl

    def bind() -> None:
        control(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)  # It was too late to be told.

    return bind


def _describe(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"signal {signal.Signals(-status).name}"
