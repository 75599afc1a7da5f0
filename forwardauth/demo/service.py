"""What the service is told in the demonstration: one domain, one user, SQLite.

Files are JSON, which is YAML too.
"""

import json
from pathlib import Path
from typing import Final

from forwardauth.demo.addresses import DOMAIN, LOOPBACK, Addresses
from forwardauth.users.hashes import Hasher

USERNAME: Final = "demo"
PASSWORD: Final = "demo-password"  # noqa: S105 - known to all: it opens loopback only
DISPLAY_NAME: Final = "Dana Demo"

_OWNER_ONLY: Final = 0o600


def write_service(folder: Path, *, addresses: Addresses, port: int) -> Path:
    """Write users and configuration; return the file to start the service with.

    Args:
        folder: Where to, and where the service keeps its sessions; it has to exist.
        addresses: The portal's and the applications'.
        port: Where the service listens, for the proxy alone.
    """
    users = folder / "users.yaml"
    users.touch(mode=_OWNER_ONLY)
    users.write_text(json.dumps(_users(), indent=2))
    config = folder / "config.yaml"
    config.write_text(json.dumps(_config(addresses, port), indent=2))
    return config


def _users() -> dict[str, object]:
    user = {
        "displayname": DISPLAY_NAME,
        "password": Hasher().hash(PASSWORD.encode()),
        "email": f"{USERNAME}@{DOMAIN}",
        "groups": ["people", "readers"],
    }
    return {"users": {USERNAME: user}}


def _config(addresses: Addresses, port: int) -> dict[str, object]:
    return {
        "server": {
            "listen": f"{LOOPBACK}:{port}",
            "trusted_proxies": [f"{LOOPBACK}/32"],
            "management": None,
        },
        "cookies": [
            {
                "domain": DOMAIN,
                "portal": addresses.url("auth"),
                "default_target": addresses.url("app") + "/",
            }
        ],
        "session": {
            "store": "sqlite:sessions.db",
            "journal": "revocations.journal",
        },
        "users": {"file": "users.yaml"},
        "access_control": {
            "default_policy": "deny",
            "rules": [{"domain": f"*.{DOMAIN}", "policy": "one_factor"}],
        },
    }
