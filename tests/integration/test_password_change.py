"""A change of password in a service of two workers, on a real file with real hashes."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from forwardauth.users.hashes import Hasher
from tests.support.client import Reply
from tests.support.html import parse_page
from tests.support.portal import COOKIE, HASH, PASSWORD
from tests.support.processes import free_ports, wait_for
from tests.support.serving import Peer, serving, write_installation

_WORKERS: Final = 2
_ASKED: Final = 8
"""Requests that follow each change: enough for either worker to get some."""

_LOGINS: Final = 4
"""Fewer than the throttle minds."""

_WITHIN_SECONDS: Final = 60.0
"""An edit takes effect within five, on a machine that has nothing else to do."""

NEW: Final = "tangerine kayak mop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service, and the users file that it may write."""

    peer: Peer
    users: Path
    pid: int

    def form_token(self, token: str) -> str:
        """Return the form token of the session *token*."""
        reply = self.peer.send("GET", "/account", headers=[_cookie(token)])
        page = parse_page(reply.body.decode())
        return page.find("form", action="/account/password").fields()["csrf_token"]

    def change(
        self, token: str, csrf: str, *, new: str, current: str = PASSWORD
    ) -> Reply:
        """Send the form that changes the password."""
        fields = {
            "csrf_token": csrf,
            "current_password": current,
            "new_password": new,
            "new_password_again": new,
        }
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return self.peer.send(
            "POST",
            "/account/password",
            headers=[_cookie(token), kind],
            body=urlencode(fields).encode(),
        )

    def statuses(self, token: str) -> set[int]:
        """Return what the next verify requests with *token* are answered."""
        return {self.peer.verify(token).status for _ in range(_ASKED)}

    def wait_until_read(self) -> None:
        """Wait until both workers have read the file that was written once."""
        log = self.users.with_name("log")
        wait_for(
            lambda: log.read_text().count("users read from") == _WORKERS,
            "both workers have read the file",
            seconds=_WITHIN_SECONDS,
        )

    def reload(self) -> None:
        """Let the workers read the file now, and wait until all have."""
        os.kill(self.pid, signal.SIGHUP)
        log = self.users.with_name("log")
        wait_for(
            lambda: "configuration reloaded" in log.read_text(),
            "all workers have read the file",
            seconds=_WITHIN_SECONDS,
        )

    def login_statuses(self, password: str) -> set[int]:
        """Return what a few logins of alice with *password* are answered."""
        body = json.dumps({"username": "alice", "password": password}).encode()
        kind = ("Content-Type", "application/json")
        path = "/api/firstfactor"
        return {
            self.peer.send("POST", path, headers=[kind], body=body).status
            for _ in range(_LOGINS)
        }


def _cookie(token: str) -> tuple[str, str]:
    return ("Cookie", f"{COOKIE}={token}")


def _token_in(reply: Reply) -> str:
    (line,) = [e for e in reply.lines("Set-Cookie") if e.startswith(f"{COOKIE}=")]
    return line.partition(";")[0].removeprefix(f"{COOKIE}=")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two workers on one SQLite file and one users file, in which people write.

    The hashes in it are those that the service makes, so that no login replaces one.
    """
    main_port, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{main_port}\n"
        f"  management: 127.0.0.1:{management}\n"
        f"  workers: {_WORKERS}\n"
    )
    config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
    users = tmp_path / "users.yaml"
    strong = Hasher().hash(PASSWORD.encode())
    text = users.read_text().replace(HASH, strong)
    users.write_text(f"# by hand\n{text}# end\n")
    with serving(config, main_port, management) as process:
        yield Running(peer=Peer(address=main_port), users=users, pid=process.pid)


def test_change_is_known_to_all_workers(running: Running) -> None:
    """The new session passes everywhere at once, none of before; so do passwords."""
    here, there = (running.peer.sign_in("alice") for _ in range(2))
    bob = running.peer.sign_in("bob")

    reply = running.change(here, running.form_token(here), new=NEW)

    token = _token_in(reply)
    assert reply.status == 303
    assert running.statuses(token) == {200}
    assert running.statuses(here) == running.statuses(there) == {401}
    assert running.statuses(bob) == {200}
    running.wait_until_read()
    assert running.login_statuses(PASSWORD) == {401}
    assert running.login_statuses(NEW) == {200}
    assert running.statuses(token) == {200}
    text = running.users.read_text()
    assert text.startswith("# by hand\n")
    assert text.endswith("# end\n")


def test_of_two_changes_at_once_one_counts(running: Running) -> None:
    """The file holds the password of the one that was told so, and of no other."""
    tokens = [running.peer.sign_in("alice") for _ in range(2)]
    forms = [(token, running.form_token(token)) for token in tokens]
    chosen = [NEW, "walrus lantern pith"]

    with ThreadPoolExecutor(2) as pool:
        replies = list(
            pool.map(
                lambda form, new: running.change(*form, new=new),
                forms,
                chosen,
            )
        )

    done = [
        new
        for new, reply in zip(chosen, replies, strict=True)
        if reply.status == 303 and "notice=" in reply.header("Location")
    ]
    assert len(done) == 1
    (other,) = set(chosen) - set(done)
    # One worker may have got both, and read twice what the other has not read yet.
    running.reload()
    assert running.login_statuses(other) == {401}
    assert running.login_statuses(done[0]) == {200}
