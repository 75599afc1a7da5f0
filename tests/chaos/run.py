"""Every fault under load, as a table: ``python -m tests.chaos.run`` (``script/chaos``).

Ends with status 1 where a promise was broken.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.chaos.account import Kind, Status
from tests.chaos.arguments import positive, run
from tests.chaos.crowd import Crowd
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.promises import broken
from tests.chaos.stage import STORES, Stage
from tests.chaos.trial import Outcome, undergo

HEAD: Final = (
    *("fault", "store", "verify", "login", "logout", "without answer"),
    *("longest answer", "sessions lost", "ended and accepted", "well again after"),
    "errors logged",
)
_PATIENT: Final = {
    "FORWARDAUTH_SESSION__IDLE_TIMEOUT": "4h",
    "FORWARDAUTH_SESSION__ABSOLUTE_TIMEOUT": "24h",
}
"""No session expires when the clock is put forward."""

_TOUCHING: Final = {"FORWARDAUTH_SESSION__IDLE_TIMEOUT": "2m"}
"""Sessions are touched every twelve seconds of use."""


def cases(store: str, wanted: str = "") -> list[Fault]:
    """Return the faults for *store* whose names hold *wanted*."""
    return [each for each in FAULTS if store in each.stores and wanted in each.name]


def stage_for(fault: Fault, store: str, folder: Path) -> Stage:
    """Return a stage for *fault*, not yet set up, which others like it can share."""
    return Stage(
        folder / f"{store}-{fault.moves_clock}",
        store,
        moves_clock=fault.moves_clock,
        settings=_PATIENT if fault.moves_clock else _TOUCHING,
    )


def outcomes(
    store: str, faults: Sequence[Fault], *, seconds: float, folder: Path
) -> Iterator[Outcome]:
    """Do each of *faults* to one stage after the other, on as few as will do."""
    for moves_clock in (False, True):
        some = [each for each in faults if each.moves_clock is moves_clock]
        if not some:
            continue
        with stage_for(some[0], store, folder) as stage:
            crowd = Crowd(stage.port)
            for fault in some:
                yield undergo(stage, crowd, fault, seconds=seconds)


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return the cells of one line of the table."""
    return (
        outcome.fault.name,
        outcome.store,
        *(_told(outcome.statuses(kind)) for kind in Kind),
        str(outcome.lost),
        f"{outcome.longest:.1f} s",
        str(outcome.lost_sessions) if outcome.fault.keeps_sessions else "with the file",
        f"{outcome.revived} of {outcome.ended}",
        f"{outcome.recovered:.1f} s",
        str(outcome.errors),
    )


def _told(found: Mapping[Status, int]) -> str:
    often = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} x {status}" for status, count in often) or "-"


def _write(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main() -> int:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--fault", default="", help="those whose names hold this")
    parser.add_argument("--seconds", type=positive, default=6.0, help="of each fault")
    parser.add_argument("--keep", type=Path, help="folder for logs of broken promises")
    arguments = parser.parse_args()
    stores = arguments.store or STORES
    if not any(cases(store, arguments.fault) for store in stores):
        parser.error(f"no fault of these stores is called {arguments.fault!r}")
    _write(*HEAD)
    _write(*("---" for _ in HEAD))
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        for store in stores:
            faults = cases(store, arguments.fault)
            for outcome in outcomes(
                store, faults, seconds=arguments.seconds, folder=Path(name)
            ):
                _write(*row(outcome))
                found = broken(outcome)
                problems += found
                if found and arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    log = arguments.keep / f"{store} {outcome.fault.name}.log"
                    log.write_text(outcome.log, "utf-8")
    sys.stdout.writelines(f"broken: {problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(run(main))
