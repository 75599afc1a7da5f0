"""The text that a scraper reads."""

from prometheus_client.parser import text_string_to_metric_families

from forwardauth.web.exposition import expose
from forwardauth.web.metrics import LOGINS, Metrics

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples_of(text: bytes) -> Samples:
    """Return the samples in *text* by name and values of their labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_what_was_counted_is_told_with_its_labels() -> None:
    """Each count is one sample, under the name that ends as counters do."""
    metrics = Metrics()
    metrics.count(LOGINS, "success")
    metrics.count(LOGINS, "success")

    found = samples_of(expose(metrics, 3))

    assert found["forwardauth_logins_total", ("success",)] == 2
    assert found["forwardauth_sessions", ()] == 3
    assert found["forwardauth_store_up", ()] == 1


def test_a_store_that_is_down_has_no_number_of_sessions() -> None:
    """A number that is not known is left out, never 0."""
    found = samples_of(expose(Metrics(), None))

    assert found["forwardauth_store_up", ()] == 0
    assert ("forwardauth_sessions", ()) not in found
