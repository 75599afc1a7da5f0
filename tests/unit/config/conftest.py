"""What the tests of the configuration share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configuration import Mistake


@pytest.fixture
def check_mistake(tmp_path: Path) -> Callable[[Mistake], None]:
    """Return what loads a text with one mistake and compares the problem."""
    return lambda mistake: mistake.check(tmp_path)
