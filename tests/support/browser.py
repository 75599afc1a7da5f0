"""Debian's Chromium, driven by Playwright, and what it complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)

from tests.support.binaries import require_binary
from tests.support.certificates import Certificates

_FLAGS: Final = (
    # Root may not use the sandbox, and containers have a small /dev/shm.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    # Nothing of its own on the network.
    "--disable-background-networking",
    "--disable-component-update",
)
_KEEPS_NO_PAGES: Final = "--disable-back-forward-cache"
_TIMEOUT_MILLISECONDS: Final = 15_000

expect.set_options(timeout=_TIMEOUT_MILLISECONDS)


@contextmanager
def running_browser(
    certificates: Certificates | None = None, *, keeps_pages: bool = False
) -> Iterator[Browser]:
    """Run a headless Chromium as long as the context lasts.

    Args:
        certificates: Trusts them, and finds every name on this machine; ``None``
            leaves both as they are.
        keeps_pages: Keeps whole pages for the back button, as it does for people and
            Playwright's own flags prevent.
    """
    program = require_binary("chromium")
    flags = list(_FLAGS)
    if certificates is not None:
        # Trusted by name, not by ignoring errors: after an ignored error Chromium
        # leaves out what it does for sites in order, Clear-Site-Data for one.
        flags += [
            "--host-resolver-rules=MAP * 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={certificates.fingerprint()}",
        ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=flags,
            ignore_default_args=[_KEEPS_NO_PAGES] if keeps_pages else None,
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_context(
    browser: Browser, *, has_scripts: bool = True
) -> Iterator[BrowserContext]:
    """Open an empty profile in *browser* as long as the context lasts."""
    with browser.new_context(java_script_enabled=has_scripts) as context:
        context.set_default_timeout(_TIMEOUT_MILLISECONDS)
        yield context


@contextmanager
def browser_context() -> Iterator[BrowserContext]:
    """Run a headless Chromium with an empty profile as long as the context lasts."""
    with running_browser() as browser, fresh_context(browser) as context:
        yield context


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
