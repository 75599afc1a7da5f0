"""When the process looks for garbage, and through what.

What has been built stays, so no collection looks through it again; and while it is
built there is none to find. What a reload leaves behind is found at once.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def growing() -> Iterator[None]:
    """Look for no garbage while things are built that stay.

    Nothing was ever found, and each look through all there is by then adds up to a
    fifth of the time that a large users file takes.
    """
    is_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_looking:
            gc.enable()


def keep() -> None:
    """Look no more through what there is: it stays."""
    gc.freeze()


def let_go() -> None:
    """Free what a retired configuration leaves behind: its parts refer to each other.

    Found at some later time, it leaves holes in memory that the next one does not fit
    into: a service that was told to reload every second grew by 10 KB each time, and
    does not now. What was there at the start is not looked through, so this takes a
    millisecond, and four where as many rows of sessions are known as can be.
    """
    gc.collect()
