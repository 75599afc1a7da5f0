"""The service as a process, on the configuration that ``deploy/`` ships.

Law: the file is used as it stands. What differs on this machine (ports, paths, the
proxy's address) comes from the environment, as it may for everybody.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from tests.support.processes import Process
from tests.support.proxies import DEPLOY
from tests.support.users import QUICK_HASH, QUICK_PASSWORD

CONFIG: Final = DEPLOY / "forwardauth/config.yaml"
PASSWORD: Final = QUICK_PASSWORD
USERS: Final = {
    "alice": {
        "displayname": "Alice Example",
        "email": "alice@example.com",
        "groups": ["admins", "staff"],
    },
    "bob": {"displayname": "Bob Example", "email": "bob@example.com", "groups": []},
    # Whose passwords a test may change.
    "carol": {
        "displayname": "Carol Example",
        "email": "carol@example.com",
        "groups": [],
    },
    "dan": {"displayname": "Dan Example", "email": "dan@example.com", "groups": []},
}

_SECRET: Final = "of thirty-two characters or more, the same for all instances"


def write_users(folder: Path) -> Path:
    """Write the users file of the tests into *folder*; all have ``PASSWORD``."""
    users = {name: {**user, "password": QUICK_HASH} for name, user in USERS.items()}
    path = folder / "users.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"users": users}))
    return path


def prepare_service(
    folder: Path,
    *,
    port: int,
    portal: str,
    users: Path,
    store: str | None = None,
    settings: Mapping[str, str] | None = None,
    config: Path = CONFIG,
) -> Process:
    """Return an instance of the service, not yet started, which keeps all in *folder*.

    Args:
        folder: Its own, made if it is missing.
        port: Where it listens, on loopback.
        portal: Its portal's origin.
        users: The users file.
        store: URL of the session store; SQLite in *folder* when left out.
        settings: Further variables, such as ``FORWARDAUTH_SESSION__SAME_SITE``.
        config: Another file than the one of ``deploy/forwardauth``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return Process(
        f"forwardauth on {port}",
        [sys.executable, "-m", "forwardauth", "serve", "--config", config],
        log=folder / "forwardauth.log",
        ports=[port],
        environment={
            "FORWARDAUTH_SERVER__LISTEN": f"127.0.0.1:{port}",
            "FORWARDAUTH_SERVER__TRUSTED_PROXIES": "127.0.0.1/32",
            "FORWARDAUTH_SERVER__MANAGEMENT": "null",
            "FORWARDAUTH_COOKIES__0__PORTAL": portal,
            "FORWARDAUTH_SESSION__STORE": store or f"sqlite:{folder / 'sessions.db'}",
            "FORWARDAUTH_SESSION__JOURNAL": str(folder / "revocations.journal"),
            "FORWARDAUTH_SESSION__SECRET": _SECRET,
            "FORWARDAUTH_USERS__FILE": str(users),
            **(settings or {}),
        },
    )
