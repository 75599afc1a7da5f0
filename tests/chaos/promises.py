"""What holds on every bad day, whatever the fault."""

from collections.abc import Iterator
from typing import Final

from tests.chaos.account import Kind, Lost, Status
from tests.chaos.trial import LONGEST_RECOVERY_SECONDS, Outcome

LONGEST_ANSWER_SECONDS: Final = 15.0
"""No request hangs: far beyond all timeouts of the service, for a busy machine."""

ERRORS_AT_ONCE: Final = 6
ERRORS_A_SECOND: Final = 3
"""Lines at ERROR that say what is wrong, from both workers and their parent."""


def broken(outcome: Outcome) -> list[str]:
    """Return each promise that *outcome* breaks, as a sentence."""
    return [f"{outcome.fault.name} on {outcome.store}: {e}" for e in _broken(outcome)]


def _broken(outcome: Outcome) -> Iterator[str]:
    if outcome.revived:
        yield f"{outcome.revived} ended sessions were accepted"
    if outcome.strangers:
        yield f"{outcome.strangers} requests without a session passed"
    if outcome.fault.keeps_sessions and outcome.lost_sessions:
        yield f"{outcome.lost_sessions} sessions were lost"
    for kind in Kind:
        odd = _unforeseen(outcome, kind)
        if odd:
            yield f"{kind} was answered {odd}"
    yield from _felt(outcome)


def _felt(outcome: Outcome) -> Iterator[str]:
    """Tell what nobody loses anything by, but everybody notices."""
    if outcome.longest > LONGEST_ANSWER_SECONDS:
        yield f"somebody waited {outcome.longest:.1f} s for an answer"
    if outcome.recovered > LONGEST_RECOVERY_SECONDS:
        yield "it did not recover by itself"
    if outcome.tracebacks:
        yield f"{outcome.tracebacks} tracebacks in the log"
    if outcome.errors > ERRORS_AT_ONCE + ERRORS_A_SECOND * outcome.seconds:
        yield f"{outcome.errors} errors in the log within {outcome.seconds:.0f} s"


def _unforeseen(outcome: Outcome, kind: Kind) -> dict[Status, int]:
    """Return the answers to *kind* that are neither good nor an outage."""
    foreseen = {200, 503}
    if kind is Kind.VERIFY and not outcome.fault.keeps_sessions:
        foreseen.add(401)
    return {
        status: number
        for status, number in outcome.statuses(kind).items()
        if status not in foreseen and not isinstance(status, Lost)
    }
