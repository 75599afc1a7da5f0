"""The sample applications: what they show and where they link."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from forwardauth.demo.addresses import Addresses, free_port
from forwardauth.demo.sample_app import sample_app

ADDRESSES = Addresses(port=8080)


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """Serve the applications; return where, without the proxy."""
    port = free_port()
    async with sample_app(ADDRESSES, port=port):
        yield f"http://127.0.0.1:{port}"


async def _page(origin: str, site: str, **identity: str) -> str:
    headers = {"Host": ADDRESSES.authority(site)}
    headers |= {name.replace("_", "-"): value for name, value in identity.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{origin}/", headers=headers) as response,
    ):
        return await response.text()


async def test_page_greets_by_the_header(origin: str) -> None:
    """The application knows its user from the proxy alone."""
    page = await _page(origin, "app", Remote_User="demo", Remote_Name="Dana Demo")

    assert "Hello, Dana Demo!" in page
    assert "<td>demo</td>" in page


@pytest.mark.parametrize("site", ["app", "app2"])
async def test_sign_out_link_stays_on_the_host_and_comes_back(
    origin: str, site: str
) -> None:
    """The link is the one that people put in their own applications."""
    page = await _page(origin, site)

    back = f"http%3A%2F%2F{site}.example.localhost%3A8080%2F"
    assert f'href="/logout?rd={back}"' in page


async def test_header_cannot_bring_markup_into_the_page(origin: str) -> None:
    """A display name is text."""
    page = await _page(origin, "app", Remote_Name="<script>alert(1)</script>")

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
