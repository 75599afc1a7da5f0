"""A short run of the fuzzer; ``python -m tests.fuzz.raw`` makes a long one."""

from pathlib import Path
from typing import Final

from tests.fuzz.raw import Fuzzer, fuzz

SECONDS: Final = 15.0
SEED: Final = 4


def test_hostile_bytes_get_nothing_and_break_nothing(tmp_path: Path) -> None:
    """No pass, no quote, no fault, no hang, whatever is sent (V-2, V-9, V-37, V-42)."""
    with Fuzzer(tmp_path) as fuzzer:
        fuzz(fuzzer, seconds=SECONDS, number=SEED)

        assert fuzzer.connections > 200
        assert fuzzer.statuses.keys() >= {200, 400, 401, 404, 405}
