"""Child processes: ended whatever they do, and missed when they end."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forwardauth.demo.addresses import DemoError
from forwardauth.demo.children import child_process
from tests.support.processes import wait_for

SLEEPS = "import time; time.sleep(60)"
STAYS = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "open('ready', 'w').close(); time.sleep(60)"
)
PARENT = """\
import asyncio, sys
from pathlib import Path
from forwardauth.demo.children import child_process

async def main():
    call = [sys.executable, "-c", sys.argv[1]]
    async with child_process("Sleeper", call, folder=Path.cwd()) as child:
        print(child.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
FAILS = "import sys; print('no such file: users.yaml'); sys.exit(3)"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _runs(pid: int) -> bool:
    """Whether it has not ended; who inherits it may be slow to notice."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def test_child_lives_as_long_as_its_context(tmp_path: Path) -> None:
    """The process runs inside of the block, and is gone after it."""
    call = [sys.executable, "-c", SLEEPS]
    async with child_process("Sleeper", call, folder=tmp_path) as child:
        lived = _lives(child.pid)

    assert lived
    assert not _lives(child.pid)


async def test_child_that_ignores_the_request_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not end when asked is killed after the grace."""
    monkeypatch.setattr("forwardauth.demo.children.STOP_SECONDS", 0.05)
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    call = [sys.executable, "-c", STAYS]
    async with child_process("Stayer", call, folder=tmp_path) as child:
        # Reading a pipe waits until the other side has opened and closed it.
        await asyncio.to_thread(ready.read_bytes)

    assert not _lives(child.pid)


def test_child_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """Whoever kills the demonstration has nothing to clean up."""
    call = [sys.executable, "-c", PARENT, SLEEPS]
    with subprocess.Popen(call, cwd=tmp_path, stdout=subprocess.PIPE) as parent:  # noqa: S603 - ours
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        lived = _runs(child)
        parent.kill()

    assert lived
    wait_for(lambda: not _runs(child), "the child has ended")


async def test_child_that_ends_by_itself_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    """Name, status and the end of the log say what went wrong."""
    call = [sys.executable, "-c", FAILS]
    async with child_process("Service", call, folder=tmp_path) as child:
        with pytest.raises(DemoError) as caught:
            await child.watch()

    assert "Service ended by itself (exit status 3)" in str(caught.value)
    assert "no such file: users.yaml" in str(caught.value)


async def test_child_that_was_killed_is_told_by_the_signal(tmp_path: Path) -> None:
    """A signal is named, as the out-of-memory killer's would be."""
    call = [sys.executable, "-c", SLEEPS]
    async with child_process("Service", call, folder=tmp_path) as child:
        os.kill(child.pid, 9)

        with pytest.raises(DemoError, match="signal SIGKILL"):
            await child.watch()
