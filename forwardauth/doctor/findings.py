"""What a check has found: a value, with the line to change where something is wrong.

Law: a finding that is no success says what to do. What could not be looked at is
``SKIP``, never ``OK``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check, and how it went.

    Attributes:
        check: What was looked at, in a few words.
        outcome: How that went.
        detail: What was seen: lower case, no full stop, no secret.
        remedy: What to do, in the imperative; empty where all is well.
    """

    check: str
    outcome: Outcome
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Finding:
    """Return that *check* went well."""
    return Finding(check=check, outcome=Outcome.OK, detail=detail)


def warn(check: str, detail: str, remedy: str) -> Finding:
    """Return what works, and may surprise some day."""
    return Finding(check=check, outcome=Outcome.WARN, detail=detail, remedy=remedy)


def fail(check: str, detail: str, remedy: str) -> Finding:
    """Return what is wrong."""
    return Finding(check=check, outcome=Outcome.FAIL, detail=detail, remedy=remedy)


def skip(check: str, detail: str, remedy: str) -> Finding:
    """Return what could not be looked at; *remedy* says how it can be."""
    return Finding(check=check, outcome=Outcome.SKIP, detail=detail, remedy=remedy)


def has_failed(findings: Iterable[Finding]) -> bool:
    """Whether anything is wrong."""
    return any(finding.outcome is Outcome.FAIL for finding in findings)
