"""What rendering a page of the portal costs, against a bare template of Jinja's.

    script/bench renders [--languages en,de] [--renders 300]

Prints for each page the bytes that it has, the median processor time of a render, and
the ratio to the least that Jinja can do: a compiled template of five values between the
same number of bytes. The store is not asked and nothing is sent.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

from jinja2 import Environment

from forwardauth.language_tags import LANGUAGES
from tests.support.pages import PAGES, STATES

SHOWN: Final = (
    "login",
    "login credentials",
    "login throttled",
    "home",
    "forbidden",
    "logout browser",
    "confirm",
    "error internal",
)
RENDERS: Final = 300
_VALUES: Final = 5
_MICROSECONDS: Final = 1e6


def measure(render: Callable[[], str], renders: int) -> float:
    """Return the median processor time of *render* in seconds, once it is warm."""
    render()
    times: list[float] = []
    for _ in range(renders):
        started = time.process_time_ns()
        render()
        times.append((time.process_time_ns() - started) / 1e9)
    return statistics.median(times)


def create_bare(size: int) -> Callable[[], str]:
    """Return a render of *size* bytes that no page can be faster than."""
    part = "x" * (size // _VALUES)
    source = f"{part}{{{{ value }}}}" * _VALUES
    template = Environment(autoescape=True).from_string(source)
    return lambda: template.render(value="a & b")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="script/bench renders", description=__doc__)
    parser.add_argument("--languages", default="en,de,ja")
    parser.add_argument("--renders", type=int, default=RENDERS)
    chosen = parser.parse_args(arguments)
    tags = [tag for tag in chosen.languages.split(",") if tag in LANGUAGES]
    print(f"{'page':20} {'lang':8} {'bytes':>6} {'render':>9} {'against bare':>13}")
    for tag in tags:
        for name in SHOWN:
            html = STATES[name](PAGES, tag)
            size = len(html.encode())
            page = measure(lambda n=name, t=tag: STATES[n](PAGES, t), chosen.renders)  # type: ignore[misc]  # bound early
            bare = measure(create_bare(size), chosen.renders)
            told = f"{page * _MICROSECONDS:6.0f} µs"
            print(f"{name:20} {tag:8} {size:6} {told:>9} {page / bare:13.1f}")


if __name__ == "__main__":
    main()
