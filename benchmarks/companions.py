"""How fast another forward-auth companion answers the same signed-in request.

    script/bench companions [--rounds 5] [--seconds 2]

Each is installed by its name, with the tool of its language, into a folder of its own.
One that cannot be had here gets a row that says why, and no figure. All run on the
server's core and are asked in turn, as in ``script/bench verify``.

oauth2-proxy keeps its session in the cookie, and looks nothing up; it knows no rules
for hosts or paths. It is sent one session again and again, which favours it.
"""

import argparse
import base64
import hashlib
import http.client
import os
import secrets
import shutil
import statistics
import subprocess
import tempfile
import urllib.parse
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, servers
from benchmarks.resident import group_seconds
from benchmarks.verify_stage import fill_sqlite
from benchmarks.workload import Workload, create_workload, requests
from tests.support.processes import Process, free_ports

PROGRAMS: Final = Path.home() / ".cache" / "forwardauth-bench"
"""Where what has been installed stays for the next run."""

_OAUTH2_PROXY: Final = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6"
_USERNAME: Final = "alice"
_INSTALL_SECONDS: Final = 1800
_TIMEOUT_SECONDS: Final = 10


class NotInstalledError(Exception):
    """The companion cannot be had on this machine, and why: a sentence for people."""


def install_oauth2_proxy() -> Path:
    """Return the program, built by Go from its module where it is not there yet.

    Raises:
        NotInstalledError: There is no Go, or it cannot fetch or build the module.
    """
    program = PROGRAMS / "oauth2-proxy"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise NotInstalledError("it is built by Go, which is not installed")
    done = subprocess.run(  # noqa: S603 - a fixed name
        [go, "install", _OAUTH2_PROXY],
        env={**os.environ, "GOBIN": str(PROGRAMS)},
        capture_output=True,
        check=False,
        text=True,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise NotInstalledError(f"go install failed: {_last_line(done.stderr)}")
    return program


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def oauth2_proxy(program: Path, folder: Path, password: str) -> Process:
    """Return the companion with one user, who signs in with *password*."""
    (port,) = free_ports(1)
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    users = folder / "htpasswd"
    users.write_text(f"{_USERNAME}:{{SHA}}{base64.b64encode(digest).decode()}\n")
    words = [
        f"--http-address=127.0.0.1:{port}",
        # Nobody is sent there: the user of the file signs in with a form.
        *("--provider=github", "--client-id=none", "--client-secret=none"),
        f"--cookie-secret={secrets.token_hex(16)}",
        *("--cookie-secure=false", "--email-domain=*", "--reverse-proxy=true"),
        *("--upstream=static://202", "--set-xauthrequest=true"),
        f"--htpasswd-file={users}",
        *("--request-logging=false", "--auth-logging=false"),
    ]
    command = servers.pinned(servers.SERVER_CORE, program, *words)
    return Process("oauth2-proxy", command, log=folder / "oauth2.log", ports=[port])


def sign_in_at_oauth2_proxy(port: int, password: str) -> str:
    """Return the cookie of a new session, as a browser sends it.

    Raises:
        RuntimeError: It was not given.
    """
    fields = urllib.parse.urlencode({"username": _USERNAME, "password": password})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            "/oauth2/sign_in",
            fields,
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        response = connection.getresponse()
        cookies = response.headers.get_all("Set-Cookie", [])
    finally:
        connection.close()
    found = [line.partition(";")[0] for line in cookies if "oauth2_proxy=" in line]
    if len(found) != 1:
        raise RuntimeError(f"no session: {response.status} with {cookies}")
    return found[0]


def _with_cookie(workload: Workload, path: str, cookie: str) -> list[bytes]:
    """Return the requests of *workload*, with *cookie* in the place of ours."""
    own = b"; forwardauth_session="
    return [
        request.replace(own + token.encode(), b"; " + cookie.encode())
        for request, token in zip(
            requests("nginx", path, workload.tokens), workload.tokens, strict=True
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Answers a second, and the microseconds of processor time that each took."""

    rate: float
    micros: float


def _ask(process: Process, asked: Path, seconds: float) -> _Measured:
    before = group_seconds(process.pid)
    rate = load.rate(process.ports[0], asked, seconds)
    taken = group_seconds(process.pid) - before
    return _Measured(rate=rate, micros=taken / (rate * seconds) * 1e6)


def measure(workload: Workload, folder: Path, *, rounds: int, seconds: float) -> None:
    """Print what an answer of each takes, and the ratios of their rates."""
    missing: dict[str, str] = {}
    fill_sqlite(folder / "sessions.db", workload)
    ours = load.write_requests(
        folder / "ours", requests("nginx", "/verify/nginx", workload.tokens)
    )
    store = f"sqlite:{folder / 'sessions.db'}"
    with ExitStack() as stack:
        asked = {
            "nginx `return 204`": (servers.empty_nginx(folder), ours),
            "forwardauth, SQLite": (
                servers.service(folder / "service", workload, store),
                ours,
            ),
        }
        for process, _ in asked.values():
            stack.enter_context(process)
        try:
            program = install_oauth2_proxy()
        except NotInstalledError as exc:
            missing["oauth2-proxy"] = str(exc)
        else:
            password = secrets.token_urlsafe(16)
            other = stack.enter_context(oauth2_proxy(program, folder, password))
            cookie = sign_in_at_oauth2_proxy(other.ports[0], password)
            theirs = _with_cookie(workload, "/oauth2/auth", cookie)
            asked["oauth2-proxy"] = (
                other,
                load.write_requests(folder / "theirs", theirs),
            )
        found: dict[str, list[_Measured]] = {name: [] for name in asked}
        for number in range(rounds):
            for name in list(asked)[:: -1 if number % 2 else 1]:
                found[name].append(_ask(*asked[name], seconds))
    _report(found, missing)


def _report(found: dict[str, list[_Measured]], missing: dict[str, str]) -> None:
    first = next(iter(found.values()))
    print(f"{'':24}{'ratio':>8}{'a second':>12}{'µs of processor each':>24}")
    for name, rounds in found.items():
        ratios = [
            own.rate / empty.rate for own, empty in zip(rounds, first, strict=True)
        ]
        rate = statistics.median(each.rate for each in rounds)
        micros = statistics.median(each.micros for each in rounds)
        print(f"{name:24}{statistics.median(ratios):8.3f}{rate:12,.0f}{micros:24.1f}")
    for name, reason in missing.items():
        print(f"{name:24}not installed: {reason}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
        measure(
            create_workload(),
            Path(name),
            rounds=arguments.rounds,
            seconds=arguments.seconds,
        )


if __name__ == "__main__":
    main()
