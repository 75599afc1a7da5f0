"""``forwardauth serve`` as it ships, but for two things a benchmark needs.

    python -m benchmarks.service CONFIG [--seed FILE] [--profile FILE]

The memory store begins with the entries that FILE holds, pickled: no other process
could fill it. And the whole run can be written down by ``cProfile``.
"""

import argparse
import cProfile
import pickle
from pathlib import Path

import forwardauth.composition.live
from forwardauth.cli.main import main as command
from forwardauth.clock import Clock
from forwardauth.sessions.store import Entry, SessionStore
from forwardauth.sessions.stores.factory import build_store


def fill_memory_store(seed: Path) -> None:
    """Have the service's store hold the entries of the file *seed* from its start.

    The seam is replaced rather than the command: what is measured has to be everything
    that ``serve`` does, the event loop and the protocol that it chooses included.
    """
    # Our own file of a moment ago, in a folder that nobody else writes to.
    entries = pickle.loads(seed.read_bytes())  # noqa: S301

    def build(url: str, clock: Clock) -> SessionStore:
        store = build_store(url, clock)
        for entry in entries:
            _create(store, entry)
        return store

    forwardauth.composition.live.build_store = build  # type: ignore[attr-defined]  # no export


def _create(store: SessionStore, entry: Entry) -> None:
    """Keep *entry* in a store that waits for nothing, while a loop is running."""
    try:
        store.create(entry).send(None)
    except StopIteration as done:
        if done.value:
            return
    raise RuntimeError("the store was not filled")


def serve() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--seed", type=Path)
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        fill_memory_store(arguments.seed)
    words = ["serve", "--config", arguments.config, "--log-level", "warning"]
    if arguments.profile is None:
        command(words)
        return
    profile = cProfile.Profile()
    try:
        profile.runcall(command, words, standalone_mode=False)
    finally:
        profile.dump_stats(arguments.profile)


if __name__ == "__main__":
    serve()
