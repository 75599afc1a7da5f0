"""The counters of the workers, one after another and all together."""

import logging

import pytest

from forwardauth.web.metrics import (
    FAMILIES,
    PENDING,
    VERIFICATIONS,
    Family,
    Histogram,
    Metrics,
)
from forwardauth.web.shared_counts import PART_WORDS, SharedCounts

WAITS = "forwardauth_waits"
TIMED = {WAITS: Family(text="Waits.", labels=("how",), bounds=(0.1, 1.0))}


def test_counts_are_kept_by_labels_and_in_order() -> None:
    """Each combination of labels counts for itself."""
    metrics = Metrics()
    for outcome in ("sign_in", "allow", "allow"):
        metrics.count(VERIFICATIONS, "nginx", outcome)
    metrics.count(PENDING)

    samples = metrics.samples(VERIFICATIONS)

    assert samples == [(("nginx", "allow"), 2), (("nginx", "sign_in"), 1)]
    assert metrics.samples(PENDING) == [((), 1)]


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_is_counted_at_first(name: str) -> None:
    """A worker starts at zero, and asking counts nothing."""
    metrics = Metrics()

    metrics.samples(name)

    assert [count for _, count in metrics.samples(name)] in ([], [0])


def test_workers_are_summed() -> None:
    """Each counts for itself; every one of them knows what all have counted."""
    counts = SharedCounts(workers=2)
    one, other = Metrics(counts.claim(0)), Metrics(counts.claim(1))
    one.count(VERIFICATIONS, "nginx", "allow")
    other.count(VERIFICATIONS, "nginx", "allow")
    other.count(VERIFICATIONS, "caddy", "allow")

    samples = one.samples(VERIFICATIONS)

    assert samples == [(("caddy", "allow"), 1), (("nginx", "allow"), 2)]
    assert other.samples(VERIFICATIONS) == samples


def test_histogram_puts_each_into_the_first_bucket_that_holds_it() -> None:
    """A bound belongs to its bucket, and what is beyond all has one of its own."""
    metrics = Metrics(families=TIMED)
    for seconds in (0.0, 0.1, 0.11, 1.0, 5.0):
        metrics.observe(WAITS, seconds, "long")

    ((labels, found),) = metrics.histograms(WAITS)

    assert labels == ("long",)
    assert found.counts == (2, 2, 1)
    assert found.seconds == pytest.approx(6.21)


def test_histograms_of_workers_are_summed() -> None:
    """Bucket by bucket, and the seconds as well."""
    counts = SharedCounts(workers=2)
    for worker, seconds in enumerate((0.5, 2.0)):
        Metrics(counts.claim(worker), families=TIMED).observe(WAITS, seconds, "long")

    found = Metrics(counts.claim(2), families=TIMED).histograms(WAITS)

    assert found == [(("long",), Histogram(counts=(0, 1, 1), seconds=2.5))]


def test_clock_that_was_set_back_takes_no_seconds_away() -> None:
    """The sum never goes down."""
    metrics = Metrics(families=TIMED)

    metrics.observe(WAITS, -3600.0, "long")

    assert metrics.histograms(WAITS) == [
        (("long",), Histogram(counts=(1, 0, 0), seconds=0.0))
    ]


def test_labels_without_end_are_not_counted_and_disturb_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Memory is bounded; the request goes on, and the log says what is missing."""
    metrics = Metrics()
    with caplog.at_level(logging.ERROR):
        for number in range(PART_WORDS):
            metrics.count(VERIFICATIONS, "nginx", f"outcome {number}")

    counted = len(metrics.samples(VERIFICATIONS))

    assert 100 < counted < PART_WORDS
    assert len(caplog.records) == 1


def test_names_are_those_of_prometheus() -> None:
    """Metric and label names need no quoting, and say whose they are."""
    families = FAMILIES.values()

    assert all(name.startswith("forwardauth_") for name in FAMILIES)
    assert all(label.isidentifier() for each in families for label in each.labels)
    assert all(each.text.endswith(".") for each in families)
