"""A minute of mixed traffic, after which everything is as it was after a third of it.

``script/chaos soak`` does the same for half an hour, with less patience.
"""

from pathlib import Path

from tests.chaos.account import Kind
from tests.chaos.soak import SETTINGS, SHORT, Soak, verdict
from tests.chaos.stage import Stage

SECONDS = 50
"""A minute with the start and the end: room for two changes of a password."""


def test_minute_of_mixed_traffic_leaves_nothing_behind(tmp_path: Path) -> None:
    """Memory, open files and latency stay flat, and no answer is wrong."""
    with Stage(tmp_path / "stage", "sqlite", settings=SETTINGS) as stage:
        soak = Soak(stage, rate=20)
        soak.run(SECONDS)
        log = stage.log.read_text()

    assert verdict(soak, SHORT) == []
    assert "Traceback" not in log
    assert soak.statuses[Kind.LOGOUT][200] > 10
    assert soak.statuses[Kind.VERIFY][200] > 300
    assert soak.changes > 1
    assert soak.reloads > 1
