"""``forwardauth sessions`` beside a service that runs: what it ends is refused."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import free_ports
from tests.support.serving import Peer, serving, write_installation

_WORKERS = 2
_ASKED = 6
"""Requests that follow each end: enough for either worker to get some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service with its portal and its configuration."""

    peer: Peer
    config: Path

    def sessions(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``forwardauth sessions`` as an operator does, in a process of its own."""
        return subprocess.run(  # noqa: S603 - our own interpreter
            [
                *(sys.executable, "-m", "forwardauth", "sessions", *arguments),
                *("--config", str(self.config)),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def list_json(self, *arguments: str) -> Any:
        """Return what ``list --json`` says."""
        return json.loads(self.sessions("list", "--json", *arguments).stdout)

    def answers(self, token: str) -> set[int]:
        """Return the statuses of the next verify requests with *token*."""
        return {self.peer.verify(token).status for _ in range(_ASKED)}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two workers on one SQLite file."""
    main_port, management = free_ports(2)
    server = (
        f"  listen: 127.0.0.1:{main_port}\n"
        f"  management: 127.0.0.1:{management}\n"
        f"  workers: {_WORKERS}\n"
    )
    config = write_installation(tmp_path, server=server, store="sqlite:sessions.db")
    with serving(config, main_port, management):
        yield Running(peer=Peer(address=main_port), config=config)


def test_what_the_command_ends_is_refused_at_once(running: Running) -> None:
    """One session, one user, everybody: the next verify refuses (L-11, L-15)."""
    first = running.peer.sign_in("alice")
    (listed,) = running.list_json()
    second = running.peer.sign_in("alice")
    bob = running.peer.sign_in("bob")
    assert running.answers(first) == running.answers(bob) == {200}

    one = running.sessions("revoke", "--id", listed["id"][:8])

    assert (one.returncode, one.stdout) == (0, "1 session of 'alice' ended\n")
    assert "event=session_ended reason=admin user=alice" in one.stderr
    assert running.answers(first) == {401}
    assert running.answers(second) == {200}

    user = running.sessions("revoke", "--user", "ALICE")

    assert (user.returncode, user.stdout) == (0, "1 session of 'alice' ended\n")
    assert running.answers(second) == {401}
    assert running.answers(bob) == {200}

    everybody = running.sessions("revoke", "--all")

    assert (everybody.returncode, everybody.stdout) == (0, "1 session of 'bob' ended\n")
    assert running.answers(bob) == {401}
    assert running.list_json() == []
    assert running.answers(running.peer.sign_in("bob")) == {200}


def test_list_is_what_the_portal_shows(running: Running) -> None:
    """The command and the portal name the same sessions by the same ids (L-11)."""
    token = running.peer.sign_in("alice")
    running.peer.sign_in("alice")
    running.peer.sign_in("bob")

    shown = running.peer.send(
        "GET", "/api/sessions", headers=[("Cookie", f"forwardauth_session={token}")]
    ).json()["data"]
    listed = running.list_json("--user", "alice")

    assert {each["id"] for each in shown} == {each["id"] for each in listed}
    assert len(listed) == 2
