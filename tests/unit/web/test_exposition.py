"""The text that a scraper reads."""

import time
from dataclasses import replace
from importlib.metadata import version

from prometheus_client.parser import text_string_to_metric_families

from forwardauth.web.exposition import State, expose
from forwardauth.web.metrics import LOGINS, PENDING, Family, Metrics
from forwardauth.web.readiness import ConfigState
from forwardauth.web.shared_counts import SUPERVISOR, SharedCounts
from tests.support.clock import START, FakeClock

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples_of(text: bytes) -> Samples:
    """Return the samples in *text* by name and values of their labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def state(sessions: int | None = None, *, refusal: str = "") -> State:
    """Return what is so while the store holds *sessions*."""
    config = ConfigState(FakeClock())
    if refusal:
        config.refuse(refusal)
    return State(
        is_ready=config.is_current, sessions=sessions, revocations=2, config=config
    )


def test_what_was_counted_is_told_with_its_labels() -> None:
    """Each count is one sample, under the name that ends as counters do."""
    metrics = Metrics()
    metrics.count(LOGINS, "success")
    metrics.count(LOGINS, "success")

    found = samples_of(expose(metrics, state(3)))

    assert found["forwardauth_logins_total", ("success",)] == 2
    assert found["forwardauth_sessions", ()] == 3
    assert found["forwardauth_store_up", ()] == 1


def test_a_store_that_is_down_has_no_number_of_sessions() -> None:
    """A number that is not known is left out, never 0."""
    found = samples_of(expose(Metrics(), state()))

    assert found["forwardauth_store_up", ()] == 0
    assert ("forwardauth_sessions", ()) not in found


def test_counter_without_labels_is_there_before_anything_is_counted() -> None:
    """Who watches for its first increase sees it."""
    found = samples_of(expose(Metrics(), state()))

    assert found[f"{PENDING}_total", ()] == 0


def test_histogram_is_told_as_scrapers_want_it() -> None:
    """Buckets add up to the last one, which is the count."""
    waits = {"forwardauth_waits_seconds": Family(text="Waits.", bounds=(0.1, 1.0))}
    metrics = Metrics(families=waits)
    for seconds in (0.05, 0.5, 0.5, 5.0):
        metrics.observe("forwardauth_waits_seconds", seconds)

    found = samples_of(expose(metrics, state()))

    buckets = [
        found["forwardauth_waits_seconds_bucket", (bound,)]
        for bound in ("0.1", "1.0", "+Inf")
    ]
    assert buckets == [1, 3, 4]
    assert found["forwardauth_waits_seconds_count", ()] == 4
    assert found["forwardauth_waits_seconds_sum", ()] == 6.05


def test_version_is_told() -> None:
    """What runs can be told from what was installed."""
    text = expose(Metrics(), state()).decode()

    assert "forwardauth_build_info{" in text
    assert f'version="{version("forwardauth")}"' in text


def test_processes_are_measured_each_for_itself() -> None:
    """Memory and open files are no sums, and the parent is no worker."""
    counts = SharedCounts()
    counts.claim(SUPERVISOR)
    metrics = Metrics(counts.claim(3))

    found = samples_of(expose(metrics, state()))

    assert found["forwardauth_workers", ()] == 1
    for worker in ("3", "supervisor"):
        assert found["process_resident_memory_bytes", (worker,)] > 1_000_000
        assert found["process_open_fds", (worker,)] > 0
        assert found["process_max_fds", (worker,)] > 0
        assert 0 < found["process_start_time_seconds", (worker,)] <= time.time()


def test_what_is_so_now_is_told() -> None:
    """What waits for the store, and whether the configuration is the current one."""
    fine = samples_of(expose(Metrics(), state(1)))
    refused = samples_of(expose(Metrics(), state(1, refusal="a secret value")))

    assert fine["forwardauth_revocations_waiting", ()] == 2
    assert fine["forwardauth_ready", ()] == 1
    assert refused["forwardauth_ready", ()] == 0
    assert fine["forwardauth_config_last_reload_successful", ()] == 1
    assert refused["forwardauth_config_last_reload_successful", ()] == 0
    taken = fine["forwardauth_config_last_reload_success_timestamp_seconds", ()]
    assert taken == START.timestamp()


def test_journal_that_cannot_be_read_has_no_number() -> None:
    """A number that is not known is left out, never 0."""
    unknown = replace(state(1), revocations=None)

    found = samples_of(expose(Metrics(), unknown))

    assert ("forwardauth_revocations_waiting", ()) not in found
