"""The static files: names, replacements, and what the style sheet promises."""

import os
import re
from pathlib import Path

import pytest

from forwardauth.web.assets import CONTENT_TYPES, STATIC, Assets

SOURCE = (STATIC / "style.css").read_text(encoding="utf-8")
STYLE = re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.DOTALL)


def test_url_names_the_content() -> None:
    """The URL of a file holds its hash, and leads back to it."""
    assets = Assets()

    url = assets.url("style.css")

    match = re.fullmatch(r"/static/(style\.[0-9a-f]{16}\.css)", url)
    assert match is not None
    asset = assets.lookup(match[1])
    assert asset is not None
    assert asset.body == SOURCE.encode()
    assert asset.content_type == "text/css; charset=utf-8"


@pytest.mark.parametrize("base_path", ["/authenticate", "/authenticate/"])
def test_url_lies_below_the_base_path(base_path: str) -> None:
    """A portal that lives below a path keeps its static files there."""
    url = Assets(base_path=base_path).url("mark.svg")

    assert url.startswith("/authenticate/static/mark.")


def test_url_takes_an_origin() -> None:
    """A page that is shown on a protected host reaches the portal's files."""
    url = Assets(base_path="/").url("mark.svg", origin="https://auth.example.com")

    assert url.startswith("https://auth.example.com/static/mark.")


@pytest.mark.parametrize(
    "name",
    [
        "style.css",
        "style.0000000000000000.css",
        "../style.css",
        "../../pages.py",
        "/etc/passwd",
        "",
    ],
)
def test_lookup_knows_hashed_names_only(name: str) -> None:
    """Nothing but a name that we made ourselves finds a file."""
    assert Assets().lookup(name) is None


def test_url_of_an_unknown_file_raises() -> None:
    """A template that names a missing file fails, and the shipped page is shown."""
    with pytest.raises(KeyError):
        Assets().url("missing.css")


def test_replacement_takes_the_place_of_a_file(tmp_path: Path) -> None:
    """An operator's file replaces the shipped one, under a hashed name of its own."""
    (tmp_path / "style.css").write_text("body{}")
    assets = Assets(replacements=tmp_path)

    asset = assets.lookup(assets.url("style.css").rpartition("/")[2])

    assert asset is not None
    assert asset.body == b"body{}"
    assert assets.lookup(Assets().url("style.css").rpartition("/")[2]) is None
    assert assets.url("mark.svg") == Assets().url("mark.svg")


def test_folder_adds_images_and_nothing_else(tmp_path: Path) -> None:
    """Images of an operator's folder are served; templates and secrets are not."""
    for name in ["logo.png", "logout.html", "users.yaml", "run.js", ".env"]:
        (tmp_path / name).write_bytes(b"x")
    assets = Assets(replacements=tmp_path)

    assert assets.url("logo.png").startswith("/static/logo.")
    for name in ["logout.html", "users.yaml", "run.js", ".env"]:
        with pytest.raises(KeyError):
            assets.url(name)


def test_script_of_the_folder_replaces_ours_or_is_not_served(tmp_path: Path) -> None:
    """Pages load one script, so no other one has an address on the portal."""
    (tmp_path / "portal.js").write_text("1")
    assets = Assets(replacements=tmp_path)

    asset = assets.lookup(assets.url("portal.js").rpartition("/")[2])

    assert asset is not None
    assert asset.body == b"1"
    assert asset.content_type == "text/javascript; charset=utf-8"


def test_logo_is_served_under_a_name_of_ours(tmp_path: Path) -> None:
    """Whatever the operator calls the image, its URL says no more than its kind."""
    image = tmp_path / "Internal Name.PNG"
    image.write_bytes(b"image")
    assets = Assets(logo=image)

    asset = assets.lookup(assets.url(assets.logo).rpartition("/")[2])

    assert asset is not None
    assert re.fullmatch(r"logo\.[0-9a-f]{16}\.png", asset.name)
    assert (asset.body, asset.content_type) == (b"image", "image/png")


