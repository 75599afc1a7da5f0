"""The demonstration's processes: how they end, and what they leave behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.binaries import require_binary
from tests.support.demo import lives, running_demo
from tests.support.processes import is_listening


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name
)
def test_signal_ends_all_and_leaves_nothing(
    tmp_path: Path, how: signal.Signals
) -> None:
    """Ctrl-C, a service manager and a closed terminal all end it the same way."""
    with running_demo(tmp_path) as demo:
        children = demo.children()
        files = list(demo.temporary.iterdir())

        status = demo.process.stop(how)

    assert children.keys() == {"service", "proxy"}
    assert files, "the demonstration keeps its files where it was told to"
    assert status == 0
    assert not any(map(lives, children.values()))
    assert not list(demo.temporary.iterdir())
    assert not is_listening(demo.addresses.port)


@pytest.mark.parametrize(
    ("child", "name"), [("service", "forwardauth"), ("proxy", "Traefik")]
)
def test_child_that_dies_ends_the_rest(tmp_path: Path, child: str, name: str) -> None:
    """A sentence says who died; the others do not stay behind."""
    with running_demo(tmp_path) as demo:
        children = demo.children()

        os.kill(children[child], signal.SIGKILL)
        status = demo.process.wait()

    assert status == 1
    assert f"error: {name} ended by itself (signal SIGKILL)" in demo.told()
    assert "Traceback" not in demo.told()
    assert not any(map(lives, children.values()))
    assert not list(demo.temporary.iterdir())


def test_taken_port_is_told_in_a_sentence() -> None:
    """The sentence says what to do; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = _run_demo("--port", str(port), PATH=os.environ["PATH"])

    assert result.returncode == 1
    assert f"error: Port {port} is taken" in result.stderr
    assert "--port" in result.stderr


def test_story_can_be_followed_in_a_shell(tmp_path: Path) -> None:
    """The commands that are told do what they are told for."""
    curl = require_binary("curl")
    with running_demo(tmp_path) as demo:
        told = demo.told()
        start = told.index("curl -i ")
        commands = told[start : told.index("Ctrl-C")].replace("curl ", f"{curl} -sS ")
        script = f"cd {tmp_path}\nset -e\n{commands}"
        result = subprocess.run(  # noqa: S603 - our own words
            ["/bin/bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )

    answers = result.stdout
    assert answers.count("Hello, Dana Demo!") == 1
    assert answers.count("HTTP/1.1 401") == 2, "before signing in and after signing out"


def _run_demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "forwardauth", "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
