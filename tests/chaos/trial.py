"""One fault under load, and what came of it.

warm up ─► fault ─► healed ─► everything is answered well again ─► last look at all
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.account import (
    Account,
    Answer,
    Kind,
    Lost,
    Status,
    now,
    recovery_seconds,
    statuses,
)
from tests.chaos.crowd import Crowd, rest
from tests.chaos.faults import Fault
from tests.chaos.stage import WORKERS, Stage

WARM_SECONDS: Final = 0.5
STEADY_SECONDS: Final = 1.0
"""How long all has to go well after a fault until it counts as over."""

LONGEST_RECOVERY_SECONDS: Final = 45.0
_LOOKS: Final = 2 * WORKERS
_LEVEL: Final = re.compile(r"^\S+ \S+ (ERROR|CRITICAL) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one fault has shown.

    Attributes:
        during: Answers to what was asked while it lasted or under way when it began.
        after: Answers to what was asked later.
        seconds: How long it lasted.
        recovered: Seconds until everything was answered well, infinite if never.
        lost_sessions: Those that should live and do not, now or for a moment.
        revived: Those that passed after their end had been acknowledged.
        strangers: Requests without a session that passed.
        errors: Lines of the log that say ERROR, while it lasted.
        tracebacks: In the log, all along.
        log: What was written, for a failure's message.
    """

    fault: Fault
    store: str
    seconds: float
    during: Sequence[Answer]
    after: Sequence[Answer]
    recovered: float
    lost_sessions: int
    ended: int
    revived: int
    strangers: int
    errors: int
    tracebacks: int
    log: str = field(repr=False)

    def statuses(self, kind: Kind) -> Counter[Status]:
        """Return what was answered to *kind* while the fault lasted."""
        return statuses(self.during, kind)

    @property
    def longest(self) -> float:
        """The longest time in seconds that somebody waited for an answer."""
        return max(each.ended - each.began for each in (*self.during, *self.after))

    @property
    def lost(self) -> int:
        """Requests without an answer, while it lasted and after."""
        return sum(isinstance(a.status, Lost) for a in (*self.during, *self.after))


def undergo(stage: Stage, crowd: Crowd, fault: Fault, *, seconds: float) -> Outcome:
    """Do *fault* to *stage* for so many *seconds* while *crowd* uses it."""
    account = Account()
    started = now()
    crowd.move_in()
    written = stage.log.stat().st_size
    with crowd.about(account):
        rest(WARM_SECONDS)
        began_at = stage.log.stat().st_size
        began = now()
        with fault.apply(stage):
            crowd.let_leave()
            rest(seconds)
            lasted = now()
            during_log = _read(stage, began_at)
        healed = now()
        if not fault.keeps_sessions:
            crowd.move_out()
        while not _has_recovered(account, healed):
            if now() - healed > LONGEST_RECOVERY_SECONDS:
                break
            rest(0.1)
    crowd.look_at_all(_LOOKS, since=started)
    after = account.answers(healed, float("inf"))
    log = _read(stage, written)
    return Outcome(
        fault=fault,
        store=stage.store,
        seconds=lasted - began,
        during=account.under_way(began, healed),
        after=after,
        recovered=max(recovery_seconds(after, healed)),
        lost_sessions=len(account.denied_alive),
        ended=len(crowd.ended),
        revived=len(account.accepted_after_end),
        strangers=account.accepted_strangers,
        errors=len(_LEVEL.findall(during_log)),
        tracebacks=log.count("Traceback"),
        log=log,
    )


def _has_recovered(account: Account, healed: float) -> bool:
    """Whether all kinds are answered, and nothing else but well for a while."""
    steady = now() - STEADY_SECONDS
    found = account.answers(healed, float("inf"))
    is_well = all(each.is_good for each in found if each.ended >= steady)
    seconds = recovery_seconds(found, healed)
    return steady >= healed and is_well and max(seconds) < float("inf")


def _read(stage: Stage, offset: int) -> str:
    return stage.log.read_bytes()[offset:].decode(errors="replace")
