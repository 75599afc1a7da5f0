"""What is wanted of another companion, so that it can be asked beside ours.

Law: nothing is changed in what its makers ship. Where a setting makes it faster, it has
that setting; what it does less than ours is said in its module's first lines.
"""

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.workload import username
from tests.support.client import Client
from tests.support.processes import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signs in: the user of the workload's first session, one of the staff."""

    name: str = username(0)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class Product(Protocol):
    """Another companion."""

    @property
    def name(self) -> str:
        """Its name and version, for the table."""

    @property
    def path(self) -> str:
        """Where a proxy asks it."""

    @property
    def user_header(self) -> str:
        """The header of an answer that names who asks."""

    def install(self) -> None:
        """Install it and what it needs, unless that has been done.

        Raises:
            NotInstalledError: It cannot be had here. It gets a row that says why.
        """

    def running(self, folder: Path, person: Person) -> AbstractContextManager[Process]:
        """Run it, with all that it keeps in *folder*, as long as the context lasts.

        The process is that of the companion; what it asks in turn is not part of it.
        """

    def sign_in(self, port: int, person: Person) -> str:
        """Return the cookies of a new session, as a browser sends them.

        Raises:
            RuntimeError: There is none.
        """


def browser() -> Client:
    """Return a browser without cookies; it speaks plain HTTP, and trusts nobody."""
    return Client(authority=Path("no-authority"))
