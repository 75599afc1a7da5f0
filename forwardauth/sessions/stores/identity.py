"""Whether two addresses say the same store, as far as they alone can tell.

Law: how one gets there does not count: no password, no timeout, no spelling of a path.
For what only the stores know see ``sessions.store_name``.
"""

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
