"""The limit of open files is raised, and connections stay below it."""

import resource
from collections.abc import Iterator

import pytest

from forwardauth.cli.descriptors import (
    RESERVED,
    count_connections,
    raise_file_limit,
)
from forwardauth.web.limits import MAX_CONNECTIONS


@pytest.fixture
def hard() -> Iterator[int]:
    """The hard limit; the soft one is what it was after the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_low_limit_is_raised(hard: int) -> None:
    """What a process may do by itself is not left to the operator."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    limit = raise_file_limit()

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == limit
    assert limit == min(MAX_CONNECTIONS + RESERVED, hard)


def test_high_limit_stays(hard: int) -> None:
    """A limit that is high enough is not lowered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    raise_file_limit()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize(
    ("files", "connections"),
    [
        (256, 128),
        (1024, 512),
        (4096, 4096 - RESERVED),
        (MAX_CONNECTIONS + RESERVED, MAX_CONNECTIONS),
        (1_000_000, MAX_CONNECTIONS),
    ],
)
def test_connections_leave_files_for_the_rest(files: int, connections: int) -> None:
    """Accepting never takes the last file (V-42)."""
    assert count_connections(files) == connections
