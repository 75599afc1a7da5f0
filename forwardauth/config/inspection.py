"""Everything that would keep the service from starting, found in one go.

keys ─► keys that do not fit ─► files and folders ─► users file ─► an Inspection,
                                                                   or one ConfigError

Law: no stage waits for the one before it. What cannot be judged because of a mistake is
left out; everything else is told in the same run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forwardauth.config.files import (
    CheckKey,
    Use,
    check_files,
    check_users,
    find_files,
)
from forwardauth.config.load import read_draft
from forwardauth.config.problems import Findings, Place, Problem
from forwardauth.config.schema import Settings
from forwardauth.config.tree import Table, place_of
from forwardauth.errors import ConfigError
from forwardauth.users.table import UsersTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A configuration that can be started with.

    Attributes:
        settings: As from ``load_settings``.
        users: What the users file holds.
        warnings: What is allowed and seldom meant.
        root: What was read, for ``place_of``.
    """

    settings: Settings
    users: UsersTable
    warnings: tuple[Problem, ...]
    root: Table = field(repr=False)

    def place_of(self, key: str) -> Place:
        """Return where the dotted *key* was written, else where it would be."""
        return place_of(self.root, key)


def inspect(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    check_key: CheckKey,
    may_store_come_later: bool = False,
) -> Inspection:
    """Return what ``load_checked`` returns once the surroundings are sound, too.

    Args:
        path: The file; ``None`` when the environment says everything.
        environ: Variables that start with ``FORWARDAUTH_`` win over the file.
        check_key: Judges the signing key, which is read where it is used.
        may_store_come_later: Whether a SQLite store that cannot be opened is a
            warning. The service starts without its store, and is not ready.

    Raises:
        ConfigError: Every problem of the keys and of the files and folders that they
            name, in the order of the lines; then those of the environment; then those
            on the lines of the users file.
    """
    draft = read_draft(path, environ)
    findings = draft.findings
    files = find_files(draft.settings, draft.root, findings)
    if may_store_come_later:
        store = tuple(file for file in files if file.use is Use.STORE)
        files = tuple(file for file in files if file.use is not Use.STORE)
        later = Findings()
        check_files(store, later, check_key)
        findings.warnings += later.problems
    check_files(files, findings, check_key)
    users, mistakes = check_users(files, findings)
    if mistakes:
        raise ConfigError([*findings.problems_in_order(), *mistakes])
    warnings = findings.check()
    return Inspection(
        settings=draft.settings,
        users=users or UsersTable(users={}),
        warnings=warnings,
        root=draft.root,
    )
