"""Images: what the portal can show, and what it says about the rest."""

from pathlib import Path

import pytest

from forwardauth.config.images import MAX_BYTES, lookup_fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
IMAGES = {
    "a.png": PNG,
    "A.PNG": PNG,
    "a.svg": b'<?xml version="1.0"?>\n<!-- by hand -->\n<svg xmlns="x"/>',
    "a.webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "a.jpg": b"\xff\xd8\xff\xe0",
    "a.jpeg": b"\xff\xd8\xff\xe1",
}


@pytest.mark.parametrize("name", IMAGES)
def test_image_of_each_kind_can_be_shown(tmp_path: Path, name: str) -> None:
    """Name and content say the same."""
    (tmp_path / name).write_bytes(IMAGES[name])

    assert lookup_fault(tmp_path / name) is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.gif", b"GIF89a", "has no name of an image"),
        ("logo", PNG, "has no name of an image"),
        ("a.png", b"<svg/>", "does not hold what .png stands for"),
        ("a.svg", PNG, "does not hold what .svg stands for"),
        ("a.webp", b"xxxxxxxxxWEBP", "does not hold what .webp stands for"),
        ("a.jpg", b"", "does not hold what .jpg stands for"),
        ("a.png", PNG + bytes(MAX_BYTES), f"has {MAX_BYTES + 108} bytes, above"),
    ],
)
def test_other_file_is_told_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """A wrong kind, another kind than the name says, and too much of it."""
    (tmp_path / name).write_bytes(content)

    fault = lookup_fault(tmp_path / name)

    assert fault is not None
    assert fault[0].startswith(reason)


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    """The remedy depends on which it is."""
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")

    reasons = [
        lookup_fault(tmp_path / name) for name in ("none.png", "folder.png", "loop.png")
    ]

    assert [each and each[0].partition(":")[0] for each in reasons] == [
        "does not exist",
        "does not hold what .png stands for",
        "cannot be read",
    ]
