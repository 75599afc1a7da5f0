"""What is shown while one waits, and to whom."""

import pytest

from forwardauth.cli.progress import clear_line, tell_line


def test_no_log_holds_progress(capfd: pytest.CaptureFixture[str]) -> None:
    """Where standard error is no terminal, nothing is written."""
    tell_line("half way")
    clear_line()

    assert capfd.readouterr() == ("", "")


def test_terminal_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of what was told before, and nothing in it is obeyed."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    tell_line("at \x1b]0;owned\x07")
    clear_line()

    out, err = capsys.readouterr()
    assert out == ""
    assert err == "\r\x1b[K'at \\x1b]0;owned\\x07'\r\x1b[K"
