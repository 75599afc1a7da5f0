"""The log of ``serve``: format, level, audit events, and a signal that rotates."""

import json
import logging
import os
import re
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from forwardauth.cli.log_output import LogOutput, audit_as_well
from forwardauth.config.problems import Place, Problem
from forwardauth.config.schema import AuditStream, LogFormat, LoggingSettings
from forwardauth.errors import ConfigError
from forwardauth.web.log_lines import Event

WARNING = Problem(place=Place(key="a.b"), reason="is odd", remedy="change it")
audit = logging.getLogger("forwardauth.audit")
other = logging.getLogger("forwardauth.other")


def settings(
    *,
    is_json: bool = False,
    level: str = "info",
    to: AuditStream | Path | None = None,
) -> LoggingSettings:
    """Return a section ``logging``."""
    form = LogFormat.JSON if is_json else LogFormat.TEXT
    return LoggingSettings(format=form, level=level, audit=to, request_id=None)


def test_logging_is_left_as_it_was_found() -> None:
    """Whoever goes on in the same process after a service has its own level."""
    before = logging.getLogger().level, tuple(logging.getLogger().handlers)
    output = LogOutput(level="debug")
    output.apply(settings(to=AuditStream.STDERR))

    output.close()

    assert (logging.getLogger().level, tuple(logging.getLogger().handlers)) == before
    assert audit.level == logging.NOTSET
    assert audit.propagate


def test_text_is_what_people_have_read_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Time, level, logger and the line, on standard error."""
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings())
        audit.info(Event("login", user="alice"))
        other.debug("unseen")

    shown = capsys.readouterr()
    assert re.fullmatch(
        r"[-0-9]+ [0-9:,]+ INFO forwardauth\.audit: event=login user=alice\n", shown.err
    )
    assert shown.out == ""


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings of the configuration, too, though they are found before the format."""
    with closing(LogOutput(level=None)) as logs:
        logs.take_warnings((WARNING,))
        logs.apply(settings(is_json=True))
        audit.info(Event("login", user="alice"))
        other.warning("told\ntwice")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("event") or line["message"] for line in lines] == [
        "a.b: is odd; change it",
        "login",
        "told\ntwice",
    ]


def test_text_tells_warnings_as_every_command_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once, and not again when the settings are applied a second time."""
    with closing(LogOutput(level=None)) as logs:
        logs.take_warnings((WARNING,))
        logs.apply(settings())
        logs.apply(settings())

    assert capsys.readouterr().err == "Warning: a.b: is odd; change it\n"


@pytest.mark.parametrize(
    ("given", "configured", "seen"),
    [
        (None, "info", ["warning", "info"]),
        (None, "warning", ["warning"]),
        ("info", "error", ["warning", "info"]),
        ("error", "debug", []),
    ],
)
def test_level_of_the_command_wins(
    capsys: pytest.CaptureFixture[str],
    given: str | None,
    configured: str,
    seen: list[str],
) -> None:
    """Whoever looks for something needs no other configuration for it."""
    with closing(LogOutput(level=given)) as logs:
        logs.apply(settings(is_json=True, level=configured))
        other.warning("x")
        other.info("x")
        other.debug("x")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["level"] for line in lines] == seen


def test_audit_events_have_a_stream_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All of them, whatever the level of the log, and nothing else."""
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings(level="error", to=AuditStream.STDOUT, is_json=True))
        audit.info(Event("login", user="alice"))
        other.info("x")
        other.error("y")

    shown = capsys.readouterr()
    assert [json.loads(line)["event"] for line in shown.out.splitlines()] == ["login"]
    assert [json.loads(line)["message"] for line in shown.err.splitlines()] == ["y"]


def test_signal_opens_the_file_anew(tmp_path: Path) -> None:
    """SIGUSR1 after a rename lets go of the old file, before any event."""
    path = tmp_path / "audit.log"
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings(to=path))
        audit.info(Event("login"))
        path.rename(tmp_path / "old")
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0)  # The interpreter takes signals between two steps.
        is_there = path.exists()
        told = [logs.take_rotation(), logs.take_rotation()]
        audit.info(Event("logout"))

    assert is_there
    assert told == [True, False]
    assert "event=login\n" in (tmp_path / "old").read_text()
    assert path.read_text().endswith("event=logout\n")


def test_signal_without_a_file_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever rotates the logs of all services sends it to this one as well."""
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings())
        os.kill(os.getpid(), signal.SIGUSR1)
        other.info("still here")

    assert "still here" in capsys.readouterr().err


def test_file_that_cannot_be_opened_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its key; the log goes on as it was."""
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings(to=tmp_path / "audit.log"))
        with pytest.raises(ConfigError) as caught:
            logs.apply(settings(is_json=True, to=tmp_path / "none/audit.log"))
        audit.info(Event("login"))
        other.info("x")

    (problem,) = caught.value.problems
    assert str(problem).startswith("logging.audit: cannot be opened: No such file")
    assert (tmp_path / "audit.log").read_text().endswith("event=login\n")
    assert capsys.readouterr().err.endswith("INFO forwardauth.other: x\n")


def test_reload_changes_how_much_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The form and the place of events stay: they take a restart."""
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings(level="warning"))
        other.info("unseen")
        logs.follow(settings(is_json=True, level="info", to=AuditStream.STDOUT))
        other.info("seen")
        audit.info(Event("login", user="alice"))
    with closing(LogOutput(level="error")) as logs:
        logs.follow(settings(level="info"))
        other.info("unseen")

    shown = capsys.readouterr()
    assert "unseen" not in shown.err
    assert [line.split(": ")[1] for line in shown.err.splitlines()] == [
        "seen",
        "event=login user=alice",
    ]
    assert shown.out == ""


def test_settings_can_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reload takes events out of the file, and back."""
    path = tmp_path / "audit.log"
    with closing(LogOutput(level=None)) as logs:
        logs.apply(settings(to=path))
        logs.apply(settings())
        audit.info(Event("one"))
        logs.apply(settings(to=path))
        audit.info(Event("two"))

    assert capsys.readouterr().err.endswith("event=one\n")
    assert path.read_text().endswith("event=two\n")
    assert "one" not in path.read_text()


def test_command_appends_to_the_file_of_the_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What an administrator ends is where one looks for it, and in the terminal."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "audit.log"
    path.touch()

    with audit_as_well(settings(is_json=True, to=path)):
        audit.info(Event("session_ended"))
    audit.info(Event("later"))

    (line,) = path.read_text().splitlines()
    assert json.loads(line)["event"] == "session_ended"
    assert caplog.messages == ["event=session_ended", "event=later"]


@pytest.mark.parametrize("to", [None, AuditStream.STDOUT, Path("none/audit.log")])
def test_command_without_such_a_file_goes_on(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    to: AuditStream | Path | None,
) -> None:
    """No file is made; one that cannot be written is told of."""
    where = tmp_path / to if isinstance(to, Path) else to
    caplog.set_level(logging.INFO)

    with audit_as_well(settings(to=where)):
        audit.info(Event("session_ended"))

    assert caplog.messages[-1] == "event=session_ended"
    assert ("lacks these events" in caplog.text) is isinstance(to, Path)
    assert list(tmp_path.iterdir()) == []
