"""What makes a report a bad one."""

from forwardauth.doctor.findings import Outcome, fail, has_failed, ok, skip, warn


def test_only_a_failure_is_one() -> None:
    """A warning, and what could not be looked at, leave the status as it is."""
    harmless = [ok("a", "b"), warn("a", "b", "c"), skip("a", "b", "c")]

    assert not has_failed([])
    assert not has_failed(harmless)
    assert has_failed([*harmless, fail("a", "b", "c")])


def test_makers_give_their_outcome() -> None:
    """Each is called as what it makes."""
    made = [ok("a", "b"), warn("a", "b", "c"), fail("a", "b", "c"), skip("a", "b", "c")]

    assert [each.outcome for each in made] == [
        Outcome.OK,
        Outcome.WARN,
        Outcome.FAIL,
        Outcome.SKIP,
    ]
    assert [each.remedy for each in made] == ["", "c", "c", "c"]
