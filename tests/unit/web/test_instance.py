"""What an instance is at, as every one of its workers can tell."""

import os
from datetime import timedelta

import pytest

from forwardauth.web.instance import Instance
from tests.support.clock import START


@pytest.fixture
def instance() -> Instance:
    """Two workers that serve the first configuration."""
    found = Instance(workers=2)
    found.accept(1, START)
    found.serve(0, 1)
    found.serve(1, 1)
    return found


def test_what_was_accepted_counts(instance: Instance) -> None:
    """The start is the first time."""
    assert instance.is_of_one_mind
    assert (instance.generation, instance.since) == (1, START)
    assert (instance.refused, instance.reason) == (None, "")
    assert not instance.is_stopping


def test_a_worker_that_lags_behind_is_noticed(instance: Instance) -> None:
    """Until the last has changed over, nobody may rely on what was accepted."""
    instance.accept(2, START + timedelta(milliseconds=1500))
    instance.serve(0, 2)

    while_one_lags = instance.is_of_one_mind
    instance.serve(1, 2)

    assert not while_one_lags
    assert instance.is_of_one_mind
    assert instance.since == START + timedelta(milliseconds=1500)


def test_a_worker_that_is_gone_keeps_nobody_waiting(instance: Instance) -> None:
    """Its successor begins with what counts."""
    instance.accept(2, START)
    instance.serve(0, 2)
    instance.leave(1)

    assert instance.is_of_one_mind


def test_a_refused_configuration_changes_nothing_that_counts(
    instance: Instance,
) -> None:
    """It is told beside that, until one is accepted."""
    later = START + timedelta(minutes=1)
    instance.refuse("line 3 is odd", later)
    refused, reason = instance.refused, instance.reason

    instance.refuse("odd", later)
    shorter = instance.reason
    counts = instance.generation, instance.since, instance.is_of_one_mind
    instance.accept(2, later)

    assert (refused, reason) == (later, "line 3 is odd")
    assert shorter == "odd"
    assert counts == (1, START, True)
    assert (instance.refused, instance.reason) == (None, "")


def test_a_long_reason_is_cut_between_characters(instance: Instance) -> None:
    """What is shown is text."""
    instance.refuse("ä" * 5000, START)

    assert instance.reason == "ä" * 512


def test_a_stop_is_noted(instance: Instance) -> None:
    """Whoever asks any worker is told."""
    instance.begin_stop()

    assert instance.is_stopping


def test_all_processes_see_the_same(instance: Instance) -> None:
    """What a forked worker notes is known to whoever is asked."""
    instance.accept(2, START)
    pid = os.fork()
    if pid == 0:
        instance.serve(0, 2)
        instance.serve(1, 2)
        os._exit(0)

    os.waitpid(pid, 0)

    assert instance.is_of_one_mind
