"""Debian's Chromium, driven by Playwright, and what it complains about."""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
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


class Chromium:
    """A headless Chromium with one profile; started anew when it has died."""

    def __init__(self, launch: Callable[[], Browser]) -> None:
        self._launch = launch
        self._browser: Browser | None = None
        self._profile: BrowserContext | None = None

    @property
    def browser(self) -> Browser:
        """The browser, which runs."""
        if self._browser is None or not self._browser.is_connected():
            self._browser, self._profile = self._launch(), None
        return self._browser

    @property
    def profile(self) -> BrowserContext:
        """A profile that stays: a new one for each test takes its time."""
        browser = self.browser
        if self._profile is None:
            self._profile = _open_context(browser)
        return self._profile

    def close(self) -> None:
        """End it, if it runs."""
        if self._browser is not None:
            self._browser.close()


@contextmanager
def running_chromium(
    certificates: Certificates | None = None, *, keeps_pages: bool = False
) -> Iterator[Chromium]:
    """Have a headless Chromium as long as the context lasts.

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
        launch = partial(
            playwright.chromium.launch,
            executable_path=program,
            args=flags,
            ignore_default_args=[_KEEPS_NO_PAGES] if keeps_pages else None,
        )
        with closing(Chromium(launch)) as chromium:
            yield chromium


@contextmanager
def fresh_context(
    browser: Browser, *, has_scripts: bool = True
) -> Iterator[BrowserContext]:
    """Open an empty profile in *browser* as long as the context lasts."""
    with _open_context(browser, has_scripts=has_scripts) as context:
        yield context


def _open_context(browser: Browser, *, has_scripts: bool = True) -> BrowserContext:
    context = browser.new_context(java_script_enabled=has_scripts)
    context.set_default_timeout(_TIMEOUT_MILLISECONDS)
    return context


@contextmanager
def no_complaints(page: Page, *, statuses: Collection[int] = ()) -> Iterator[None]:
    """Fail if the page logs an error meanwhile: a CSP violation, a script, a 404.

    Args:
        page: The window.
        statuses: Of answers that the test means to get, of which Chromium complains.
    """
    expected = tuple(f"responded with a status of {status} " for status in statuses)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        is_meant = any(each in message.text for each in expected)
        if message.type in {"error", "warning"} and not is_meant:
            complaints.append(f"{message.type}: {message.text}")

    def hear_error(error: Error) -> None:
        complaints.append(f"page error: {error}")

    page.on("console", hear)
    page.on("pageerror", hear_error)
    yield
    # The window may be used again.
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", hear_error)
    assert not complaints, "\n".join(complaints)