def test_logo_that_is_gone_leaves_the_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that went away after the check costs no page."""
    assets = Assets(logo=tmp_path / "gone.png")

    assert assets.logo == "mark.svg"
    assert str(tmp_path / "gone.png") in caplog.text


@pytest.mark.parametrize("is_replaced", [False, True], ids=["shipped", "replaced"])
def test_extra_style_ends_the_one_style_sheet(
    tmp_path: Path, *, is_replaced: bool
) -> None:
    """What the configuration adds wins, and needs no request of its own."""
    if is_replaced:
        (tmp_path / "style.css").write_text("body{}")
    plain = Assets(replacements=tmp_path)
    assets = Assets(replacements=tmp_path, extra_style=":root{--accent:red}")

    asset = assets.lookup(assets.url("style.css").rpartition("/")[2])

    assert asset is not None
    assert asset.body.endswith(b"\n:root{--accent:red}")
    assert assets.url("style.css") != plain.url("style.css")


def test_unreadable_file_is_reported_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A replacement that cannot be read leaves the shipped file in place (L-46)."""
    (tmp_path / "style.css").symlink_to(tmp_path / "style.css")

    assets = Assets(replacements=tmp_path)

    assert assets.url("style.css") == Assets().url("style.css")
    assert str(tmp_path / "style.css") in caplog.text


def test_missing_folder_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is not there does not keep the service from starting (L-46)."""
    assets = Assets(replacements=tmp_path / "missing")

    assert assets.url("style.css") == Assets().url("style.css")
    assert f"{tmp_path}{os.sep}missing" in caplog.text


def test_every_shipped_file_is_served() -> None:
    """No file lies in the package that could not be reached."""
    assert {path.suffix for path in STATIC.iterdir()} <= CONTENT_TYPES.keys()


def test_mark_is_an_image_without_code() -> None:
    """The mark draws; it holds no script, no style and no link."""
    source = (STATIC / "mark.svg").read_text(encoding="utf-8")

    assert set(re.findall(r"<(\w+)", source)) == {"svg", "rect", "path"}
    assert set(re.findall(r"([\w:-]+)=", source)) == (
        {"xmlns", "viewBox", "width", "height", "rx", "fill", "d"}
    )


def test_style_sheet_loads_nothing() -> None:
    """The style sheet fetches no font and no image, from nowhere."""
    assert not re.search(r"url\(|@import|//", STYLE)


def test_style_sheet_also_reads_from_the_right() -> None:
    """No rule names left or right, so that both directions of writing work."""
    sides = (
        r"(margin|padding|border)-(left|right|top|bottom)|(?<!-)\b(left|right)\s*[:;]"
    )

    assert not re.search(sides, STYLE)


@pytest.mark.parametrize(
    "query", ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"]
)
def test_style_sheet_follows_the_readers_settings(query: str) -> None:
    """Dark mode and reduced motion are the reader's choice."""
    assert f"@media {query}" in STYLE


def palette(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    assert len(blocks) == 2
    found: dict[str, str] = {}
    for block in blocks[: 1 + dark]:
        found.update(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("text", "surface", 4.5),
        ("text", "canvas", 4.5),
        ("text", "field", 4.5),
        ("text", "hover", 4.5),
        ("text", "info-surface", 4.5),
        ("muted", "surface", 4.5),
        ("muted", "canvas", 4.5),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-active", 4.5),
        ("accent", "surface", 4.5),
        ("danger", "surface", 4.5),
        ("danger", "canvas", 4.5),
        ("danger", "danger-surface", 4.5),
        ("warning", "warning-surface", 4.5),
        ("control", "surface", 3.0),
        ("control", "canvas", 3.0),
        ("control", "field", 3.0),
        ("muted", "field", 4.5),
        ("accent", "canvas", 3.0),
    ],
)
def test_colours_have_enough_contrast(
    front: str, back: str, least: float, dark: bool
) -> None:
    """Text and the edges of controls reach AA, in both schemes (WCAG 2.2, 1.4.3)."""
    colours = palette(dark)
    high, low = sorted(map(luminance, (colours[front], colours[back])), reverse=True)

    assert (high + 0.05) / (low + 0.05) >= least
