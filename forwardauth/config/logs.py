"""``logging``: what is written to the log, how, and where the audit events go."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import AuditStream, LogFormat, LoggingSettings
from forwardauth.config.section import Section, parse_path

LEVELS: Final = ("debug", "info", "warning", "error")

_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_SECRET: Final = ("authorization", "cookie", "proxy-authorization", "set-cookie")
"""Headers whose values must not get into a log."""


def read_logging(section: Section) -> LoggingSettings:
    """Return what *section* says."""
    folder = section.folder("audit")
    return LoggingSettings(
        format=section.text("format", parse_format),
        level=section.text("level", parse_level),
        audit=section.optional("audit", lambda text: parse_audit(text, folder=folder)),
        request_id=section.optional("request_id", parse_header),
    )


def check_audit(
    section: Section, settings: LoggingSettings, others: Mapping[str, Path | None]
) -> None:
    """Refuse an audit file that is one of *others*, which are named by their keys.

    Lines in the middle of it would be the end of that file.
    """
    for key, path in others.items():
        if path is not None and path == settings.audit:
            section.refuse("audit", f"is {key}", "name a file of its own")


def parse_format(text: str) -> LogFormat:
    """Return the format of lines that *text* names.

    Raises:
        RefusedValueError: Neither ``text`` nor ``json``.
    """
    try:
        return LogFormat(text)
    except ValueError as exc:
        reason = f"{quote(text)} is neither text nor json"
        raise RefusedValueError(reason, "write text or json") from exc


def parse_level(text: str) -> str:
    """Return *text* when it is one of ``LEVELS``.

    Raises:
        RefusedValueError: It is none of them.
    """
    if text not in LEVELS:
        reason = f"{quote(text)} is no level of the log"
        raise RefusedValueError(reason, f"write {', '.join(LEVELS[:-1])} or error")
    return text


def parse_audit(text: str, *, folder: Path) -> AuditStream | Path:
    """Return where audit events go: a stream, or a file, absolute from *folder*.

    Raises:
        RefusedValueError: No path.
    """
    if text in set(AuditStream):
        return AuditStream(text)
    return parse_path(text, folder=folder)


def parse_header(text: str) -> str:
    """Return *text* when a header of that name may name a request.

    Raises:
        RefusedValueError: No name of a header, or of one that holds secrets.
    """
    if not _HEADER.fullmatch(text) or text.lower() in _SECRET:
        raise RefusedValueError(
            f"{quote(text)} is no header that names a request",
            "write X-Request-ID or another name of letters, digits and hyphens",
        )
    return text
