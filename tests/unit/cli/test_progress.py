"""What is shown while one waits, and to whom."""

import pytest

from forwardauth.cli.progress import clear_line, progress_bar, tell_line


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
    monkeypatch.setenv("TERM", "xterm")

    tell_line("at \x1b]0;owned\x07")
    clear_line()

    out, err = capsys.readouterr()
    assert out == ""
    assert err == "\r\x1b[K'at \\x1b]0;owned\\x07'\r\x1b[K"


def test_terminal_that_cannot_redraw_is_told_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would show the signs that clear a line."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")

    tell_line("half way")
    clear_line()
    with progress_bar("moving") as tell:
        tell(1, 2)

    assert capsys.readouterr() == ("", "")


def test_bar_is_for_terminals(capfd: pytest.CaptureFixture[str]) -> None:
    """Elsewhere the calls do nothing."""
    with progress_bar("moving") as tell:
        tell(1, 2)

    assert capfd.readouterr() == ("", "")


def test_bar_grows_with_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total may change meanwhile, and nothing is shown before the first step."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("moving") as tell:
        assert capsys.readouterr().err == ""
        tell(1, 2)
        tell(4, 4)

    assert "moving" in (shown := capsys.readouterr().err)
    assert "100%" in shown
