"""How far long work is, on standard error, for who sits before a terminal.

Law: where standard error is no terminal, or one that cannot redraw a line, nothing is
written, so that no log holds it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import click

from forwardauth.cli.streams import is_watched

if TYPE_CHECKING:
    # A private module of click: for the types alone.
    from click._termui_impl import ProgressBar

CLEAR_LINE: Final = "\r\x1b[K"


def tell_line(text: str) -> None:
    """Show *text* in place of what was shown before."""
    if is_watched():
        shown = text if text.isprintable() else ascii(text)
        click.echo(f"{CLEAR_LINE}{shown}", nl=False, err=True)


def clear_line() -> None:
    """Take away what was shown."""
    if is_watched():
        click.echo(CLEAR_LINE, nl=False, err=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar from the first call on; what is yielded takes *done* and *total*.

    Long work learns how long it is while it runs, so the total may change.
    """
    with ExitStack() as stack:
        bars: list[ProgressBar[int]] = []

        def tell(done: int, total: int) -> None:
            if not is_watched():
                return
            if not bars:
                shown = click.progressbar(length=total, label=label, file=sys.stderr)
                bars.append(stack.enter_context(shown))
            (bar,) = bars
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos)

        yield tell
