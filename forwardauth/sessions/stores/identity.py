"""Whether two addresses lead to the same store.

Law: how one gets there does not count: no password, no timeout, no spelling of a path.
"""

import hashlib
from pathlib import Path
from typing import Final

from forwardauth.sessions.stores.redis_url import parse_redis_url

MEMORY: Final = "memory:"
SQLITE: Final = "sqlite:"


def identity_of(url: str) -> str:
    """Return the name of the store at *url*, which ``check_store_url`` has accepted."""
    if url.startswith(SQLITE):
        return f"{SQLITE}{Path(url.removeprefix(SQLITE)).resolve()}"
    if url.startswith(MEMORY):
        return MEMORY
    place = parse_redis_url(url)
    nodes = ",".join(f"{host}:{port}" for host, port in sorted(place.nodes))
    return f"redis:{nodes}/{place.service}/{place.database}/{place.prefix}"


def fingerprint_of(url: str) -> str:
    """Return a short name that tells stores apart, of letters and digits alone."""
    return hashlib.sha256(identity_of(url).encode()).hexdigest()[:16]
