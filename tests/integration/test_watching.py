"""Alerts and dashboard as shipped: Prometheus takes them, and they fire in time.

promtool is the judge: of the rules, of what they say about made-up samples, and of each
query of the dashboard.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.binaries import require_binary
from tests.support.repository import ROOT

ALERTS: Final = ROOT / "deploy/prometheus/alerts.yaml"
TESTS: Final = ROOT / "tests/data/alerts-test.yaml"
DASHBOARD: Final = ROOT / "deploy/grafana/forwardauth.json"
METRICS: Final = ROOT / "docs/metrics.md"
OPERATIONS: Final = ROOT / "docs/operations.md"
COLUMNS: Final = 24
FOREIGN: Final = {"up"}
"""What Prometheus says of a target by itself."""


def promtool(*arguments: str | Path) -> str:
    """Return what promtool says; fail where it is not content."""
    done = subprocess.run(  # noqa: S603 - the program that was looked up
        [require_binary("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    """Return every rule."""
    content = yaml.safe_load(ALERTS.read_text("utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def dashboard() -> Any:
    """Return the dashboard."""
    return json.loads(DASHBOARD.read_text("utf-8"))


def panels() -> list[dict[str, Any]]:
    """Return the panels that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> Iterator[str]:
    """Yield every query of the dashboard, its variables replaced as Grafana does."""
    board = dashboard()
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    found += [each["expr"] for each in board["annotations"]["list"]]
    for query in found:
        plain = query.replace("$__rate_interval", "1m")
        yield plain.replace("$job", "forwardauth").replace("$instance", "a|b")


def metrics_in(text: str) -> set[str]:
    """Return the names of metrics in a query."""
    return set(re.findall(r"\b(?:forwardauth|process)_\w+|\bup\b", text))


def documented() -> set[str]:
    """Return every name that a query may use: histograms have three."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) ", METRICS.read_text("utf-8"), re.MULTILINE
    )
    endings = ("_bucket", "_sum", "_count")
    return {
        name + ending
        for name, kind in rows
        for ending in (endings if kind == "histogram" else ("",))
    }


def test_prometheus_takes_the_rules() -> None:
    """Expressions and the templates of their texts are sound."""
    assert "12 rules found" in promtool("check", "rules", ALERTS)


def test_alerts_fire_for_who_is_in_trouble_alone(tmp_path: Path) -> None:
    """Each names the instance that it is about, in time, and no other one."""
    content = yaml.safe_load(ALERTS.read_text("utf-8"))
    for group in content["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    shutil.copy(TESTS, tmp_path)

    assert "SUCCESS" in promtool("test", "rules", tmp_path / TESTS.name)


def test_every_alert_has_a_test_a_text_and_a_paragraph() -> None:
    """Whoever is woken up is told what is wrong, and finds what to do."""
    tests = TESTS.read_text("utf-8")
    document = OPERATIONS.read_text("utf-8")

    offenders = [
        rule["alert"]
        for rule in rules()
        if f"alertname: {rule['alert']}\n        exp_alerts" not in tests
        or rule["annotations"].keys() != {"summary", "description"}
        or rule["labels"]["severity"] not in {"warning", "critical"}
        or f"| `{rule['alert']}` |" not in document
    ]
    named = set(re.findall(r"^\| `(Forwardauth\w+)` \|", document, re.MULTILINE))
    assert offenders == []
    assert named == {rule["alert"] for rule in rules()}


def test_alerts_and_panels_ask_for_metrics_that_there_are() -> None:
    """A name that was changed is changed here, too."""
    asked = [*(rule["expr"] for rule in rules()), *queries()]

    unknown = set.union(*map(metrics_in, asked)) - documented() - FOREIGN

    assert unknown == set()
    assert all(metrics_in(query) for query in asked)


def test_every_query_of_the_dashboard_can_be_asked(tmp_path: Path) -> None:
    """Prometheus reads each of them as an expression."""
    recorded = [
        {"record": f"panel:{number}", "expr": query}
        for number, query in enumerate(queries())
    ]
    path = tmp_path / "queries.yaml"
    group = {"name": "queries", "rules": recorded}
    path.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")

    assert f"{len(recorded)} rules found" in promtool("check", "rules", path)
    assert not any("$" in query for query in queries())


def test_every_documented_metric_of_ours_is_shown() -> None:
    """Nothing is counted that nobody would see."""
    shown = set.union(*map(metrics_in, queries()))
    variables = json.dumps(dashboard()["templating"])
    bare = {"process_virtual_memory_bytes", "process_start_time_seconds"}

    hidden = {name for name in documented() - shown - bare if name not in variables}

    assert hidden == set()


def test_panels_have_what_grafana_asks_for() -> None:
    """Each has a number, a place, a text, a unit and the chosen data source."""
    everything = dashboard()["panels"]
    numbers = [panel["id"] for panel in everything]
    source = {"type": "prometheus", "uid": "${datasource}"}

    offenders = [
        panel["title"]
        for panel in panels()
        if panel["datasource"] != source
        or any(target["datasource"] != source for target in panel["targets"])
        or not panel["description"].endswith(".")
        or not panel["fieldConfig"]["defaults"]["unit"]
    ]
    assert offenders == []
    assert len(set(numbers)) == len(numbers)
    assert len({panel["title"] for panel in everything}) >= len(everything) - 1
    assert {v["name"] for v in dashboard()["templating"]["list"]} == {
        "datasource",
        "job",
        "instance",
    }


def test_panels_do_not_cover_each_other() -> None:
    """All are within the width of a dashboard, each in a place of its own."""
    places = [panel["gridPos"] for panel in dashboard()["panels"]]

    covered = [
        (one, other)
        for one, other in combinations(places, 2)
        if one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    ]
    assert covered == []
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
