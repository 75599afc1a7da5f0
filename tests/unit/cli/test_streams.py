"""Standard streams are there, whatever the caller closed."""

import subprocess
import sys
from pathlib import Path

import pytest

from forwardauth.cli.streams import is_watched, open_missing, words_of

CODE = """
import os, sys
from forwardauth.cli.streams import open_missing
open_missing()
streams = [sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno()]
print("lost", file=sys.stderr, flush=True)
others = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
os.write(others, repr((streams, others > 2, sys.stdin.read())).encode())
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_stream(tmp_path: Path, closed: str) -> None:
    """What is said on standard error is never written into another file."""
    file = tmp_path / "sessions.db"
    command = f'exec "$0" -c "$1" "$2" {closed}'

    finished = subprocess.run(  # noqa: S603 - our own interpreter
        ["/bin/sh", "-c", command, sys.executable, CODE, str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert file.read_text() == "([0, 1, 2], True, '')"


def test_stream_that_is_there_is_left_alone() -> None:
    """Nobody's output is taken away."""
    before = (sys.stdin, sys.stdout, sys.stderr)

    open_missing()

    assert (sys.stdin, sys.stdout, sys.stderr) == before


@pytest.mark.parametrize(
    ("is_terminal", "kind", "expected"),
    [
        (True, "xterm", True),
        (True, None, True),
        (True, "dumb", False),
        (False, "xterm", False),
    ],
)
def test_who_can_see_a_line_change_is_watching(
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
    kind: str | None,
    expected: bool,
) -> None:
    """A log cannot, and neither can the plainest of terminals."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    monkeypatch.delenv("TERM", raising=False)
    if kind is not None:
        monkeypatch.setenv("TERM", kind)

    assert is_watched() is expected


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/a"), "Permission denied: '/a'"),
        (OSError(2, "No such file", b"/\xff"), r"No such file: '/\udcff'"),
        (OSError("said by hand"), "said by hand"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_error_of_the_system_is_told_in_words(error: OSError, words: str) -> None:
    """Its number means nothing to who reads it."""
    assert words_of(error) == words
