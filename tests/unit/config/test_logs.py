"""``logging``: formats, levels, and where the audit events go."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.config.logs import parse_header
from forwardauth.config.problems import RefusedValueError
from forwardauth.config.schema import AuditStream, LogFormat, LoggingSettings
from tests.support.configuration import (
    COMPLETE,
    Mistake,
    load_text,
    problems_in,
    write_config,
)

MISTAKES = {
    "format": Mistake(
        text="logging:\n  format: xml",
        key="logging.format",
        line=2,
        keyword="neither text nor json",
    ),
    "format-in-capitals": Mistake(
        text="logging:\n  format: JSON",
        key="logging.format",
        line=2,
        keyword="neither text nor json",
    ),
    "level": Mistake(
        text="logging:\n  level: warn",
        key="logging.level",
        line=2,
        keyword="no level",
    ),
    "audit-nowhere": Mistake(
        text='logging:\n  audit: ""',
        key="logging.audit",
        line=2,
        keyword="not a path",
    ),
    "request-id": Mistake(
        text="logging:\n  request_id: X Request",
        key="logging.request_id",
        line=2,
        keyword="no header",
    ),
    "request-id-of-secrets": Mistake(
        text="logging:\n  request_id: Cookie",
        key="logging.request_id",
        line=2,
        keyword="no header",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(
    mistake: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """Each problem names its key, its line and the remedy."""
    check_mistake(mistake)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("sessions.db", "session.store"),
        ("revocations.journal", "session.journal"),
        ("users.yaml", "users.file"),
        ("config.yaml", "the configuration"),
    ],
)
def test_audit_file_is_no_file_of_another_kind(
    tmp_path: Path, name: str, whose: str
) -> None:
    """Lines in the middle of it would be the end of that file."""
    path = write_config(tmp_path, f"{COMPLETE}logging: {{audit: {name}}}\n")

    (problem,) = problems_in(path)

    assert problem.place.key == "logging.audit"
    assert problem.reason == f"is {whose}"


def test_defaults_are_text_with_the_audit_events_among_the_rest(tmp_path: Path) -> None:
    """An installation without the section logs as it did before there was one."""
    assert load_text(tmp_path, "").logging == LoggingSettings(
        format=LogFormat.TEXT, level="info", audit=None, request_id="X-Request-ID"
    )


def test_everything_can_be_set(tmp_path: Path) -> None:
    """A relative path starts at the folder of the file."""
    text = (
        "logging: {format: json, level: debug, audit: log/audit.log, request_id: null}"
    )

    assert load_text(tmp_path, text).logging == LoggingSettings(
        format=LogFormat.JSON,
        level="debug",
        audit=tmp_path / "log/audit.log",
        request_id=None,
    )


@pytest.mark.parametrize("stream", AuditStream)
def test_streams_are_no_files(tmp_path: Path, stream: AuditStream) -> None:
    """``stdout`` is the stream, from the environment as well."""
    variables = {"FORWARDAUTH_LOGGING__AUDIT": stream.value}

    assert load_text(tmp_path, "", variables).logging.audit is stream


@pytest.mark.parametrize(
    "name", ["", "X-Request-ID:", "X_Request_ID", "-", "é", "a" * 65, "AUTHORIZATION"]
)
def test_other_names_of_headers_are_refused(name: str) -> None:
    """A name that no proxy sends, or whose value is a secret."""
    with pytest.raises(RefusedValueError):
        parse_header(name)
