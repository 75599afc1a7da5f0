"""What the commands of this folder have in common."""

import argparse
from collections.abc import Callable

from tests.chaos.stage import NoFakeTimeError, NoMountError


def positive(text: str) -> float:
    """Return the number that *text* is, above zero."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("it has to be a number above 0")
    return number


def run(work: Callable[[], int]) -> int | str:
    """Return the status of *work*, or in a sentence what this machine lacks for it."""
    try:
        return work()
    except (NoMountError, NoFakeTimeError) as exc:
        return f"Error: {exc}"
