"""Imports what a command is made of, without the work that nobody here asks for.

Modules stay, so there is no garbage among them, and to look for some again and again
on the way takes a seventh of an import.

aiohttp reads the certificates of every authority that the system trusts as soon as it
is imported, for clients that say nothing else. That takes as long as a tenth of our
start and a megabyte for as long as the service runs.

Law: whoever is a client here names the context that it trusts. aiohttp's own may know
no authority, which refuses whom it should not and trusts nobody whom it should not.
"""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Final

from forwardauth.cli import garbage

AUTHORITIES: Final = "SSL_CERT_FILE"
"""The variable that tells OpenSSL whose certificates to read."""


def load(name: str) -> ModuleType:
    """Import and return the module *name*, with all that it needs."""
    with garbage.growing(), _no_authorities(os.environ):
        return import_module(name)


@contextmanager
def _no_authorities(environ: MutableMapping[str, str]) -> Iterator[None]:
    before = environ.get(AUTHORITIES)
    environ[AUTHORITIES] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del environ[AUTHORITIES]
        else:
            environ[AUTHORITIES] = before
