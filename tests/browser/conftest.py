"""What the walks share: everything behind each proxy, and a browser in front."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browser import Chromium, no_complaints, running_chromium
from tests.support.certificates import Certificates, create_certificates
from tests.support.foreign_site import ForeignSite
from tests.support.installation import Installation, installation
from tests.support.proxies import Changes
from tests.support.visitor import Visitor

_TWO_DOMAINS: Final[Changes] = {
    "nginx": {
        "nginx.conf": {
            r"server_name (\w+)\.example\.com;": (
                r"server_name \1.example.com \1.example.org;"
            )
        }
    },
    "traefik": {
        "dynamic/routes.yaml": {
            r"Host\(`(\w+)\.example\.com`\)": (
                r"Host(`\1.example.com`) || Host(`\1.example.org`)"
            )
        }
    },
}
"""Every site of ``deploy/`` below a second parent domain as well.

One proxy for each way that a logout on a protected host takes: the answer of verify,
and a location of the proxy. The others are driven without a browser.
"""

_SETTINGS: Final = {
    "FORWARDAUTH_COOKIES__0__DEFAULT_TARGET": "https://www.example.com:{port}/page",
    "FORWARDAUTH_COOKIES__1__DOMAIN": "example.org",
    "FORWARDAUTH_COOKIES__1__PORTAL": "https://auth.example.org:{port}",
    "FORWARDAUTH_ACCESS_CONTROL__RULES__3__DOMAIN": "*.example.org",
    "FORWARDAUTH_ACCESS_CONTROL__RULES__3__POLICY": "one_factor",
    "FORWARDAUTH_LOGOUT__CLEAR_COOKIES": "shared",
    "FORWARDAUTH_LOGOUT__CLEAR_SITE_DATA": "storage",
}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return one certificate for both parent domains and for the foreign site."""
    names = ("example.com", "*.example.com", "*.example.org", "*.example.net")
    return create_certificates(tmp_path_factory.mktemp("certificates"), *names)


@pytest.fixture(scope="session", params=list(_TWO_DOMAINS))
def proxy(request: pytest.FixtureRequest) -> str:
    """Return the name of each proxy in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def site(
    proxy: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run everything behind one proxy, on two parent domains."""
    folder = tmp_path_factory.mktemp(proxy)
    with installation(
        proxy, folder, certificates, settings=_SETTINGS, changes=_TWO_DOMAINS
    ) as running:
        yield running


@pytest.fixture(scope="session")
def strict_site(
    proxy: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run the same with cookies that no other site's link brings along."""
    folder = tmp_path_factory.mktemp(f"strict-{proxy}")
    settings = {**_SETTINGS, "FORWARDAUTH_SESSION__SAME_SITE": "strict"}
    with installation(
        proxy, folder, certificates, settings=settings, changes=_TWO_DOMAINS
    ) as running:
        yield running


@pytest.fixture(scope="session")
def foreign_site(certificates: Certificates) -> Iterator[ForeignSite]:
    """Run a site of somebody else's."""
    with ForeignSite(certificates).running() as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test another try when Chromium died under it.

    It crashes by itself now and then, which says nothing about us. No other failure is
    tried again.
    """
    again = pytest.mark.flaky(reruns=1, only_rerun=["TargetClosedError"])
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(again)


@pytest.fixture(scope="module")
def chromium(certificates: Certificates) -> Iterator[Chromium]:
    """Start Chromium once for the module: an open one would hold asyncio's loop."""
    with running_chromium(certificates, keeps_pages=True) as running:
        yield running


@pytest.fixture
def browser(chromium: Chromium) -> Browser:
    """Return the browser of the module."""
    return chromium.browser


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    """Return a browser without cookies and without windows."""
    profile = chromium.profile
    profile.clear_cookies()
    yield profile
    if profile.browser is not None and profile.browser.is_connected():
        for page in profile.pages:
            page.close()


@pytest.fixture
def visitor(context: BrowserContext, site: Installation) -> Iterator[Visitor]:
    """Return somebody with an empty window; what it complains about fails the test."""
    page = context.new_page()
    with no_complaints(page):
        yield Visitor(page=page, site=site)


@pytest.fixture
def strict_visitor(
    context: BrowserContext, strict_site: Installation
) -> Iterator[Visitor]:
    """Return the same for the installation with strict cookies."""
    page = context.new_page()
    with no_complaints(page):
        yield Visitor(page=page, site=strict_site, same_site="Strict")
