"""Counters of one worker: plain integers, exported when somebody asks.

Law: no label holds a user, an address or a host; every label has few values.
"""

from collections import Counter
from typing import Final

VERIFICATIONS: Final = "forwardauth_verifications"
LOGINS: Final = "forwardauth_logins"
BASIC: Final = "forwardauth_basic"
ENDED: Final = "forwardauth_sessions_ended"
PENDING: Final = "forwardauth_revocations_pending"
REFUSED_TARGETS: Final = "forwardauth_targets_refused"
NOTIFICATIONS: Final = "forwardauth_logout_notifications"

HELP: Final = {
    VERIFICATIONS: ("Verify requests by adapter and outcome.", ("adapter", "outcome")),
    LOGINS: ("Sign-in attempts by result.", ("result",)),
    BASIC: ("Basic credentials that were looked at, by result.", ("result",)),
    ENDED: ("Sessions ended by cause.", ("cause",)),
    PENDING: ("Logouts that met a store that did not answer.", ()),
    REFUSED_TARGETS: ("Redirect targets refused by reason.", ("reason",)),
    NOTIFICATIONS: ("Applications told of a logout, by result.", ("result",)),
}
"""For each metric: what it counts, and the names of its labels in order."""


class Metrics:
    """What this worker has counted since it started."""

    def __init__(self) -> None:
        """Start at zero."""
        self._counts: Counter[tuple[str, ...]] = Counter()

    def count(self, name: str, *labels: str) -> None:
        """Add one to the metric *name* with *labels* in the order of ``HELP``."""
        self._counts[(name, *labels)] += 1

    def samples(self, name: str) -> list[tuple[tuple[str, ...], int]]:
        """Return the label values of *name* with their counts, in order."""
        return sorted(
            (key[1:], count) for key, count in self._counts.items() if key[0] == name
        )
