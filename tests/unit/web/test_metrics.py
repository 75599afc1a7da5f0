"""The counters of one worker."""

import pytest

from forwardauth.web.metrics import HELP, PENDING, VERIFICATIONS, Metrics


def test_counts_are_kept_by_labels_and_in_order() -> None:
    """Each combination of labels counts for itself."""
    metrics = Metrics()
    for outcome in ("sign_in", "allow", "allow"):
        metrics.count(VERIFICATIONS, "nginx", outcome)
    metrics.count(PENDING)

    samples = metrics.samples(VERIFICATIONS)

    assert samples == [(("nginx", "allow"), 2), (("nginx", "sign_in"), 1)]
    assert metrics.samples(PENDING) == [((), 1)]


@pytest.mark.parametrize("name", HELP)
def test_nothing_is_counted_at_first(name: str) -> None:
    """A worker starts at zero, and asking counts nothing."""
    metrics = Metrics()

    metrics.samples(name)

    assert [count for _, count in metrics.samples(name)] in ([], [0])


def test_names_are_those_of_prometheus() -> None:
    """Metric and label names need no quoting, and say whose they are."""
    assert all(name.startswith("forwardauth_") for name in HELP)
    assert all(label.isidentifier() for _, labels in HELP.values() for label in labels)
    assert all(text.endswith(".") for text, _ in HELP.values())
