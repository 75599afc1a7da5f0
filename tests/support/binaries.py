"""Programs that tests start: found by name, or the reason why a test cannot run."""

import os
import shutil
import sysconfig
from typing import NoReturn

import pytest

_SYSTEM_FOLDERS = os.pathsep.join(("/usr/sbin", "/sbin"))


def require_binary(name: str) -> str:
    """Return the path of *name*, beside our Python, where pip puts it, or elsewhere.

    It may also lie where only root looks.

    Skips the test when there is none, with the reason; fails it where ``CI`` is set.
    """
    folders = os.pathsep.join(
        (
            sysconfig.get_path("scripts"),
            os.environ.get("PATH", os.defpath),
            _SYSTEM_FOLDERS,
        )
    )
    path = shutil.which(name, path=folders)
    if path is None:
        miss(name)
    return path


def miss(name: str) -> NoReturn:
    """End the test, which needs *name*: skipped with the reason, in ``CI`` failed."""
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not installed, and CI runs every test")
    pytest.skip(f"{name} is not installed")
