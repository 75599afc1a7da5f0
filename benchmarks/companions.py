"""How fast other forward-auth companions answer the same signed-in request.

    script/bench companions [--rounds 5] [--seconds 3]

Each is installed by its name, with the tool of its language, into a folder of its own
(``benchmarks/products``). One that cannot be had here gets a row that says why, and no
figure. All run on the server's core and are asked in turn, as ``script/bench verify``
does; each has to name the user, and to refuse the same request with a forged session.

The others are sent one session again and again, of a single user, which favours them.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, servers
from benchmarks.open_loop import CONNECTIONS
from benchmarks.products.authelia import Authelia
from benchmarks.products.base import Person, Product
from benchmarks.products.installation import NotInstalledError
from benchmarks.products.nginx_ldap_auth import NginxLdapAuth
from benchmarks.products.oauth2_proxy import OAuth2Proxy
from benchmarks.products.proof import check_answers
from benchmarks.resident import group_seconds
from benchmarks.verify_stage import fill_sqlite
from benchmarks.workload import Workload, create_workload, requests, username
from forwardauth.sessions.ids import SessionId
from tests.support.processes import Process, ProcessEndedError

PRODUCTS: Final[tuple[Product, ...]] = (OAuth2Proxy(), Authelia(), NginxLdapAuth())

_EMPTY: Final = "nginx `return 204`"
_STORES: Final = ("memory", "SQLite")

_SETTLE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.2
_REST: Final = 0.02
"""Seconds of processor time that a server may take in a pause and yet be at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Answers a second, and the microseconds of processor time that each took."""

    rate: float
    micros: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
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

    def measure(self, seconds: float) -> _Measured:
        """Ask for *seconds*, and return when there is nothing left to answer."""
        before = group_seconds(self.process.pid)
        rate = load.rate(self.process.ports[0], self.asked, seconds)
        taken = self._settled_seconds() - before
        # One on each connection was asked when the client left, and nobody waited.
        return _Measured(rate=rate, micros=taken / (rate * seconds + CONNECTIONS) * 1e6)

    def _settled_seconds(self) -> float:
        """Return the processor time once it hardly grows: the next one has its core."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        last, now = 0.0, group_seconds(self.process.pid)
        while now - last > _REST and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            last, now = now, group_seconds(self.process.pid)
        return now


class _Stage:
    """Everybody who is asked.

    Attributes:
        subjects: By name.
        missing: Why others are not, by name.
    """

    def __init__(self, stack: ExitStack, folder: Path, workload: Workload) -> None:
        self._stack, self._folder, self._workload = stack, folder, workload
        self.subjects: dict[str, _Subject] = {}
        self.missing: dict[str, str] = {}

    def add_own(self) -> None:
        """Start the service on both stores, and the nginx that looks at nothing."""
        asked = load.write_requests(
            self._folder / "ours",
            requests("nginx", "/verify/nginx", self._workload.tokens),
        )
        empty = self._stack.enter_context(servers.empty_nginx(self._folder))
        self.subjects[_EMPTY] = _Subject(process=empty, asked=asked)
        sessions = self._folder / "sessions.db"
        fill_sqlite(sessions, self._workload)
        for store, url in zip(_STORES, ("memory:", f"sqlite:{sessions}"), strict=True):
            own = servers.service(self._folder / store, self._workload, url)
            self.subjects[_own(store)] = _Subject(
                process=self._stack.enter_context(own),
                asked=asked,
                cookie=_own_cookie(self._workload.tokens[0]),
                user_header="Remote-User",
            )

    def add(self, product: Product, person: Person) -> None:
        """Start *product*, and sign *person* in, unless it cannot be had."""
        try:
            product.install()
        except NotInstalledError as exc:
            self.missing[product.name] = str(exc)
            return
        folder = self._folder / type(product).__name__
        folder.mkdir()
        try:
            process = self._stack.enter_context(product.running(folder, person))
        except ProcessEndedError as exc:
            first, *rest = str(exc).splitlines()
            self.missing[product.name] = " ".join([first, *rest[-1:]])
            return
        cookie = product.sign_in(process.ports[0], person)
        self.subjects[product.name] = _Subject(
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


def _own(store: str) -> str:
    return f"forwardauth, {store}"


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


def measure(workload: Workload, folder: Path, *, rounds: int, seconds: float) -> str:
    """Return the table of what an answer of each takes, and how their rates compare."""
    with ExitStack() as stack:
        stage = _Stage(stack, folder, workload)
        stage.add_own()
        person = Person()
        for product in PRODUCTS:
            stage.add(product, person)
        stage.check()
        # The first answers are dear to all: code is compiled, connections are made.
        for subject in stage.subjects.values():
            subject.measure(seconds)
        found: dict[str, list[_Measured]] = {name: [] for name in stage.subjects}
        for number in range(rounds):
            for name in list(found)[:: -1 if number % 2 else 1]:
                found[name].append(stage.subjects[name].measure(seconds))
        stage.check()
        return _table(found, stage.missing)


def _table(found: dict[str, list[_Measured]], missing: dict[str, str]) -> str:
    """Return a row for each, in Markdown; ratios are formed within one round."""
    against = {
        "nginx": found[_EMPTY],
        **{store: found[_own(store)] for store in _STORES},
    }
    heads = ["", "a second", *(f"of {name}" for name in against), "µs of processor"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, own in found.items():
        ratios = (
            statistics.median(a.rate / b.rate for a, b in zip(own, other, strict=True))
            for other in against.values()
        )
        cells = [
            name,
            f"{statistics.median(each.rate for each in own):,.0f}",
            *(f"{ratio:.3f}" for ratio in ratios),
            f"{statistics.median(each.micros for each in own):,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {name} | not measured: {why} |" for name, why in missing.items()]
    return "\n".join(lines)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
        table = measure(
            create_workload(),
            Path(name),
            rounds=arguments.rounds,
            seconds=arguments.seconds,
        )
    print(table)


if __name__ == "__main__":
    main()
