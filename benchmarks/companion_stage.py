"""All companions of a run at once, each with somebody signed in, ready to be asked."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, servers
from benchmarks.open_loop import CONNECTIONS
from benchmarks.products.base import Person, Product
from benchmarks.products.installation import NotInstalledError
from benchmarks.products.proof import check_answers
from benchmarks.resident import group_seconds
from benchmarks.verify_stage import fill_sqlite
from benchmarks.workload import Workload, requests, username
from forwardauth.sessions.ids import SessionId
from tests.support.processes import Process

EMPTY: Final = "nginx `return 204`"
OWN: Final = {
    "memory": "forwardauth, memory",
    "SQLite": "forwardauth, SQLite",
}
"""The service, by its store."""

_SETTLE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.2
_REST: Final = 0.02
"""Seconds of processor time that a server may take in a pause and yet be at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Answers a second, and the microseconds of processor time that each took."""

    rate: float
    micros: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A companion that runs.

    Attributes:
        process: Its own.
        asked: The requests that go round.
        cookie: The session of the first of them.
        user_header: Names the user, in an answer; ``None`` for one that knows nobody.
    """

    process: Process
    asked: Path
    cookie: str = ""
    user_header: str | None = None

    def check(self) -> None:
        """Raise where it does not tell people apart."""
        if self.user_header is None:
            return
        check_answers(
            self.process.ports[0],
            self.asked.read_bytes().partition(b"\0")[0],
            cookie=self.cookie,
            user_header=self.user_header,
            user=username(0),
        )

    def measure(self, seconds: float) -> Measured:
        """Ask for *seconds*, and return when there is nothing left to answer."""
        before = group_seconds(self.process.pid)
        rate = load.rate(self.process.ports[0], self.asked, seconds)
        taken = self._settled_seconds() - before
        # One on each connection was asked when the client left, and nobody waited.
        return Measured(rate=rate, micros=taken / (rate * seconds + CONNECTIONS) * 1e6)

    def _settled_seconds(self) -> float:
        """Return the processor time once it hardly grows: the next one has its core."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        last, now = 0.0, group_seconds(self.process.pid)
        while now - last > _REST and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            last, now = now, group_seconds(self.process.pid)
        return now


class CompanionStage:
    """Everybody who is asked.

    Attributes:
        subjects: By name.
        missing: Why others are not, by name.
    """

    def __init__(self, stack: ExitStack, folder: Path, workload: Workload) -> None:
        """Keep in *folder* what runs as long as *stack* is open."""
        self._stack, self._folder, self._workload = stack, folder, workload
        self.subjects: dict[str, Subject] = {}
        self.missing: dict[str, str] = {}

    def add_own(self) -> None:
        """Start the service on both stores, and the nginx that looks at nothing."""
        asked = load.write_requests(
            self._folder / "ours",
            requests("nginx", "/verify/nginx", self._workload.tokens),
        )
        empty = self._stack.enter_context(servers.empty_nginx(self._folder))
        self.subjects[EMPTY] = Subject(process=empty, asked=asked)
        sessions = self._folder / "sessions.db"
        fill_sqlite(sessions, self._workload)
        urls = {"memory": "memory:", "SQLite": f"sqlite:{sessions}"}
        for store, name in OWN.items():
            own = servers.service(self._folder / store, self._workload, urls[store])
            self.subjects[name] = Subject(
                process=self._stack.enter_context(own),
                asked=asked,
                cookie=_own_cookie(self._workload.tokens[0]),
                user_header="Remote-User",
            )

    def add(self, product: Product, person: Person) -> None:
        """Start *product*, and sign *person* in, unless it cannot be had."""
        folder = self._folder / type(product).__name__
        folder.mkdir()
        try:
            product.install()
            process = self._stack.enter_context(product.running(folder, person))
        except (NotInstalledError, AssertionError) as exc:
            # The latter from a process that ended or never listened, with its log.
            first, *rest = str(exc).splitlines()
            self.missing[product.name] = " ".join([first, *rest[-1:]])
            return
        cookie = product.sign_in(process.ports[0], person)
        self.subjects[product.name] = Subject(
            process=process,
            asked=load.write_requests(
                folder / "asked", _with_cookie(self._workload, product.path, cookie)
            ),
            cookie=cookie,
            user_header=product.user_header,
        )

    def check(self) -> None:
        """Raise where one of them does not tell people apart."""
        for subject in self.subjects.values():
            subject.check()


def _own_cookie(token: SessionId) -> str:
    return f"forwardauth_session={token}"


def _with_cookie(workload: Workload, path: str, cookie: str) -> list[bytes]:
    """Return the requests of *workload*, with *cookie* in the place of ours."""
    return [
        request.replace(_own_cookie(token).encode(), cookie.encode())
        for request, token in zip(
            requests("nginx", path, workload.tokens), workload.tokens, strict=True
        )
    ]
