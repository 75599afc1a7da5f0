"""Static files as browsers get them."""

from pathlib import Path

import pytest

from forwardauth.web import keys
from forwardauth.web.assets import STATIC
from tests.support.portal import Portal


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("style.css", "text/css; charset=utf-8"), ("mark.svg", "image/svg+xml")],
)
async def test_file_may_be_kept_for_a_year(
    portal: Portal, name: str, content_type: str
) -> None:
    """The name changes with the content, so nobody has to ask again."""
    reply = await portal.send("GET", portal.app[keys.ASSETS].url(name))

    assert reply.status == 200
    assert reply.body == (STATIC / name).read_bytes()
    assert reply.header("Content-Type") == content_type
    assert reply.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert reply.lines("Set-Cookie") == []


async def test_file_runs_nothing_and_is_for_our_sites(portal: Portal) -> None:
    """An image with a script in it is an image; pages on protected hosts may use it."""
    reply = await portal.send("GET", portal.app[keys.ASSETS].url("mark.svg"))

    assert reply.header("Content-Security-Policy") == "default-src 'none'"
    assert reply.header("Cross-Origin-Resource-Policy") == "same-site"


async def test_head_has_the_headers_alone(portal: Portal) -> None:
    """HEAD says how long the file is, without it."""
    reply = await portal.send("HEAD", portal.app[keys.ASSETS].url("style.css"))

    assert reply.status == 200
    assert reply.body == b""
    assert int(reply.header("Content-Length")) == (STATIC / "style.css").stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/style.css",
        "/static/style.0000000000000000.css",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e%2fpages.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/style.css%00",
    ],
)
async def test_other_names_are_404(portal: Portal, path: str) -> None:
    """No name that we did not make reaches a file, and errors are not kept."""
    reply = await portal.send("GET", path)

    assert reply.status == 404
    assert reply.header("Cache-Control") == "no-store"


async def test_replaced_file_is_served_from_the_operators_folder(
    tmp_path: Path,
) -> None:
    """What stands in ``portal.templates`` is what browsers get."""
    folder = tmp_path / "theme"
    folder.mkdir()
    (folder / "style.css").write_text("h1 { color: teal }")
    async with Portal(tmp_path, extra="portal: {templates: theme}\n") as portal:
        reply = await portal.send("GET", portal.app[keys.ASSETS].url("style.css"))

    assert reply.body == b"h1 { color: teal }"
