"""How far long work is, on standard error, for who sits before a terminal.

Law: where standard error is no terminal nothing is written, so that no log holds it.
"""

import sys
from typing import Final

import click

CLEAR_LINE: Final = "\r\x1b[K"


def tell_line(text: str) -> None:
    """Show *text* in place of what was shown before."""
    if sys.stderr.isatty():
        shown = text if text.isprintable() else ascii(text)
        click.echo(f"{CLEAR_LINE}{shown}", nl=False, err=True)


def clear_line() -> None:
    """Take away what was shown."""
    if sys.stderr.isatty():
        click.echo(CLEAR_LINE, nl=False, err=True)
