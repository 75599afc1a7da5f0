"""Measures what the tests of the core reach, and no other test.

``coverage`` makes all Python that runs under it take nearly twice its time, whatever
it is asked about. Where tests run under it, it rests while those run that owe nothing
to the measure.

Law: the core is reached by its own tests. A branch that only a unit test of something
else takes counts as untested.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

_TESTS: Final = Path(__file__).parents[1]
_MEASURED: Final = (
    *("unit/access_control/", "unit/adapters/", "unit/attempts/", "unit/sessions/"),
    *("unit/test_", "integration/"),
)
"""Beginnings of the paths of the tests that count: those that mirror the core, and
those of the Redis store, which are among the others that need a server."""

_UNMEASURED: Final = (
    *("unit/test_app", "unit/test_repository", "unit/test_web"),
    *("integration/test_missing_lines", "integration/test_prox"),
)
"""Those that stand beside them and are large: they mirror other modules, or have the
service as a process of its own."""


def is_measured(path: Path) -> bool:
    """Whether the tests of *path* count."""
    name = path.relative_to(_TESTS).as_posix()
    return name.startswith(_MEASURED) and not name.startswith(_UNMEASURED)


class CoreCoverage:
    """A plugin of pytest that has the measuring begin and rest."""

    def __init__(self, coverage: Coverage) -> None:
        """Go on from *coverage*, which is measuring."""
        self._coverage = coverage
        self._is_measuring = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Measure the setup, the call and the teardown of a test, or none of them."""
        is_wanted = is_measured(item.path)
        if is_wanted and not self._is_measuring:
            self._coverage.start()
        elif self._is_measuring and not is_wanted:
            self._coverage.stop()
        self._is_measuring = is_wanted
        return (yield)
