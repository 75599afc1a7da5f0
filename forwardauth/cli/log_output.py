"""The log of ``serve``: everything to standard error, audit events elsewhere on demand.

    settings ─► format, level ─► standard error
                            └──► audit events: a stream or a file of their own

Law: SIGUSR1 opens the audit file anew and does nothing else; it never ends a process.
"""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from forwardauth.cli.audit_output import (
    AuditHandler,
    EventPlace,
    FilePlace,
    StreamPlace,
)
from forwardauth.cli.context import tell_warnings
from forwardauth.config.problems import Place, Problem
from forwardauth.config.schema import AuditStream, LogFormat, LoggingSettings
from forwardauth.errors import ConfigError
from forwardauth.web.log_formats import JsonLines, TextLines

_log = logging.getLogger(__name__)

_AUDIT: Final = "forwardauth.audit"


class LogOutput:
    """What the log of this process is written to."""

    def __init__(self, *, level: str | None) -> None:
        """Write text to standard error until settings say otherwise.

        Args:
            level: Wins over that of the settings; ``None`` leaves it to them.
        """
        self._level = level
        self._warnings: tuple[Problem, ...] = ()
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(TextLines())
        self._audit: AuditHandler | None = None
        self._is_rotated = False
        # Who rotates the logs of all services does not wait until this one has started.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        root = logging.getLogger()
        self._level_before = root.level
        root.addHandler(self._handler)
        root.setLevel((level or "info").upper())

    def take_warnings(self, warnings: tuple[Problem, ...]) -> None:
        """Keep what was found in the settings until they say how it is told."""
        self._warnings = warnings

    def apply(self, settings: LoggingSettings) -> None:
        """Write as *settings* say from now on.

        Raises:
            ConfigError: The audit file cannot be opened; all stays as it was.
        """
        is_json = settings.format is LogFormat.JSON
        formatter = _formatter_of(settings)
        audit = self._open_audit(settings)
        self._handler.setFormatter(formatter)
        logging.getLogger().setLevel((self._level or settings.level).upper())
        self._put_audit(audit, formatter)
        signal.signal(signal.SIGUSR1, self._reopen)
        self._tell_warnings(is_json=is_json)

    def follow(self, settings: LoggingSettings) -> None:
        """Write as much as other *settings* say, in the form and place as before."""
        logging.getLogger().setLevel((self._level or settings.level).upper())

    def close(self) -> None:
        """Write nothing more, and leave logging as it was found."""
        self._put_audit(None, TextLines())
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level_before)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _tell_warnings(self, *, is_json: bool) -> None:
        warnings, self._warnings = self._warnings, ()
        if not is_json:
            tell_warnings(warnings)
            return
        for warning in warnings:
            _log.warning("%s", warning)

    def _open_audit(self, settings: LoggingSettings) -> AuditHandler | None:
        place: EventPlace
        match settings.audit:
            case None:
                return None
            case AuditStream.STDOUT:
                place = StreamPlace(sys.stdout)
            case AuditStream.STDERR:
                place = StreamPlace(sys.stderr)
            case path:
                try:
                    place = FilePlace(path)
                except OSError as exc:
                    raise ConfigError([_unusable(exc)]) from exc
        return AuditHandler(place, str(settings.audit), self._handler)

    def _put_audit(
        self, audit: AuditHandler | None, formatter: logging.Formatter
    ) -> None:
        """Let audit events go to *audit* instead of the place before."""
        logger = logging.getLogger(_AUDIT)
        if self._audit is not None:
            logger.removeHandler(self._audit)
            self._audit.close()
        self._audit = audit
        # A place of their own has all of them, whatever else is left out of the log.
        logger.setLevel(logging.NOTSET if audit is None else logging.INFO)
        logger.propagate = audit is None
        if audit is not None:
            audit.setFormatter(formatter)
            logger.addHandler(audit)

    def take_rotation(self) -> bool:
        """Return whether the signal has come since the last call."""
        is_rotated, self._is_rotated = self._is_rotated, False
        return is_rotated

    def _reopen(self, _number: int, _frame: FrameType | None) -> None:
        self._is_rotated = True
        if self._audit is not None:
            self._audit.reopen()


@contextmanager
def audit_as_well(settings: LoggingSettings) -> Iterator[None]:
    """Append the audit events of a command to the file of the service, if it has one.

    The file is never made here: it would be that of whoever runs the command.
    """
    if not isinstance(settings.audit, Path):
        yield
        return
    try:
        place = FilePlace(settings.audit, flags=0)
    except OSError as exc:
        _log.warning("%s lacks these events: %s", settings.audit, exc.strerror or exc)
        yield
        return
    handler = AuditHandler(place, str(settings.audit), logging.NullHandler())
    handler.setFormatter(_formatter_of(settings))
    logger = logging.getLogger(_AUDIT)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _formatter_of(settings: LoggingSettings) -> logging.Formatter:
    return JsonLines() if settings.format is LogFormat.JSON else TextLines()


def _unusable(error: OSError) -> Problem:
    return Problem(
        place=Place(key="logging.audit", source=""),
        reason=f"cannot be opened: {error.strerror or error}",
        remedy="name a file that the service may write to",
    )
