"""People who go on asking through a gateway, each at a bounded rate."""

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tests.support.client import Reply
from tests.support.installation import COOKIE, Installation
from tests.support.processes import wait_for

VISITORS: Final = 4
_PAUSE_SECONDS: Final = 0.01
_JOIN_SECONDS: Final = 30

Ask = Callable[[], Reply]


class SteadyVisits:
    """Pages that verify lets through, and posts that nobody may send twice.

    A context manager: they go on as long as it lasts.

    Attributes:
        answered: How often each status came, or the name of what came instead.
    """

    def __init__(self, site: Installation) -> None:
        self._site = site
        self._token = site.signed_in("alice").jar.value(COOKIE)
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._go_on, args=(ask,), daemon=True)
            for ask in (self._look, self._post) * (VISITORS // 2)
        ]
        self.answered: Counter[str] = Counter()

    def _look(self) -> Reply:
        """Look at a page for which one has to be signed in."""
        return self._site.holding(self._token).navigate(self._site.url("app1"))

    def _post(self) -> Reply:
        """Sign out where nobody is signed in, which nginx asks nobody a second time."""
        return self._site.client().post_json(self._site.url("auth", "/api/logout"), {})

    def _go_on(self, ask: Ask) -> None:
        while not self._is_over.wait(_PAUSE_SECONDS):
            try:
                outcome = str(ask().status)
            except Exception as exc:  # noqa: BLE001 - what a visitor sees is a failure
                outcome = type(exc).__name__
            with self._lock:
                self.answered[outcome] += 1

    def wait_for_more(self, count: int) -> None:
        """Return when *count* more have been answered."""
        wanted = self.answered.total() + count
        wait_for(lambda: self.answered.total() >= wanted, "visitors are answered")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
