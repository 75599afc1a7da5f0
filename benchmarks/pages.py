"""How soon a page of the portal is there, by Chromium's own timeline on loopback."""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Cookie, Page

from forwardauth.demo.service import PASSWORD, USERNAME
from tests.support.browser import fresh_context, running_chromium
from tests.support.demo import Demo, running_demo

ROUNDS: Final = 15

_TIMELINE: Final = """\
async () => {
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0];
  while (!painted()) await new Promise(requestAnimationFrame);
  const [page] = performance.getEntriesByType("navigation");
  const parts = [page, ...performance.getEntriesByType("resource")];
  return {
    answered: page.responseEnd - page.requestStart,
    painted: painted().startTime,
    ready: page.domContentLoadedEventEnd,
    requests: parts.filter((each) => each.transferSize > 0).length,
    bytes: parts.reduce((sum, each) => sum + each.transferSize, 0),
  };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One load of a page; times in milliseconds since it was asked for.

    Attributes:
        answered: From asking the server to the end of its answer, the page alone.
        painted: Until something could be read.
        ready: Until the page was parsed and its script had run.
        requests: What went over the wire.
        bytes: That, with headers.
    """

    answered: float
    painted: float
    ready: float
    requests: float
    bytes: float


def visit(page: Page, url: str) -> Visit:
    """Load *url* and return what the browser's timeline says."""
    page.goto(url, wait_until="load")
    found: dict[str, Any] = page.evaluate(_TIMELINE)
    return Visit(**found)


def sign_in(browser: Browser, demo: Demo) -> Sequence[Cookie]:
    """Sign in as people do, and return the cookies of that."""
    with fresh_context(browser) as context:
        page = context.new_page()
        page.goto(demo.addresses.url("auth") + "/login")
        page.get_by_label("User name", exact=True).fill(USERNAME)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(demo.addresses.url("app") + "/")
        return context.cookies()


def measure(
    browser: Browser, demo: Demo, path: str, cookies: Sequence[Cookie] = ()
) -> None:
    """Print medians and lowest times of *path*, for the first visit and the next."""
    url = demo.addresses.url("auth") + path
    first: list[Visit] = []
    again: list[Visit] = []
    for _ in range(ROUNDS):
        # Nothing is in its cache.
        with fresh_context(browser) as context:
            for cookie in cookies:
                name, value = cookie["name"], cookie["value"]
                context.add_cookies([{"name": name, "value": value, "url": url}])
            page = context.new_page()
            first.append(visit(page, url))
            again.append(visit(page, url))
    for name, visits in (("first visit", first), ("next visit", again)):
        print(f"| `{path}` | {name} | {_row(visits)} |")


def _row(visits: list[Visit]) -> str:
    def values(name: str) -> list[float]:
        return [getattr(each, name) for each in visits]

    times = [
        f"{statistics.median(values(name)):.0f} ms ({min(values(name)):.0f})"
        for name in ("answered", "painted", "ready")
    ]
    requests, size = max(values("requests")), max(values("bytes")) / 1000
    return " | ".join((*times, f"{requests:.0f}", f"{size:.1f} kB"))


def main() -> None:
    """Measure the pages that people meet most, behind the demonstration's Traefik."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("| page | | answered | first paint | ready | requests | on the wire |")
    print("|---|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder)) as demo,
        running_chromium() as chromium,
    ):
        browser = chromium.browser
        measure(browser, demo, "/login")
        measure(browser, demo, "/", sign_in(browser, demo))
        measure(browser, demo, "/signed-out")


if __name__ == "__main__":
    main()
