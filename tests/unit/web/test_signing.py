"""The signing key: configured, or made once and kept for its owner alone."""

import os
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import pytest

from forwardauth.web.signing import KEY_FILE, check_key, derive_key, load_key


def test_configured_secret_is_the_key(tmp_path: Path) -> None:
    """What several machines share is used as it is, and no file is made."""
    key = load_key(tmp_path, "0123456789abcdef0123456789abcdef")

    assert key == b"0123456789abcdef0123456789abcdef"
    assert list(tmp_path.iterdir()) == []


def test_key_is_made_once(tmp_path: Path) -> None:
    """The second start finds the key of the first."""
    first = load_key(tmp_path, None)
    second = load_key(tmp_path, None)

    assert first == second == (tmp_path / KEY_FILE).read_bytes()
    assert len(first) == 32


def test_keys_of_two_installations_differ(tmp_path: Path) -> None:
    """Each installation makes its own."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    first, second = (load_key(folder, None) for folder in folders)

    assert first != second


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_key_is_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    """Nobody else may read it, whatever the umask, and nothing else is left."""
    before = os.umask(umask)
    try:
        load_key(tmp_path, None)
    finally:
        os.umask(before)

    (path,) = tmp_path.iterdir()
    assert path.name == KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    """All get the key of the one that wins, though their process id is the same."""
    count = 8
    at_once = Barrier(count)

    def start(_: int) -> bytes:
        at_once.wait()
        return load_key(tmp_path, None)

    with ThreadPoolExecutor(count) as pool:
        keys = set(pool.map(start, range(count)))

    assert keys == {(tmp_path / KEY_FILE).read_bytes()}
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def _start(folder: Path) -> bytes:
    """Load the key in a process of its own."""
    return load_key(folder, None)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    """Two processes make one key of mode 0600, and both use it."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        keys = set(pool.map(_start, [tmp_path] * 4))

    assert keys == {(tmp_path / KEY_FILE).read_bytes()}
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_key_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """A weak key is never used in silence; the message names the file and a remedy."""
    (tmp_path / KEY_FILE).write_bytes(b"short")

    with pytest.raises(OSError, match="remove it") as caught:
        load_key(tmp_path, None)

    assert str(tmp_path / KEY_FILE) in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "file", "dangling", "occupied"])
def test_unusable_folder_is_an_error(tmp_path: Path, kind: str) -> None:
    """A key that can be neither read nor made stops the start."""
    folder = tmp_path / "state"
    if kind == "file":
        folder.write_text("")
    elif kind != "missing":
        folder.mkdir()
    if kind == "dangling":
        (folder / KEY_FILE).symlink_to(folder / "nowhere")
    elif kind == "occupied":
        (folder / KEY_FILE).mkdir()

    with pytest.raises(OSError, match="state"):
        load_key(folder, None)


def test_keys_are_derived_for_one_purpose() -> None:
    """What is signed for one purpose cannot be shown for another."""
    key = bytes(32)

    derived = {derive_key(key, purpose) for purpose in ("forms", "links", "form", "")}

    assert len(derived) == 4
    assert {len(each) for each in derived} == {32}
    assert derive_key(key, "forms") == derive_key(key, "forms")
    assert derive_key(bytes([1] * 32), "forms") not in derived


def test_a_key_that_has_yet_to_be_made_is_no_mistake(tmp_path: Path) -> None:
    """A check makes nothing."""
    check_key(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_folder", [False, True], ids=["short", "folder"])
def test_a_key_file_that_cannot_be_used_is_told_before_the_start(
    tmp_path: Path, is_folder: bool
) -> None:
    """A check finds what a start would fail on."""
    path = tmp_path / KEY_FILE
    if is_folder:
        path.mkdir()
    else:
        path.write_bytes(b"short")

    with pytest.raises(OSError, match=KEY_FILE):
        check_key(tmp_path)
