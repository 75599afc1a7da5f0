"""The configuration that counts, and how it is read again from where it came from.

Law: what is read once is judged, numbered and served. No worker reads a file of its
own, so a file that is edited again in between cannot become two policies.
"""

import logging
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from forwardauth.config.changes import changed_keys, check_changeable
from forwardauth.config.inspection import Inspection, inspect
from forwardauth.config.problems import Problem
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError, ForwardAuthError
from forwardauth.users.problems import Problem as UsersProblem
from forwardauth.users.table import UsersTable, is_cut_off
from forwardauth.web.instance import FIRST_GENERATION
from forwardauth.web.signing import check_key

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is served, as it was read at one moment.

    Attributes:
        settings: Sound, and the service can be built from them.
        users: Those of their users file.
        generation: Its number, from ``FIRST_GENERATION``.
    """

    settings: Settings
    users: UsersTable
    generation: int = FIRST_GENERATION

    def pack(self) -> bytes:
        """Return it for another process of this service; it may hold secrets."""
        table = self.users
        users = dict(table.users), table.signature, table.read_ns, table.ends_whole
        return pickle.dumps((self.settings, users, self.generation))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what ``pack`` has made in the process that has forked this one."""
        settings, of_users, generation = pickle.loads(packed)  # noqa: S301 - it
        # comes from our own parent, by a pair of sockets that nobody else has.
        users, signature, read_ns, is_whole = of_users
        table = UsersTable(
            users=MappingProxyType(users),
            signature=signature,
            read_ns=read_ns,
            ends_whole=is_whole,
        )
        return cls(settings=settings, users=table, generation=generation)


class ConfigurationSource:
    """Where the configuration comes from, the first time and every other."""

    def __init__(self, path: Path | None, environ: Mapping[str, str]) -> None:
        """Keep the place: a file that is missing later is no reason to do without.

        Args:
            path: As ``find_config`` has found it.
            environ: As it was when the service started.
        """
        self._path = path
        self._environ = dict(environ)

    def read(self) -> Inspection:
        """Return what is there now.

        Raises:
            ConfigError: Everything that is wrong with it.
        """
        return inspect(
            self._path,
            self._environ,
            check_key=check_key,
            may_store_come_later=True,
        )

    def read_next(self, current: Configuration) -> Configuration:
        """Return what a service with *current* goes on with; warnings are logged.

        Raises:
            ConfigError: Everything that is wrong with it, or the keys that need a
                restart. *current* goes on to count.
        """
        inspection = self.read()
        check_changeable(current.settings, inspection)
        _check_whole(current, inspection)
        for warning in inspection.warnings:
            _log.warning("%s", warning)
        return Configuration(
            settings=inspection.settings,
            users=inspection.users,
            generation=current.generation + 1,
        )


def _check_whole(current: Configuration, inspection: Inspection) -> None:
    """Refuse what was left of a users file, as its watch does."""
    path = inspection.settings.users.file
    if path == current.settings.users.file and is_cut_off(
        current.users, inspection.users
    ):
        problem = UsersProblem(
            place=str(path),
            reason="ends in the middle of a line, and users are missing",
            remedy="if it is whole, let it end with a line break",
        )
        raise ConfigError([problem])


def tell_success(before: Configuration, after: Configuration) -> None:
    """Log that *after* counts, and what is different in it."""
    keys = ", ".join(changed_keys(before.settings, after.settings)) or "no key"
    are_same = before.users.users == after.users.users
    _log.info(
        "configuration reloaded: generation=%d changed=[%s] users=%s",
        after.generation,
        keys,
        "unchanged" if are_same else "changed",
    )


def tell_refusal(error: ForwardAuthError | OSError) -> str:
    """Log why nothing changes, in the words of ``config check``, a line a problem.

    Returns:
        Where the first problem is, without any value, for whoever asks a probe.
    """
    problems = error.problems if isinstance(error, ConfigError) else (error,)
    for problem in problems:
        _log.error("configuration stays as it was: %s", problem)
    first, *others = problems
    more = f" and {len(others)} more" if others else ""
    if isinstance(first, Problem):
        return f"{first.place}{more}; the log says why"
    return "the log says why"
