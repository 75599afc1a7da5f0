"""Debian's Chromium, driven by Playwright, and what it complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.support.binaries import require_binary

_FLAGS: Final = (
    # Root may not use the sandbox, and containers have a small /dev/shm.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    # Nothing of its own on the network.
    "--disable-background-networking",
    "--disable-component-update",
)
_TIMEOUT_MILLISECONDS: Final = 15_000


@contextmanager
def browser_context() -> Iterator[BrowserContext]:
    """Run a headless Chromium with an empty profile as long as the context lasts."""
    program = require_binary("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            context = browser.new_context()
            context.set_default_timeout(_TIMEOUT_MILLISECONDS)
            yield context
        finally:
            browser.close()


@contextmanager
def no_complaints(page: Page) -> Iterator[None]:
    """Fail if the page logs an error meanwhile: a CSP violation, a script, a 404."""
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    yield
    assert not complaints, "\n".join(complaints)
