"""Whether the files and folders that the configuration names can be used.

Apart from the keys, which can be judged anywhere: that a folder is missing is found
where the service runs, not where its configuration is written.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from forwardauth.config.addresses import Address, UnixAddress
from forwardauth.config.images import lookup_fault
from forwardauth.config.problems import Findings, Place, show_path
from forwardauth.config.schema import Settings
from forwardauth.config.session import SQLITE
from forwardauth.config.tree import Listing, Table, lookup_node, place_of
from forwardauth.errors import ConfigError
from forwardauth.users.problems import Problem as UsersProblem
from forwardauth.users.reader import load_users
from forwardauth.users.table import UsersTable

_USERS: Final = "users.file"
_LISTEN: Final = "server.listen"

CheckKey: TypeAlias = Callable[[Path], None]
"""Raises ``OSError`` when the signing key in a folder is there and cannot be used."""


class Use(StrEnum):
    """What the service does with what a key names."""

    WRITE = "write"
    STORE = "store"
    SOCKET = "socket"
    KEY = "key"
    TEMPLATES = "templates"
    LOGO = "logo"
    USERS = "users"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file or folder, and the key that names it, be it by default."""

    place: Place
    path: Path
    use: Use


def find_files(
    settings: Settings, root: Table, findings: Findings
) -> tuple[NamedFile, ...]:
    """Return what *settings* name, leaving out each key that has a problem.

    Args:
        settings: Of the right types; sound where *findings* has no problem.
        root: What they were read from, for the places.
        findings: What has been noted about the keys.
    """
    named = [("session.journal", settings.session.journal, Use.WRITE)]
    if settings.session.secret is None and findings.is_sound("session.journal"):
        named.append(("session.secret", settings.session.journal.parent, Use.KEY))
    store = settings.session.store
    if store.startswith(SQLITE):
        path = Path(store.removeprefix(SQLITE))
        named.append(("session.store", path, Use.STORE))
    named += (
        (key, address.path, Use.SOCKET)
        for key, address in _listeners(settings, root, findings)
        if isinstance(address, UnixAddress)
    )
    if isinstance(settings.logging.audit, Path):
        named.append(("logging.audit", settings.logging.audit, Use.WRITE))
    if settings.portal.templates is not None:
        named.append(("portal.templates", settings.portal.templates, Use.TEMPLATES))
    if settings.portal.logo is not None:
        named.append(("portal.logo", settings.portal.logo, Use.LOGO))
    named.append((_USERS, settings.users.file, Use.USERS))
    placed = ((key, place_of(root, key), path, use) for key, path, use in named)
    return tuple(
        NamedFile(place=place, path=path, use=use)
        for key, place, path, use in placed
        # Told of already: the key itself, or that its section holds no keys.
        if findings.is_sound(key) and not findings.is_told(place)
    )


def _listeners(
    settings: Settings, root: Table, findings: Findings
) -> list[tuple[str, Address | None]]:
    """Return each address with its key: that of its entry where it stands in a list."""
    listen = settings.server.listen
    written = lookup_node(root, _LISTEN)
    items = written.items if isinstance(written, Listing) else ()
    keys = [f"{_LISTEN}.{index}" for index in range(len(items))]
    keys = [key for key in keys if findings.is_sound(key)]
    if len(keys) != len(listen):
        keys = [_LISTEN] * len(listen)
    found: list[tuple[str, Address | None]] = [*zip(keys, listen, strict=True)]
    found.append(("server.management", settings.server.management))
    return found


def check_files(
    files: tuple[NamedFile, ...], findings: Findings, check_key: CheckKey
) -> None:
    """Note each of *files* that cannot be used; nothing is created.

    A folder that several keys need is one problem, told with the first of them. The
    content of the users file is not looked at; ``check_users`` does that.
    """
    faults: dict[tuple[Path, str, str], list[NamedFile]] = {}
    for file in files:
        if file.use is Use.KEY:
            _check_key(file, findings, check_key)
            continue
        folder = file.path if file.use is Use.TEMPLATES else file.path.parent
        fault = _fault_of_folder(folder, file.use)
        if fault is not None:
            faults.setdefault((folder, *fault), []).append(file)
        elif file.use in {Use.WRITE, Use.STORE}:
            _check_writable(file, findings)
        elif file.use is Use.LOGO:
            _check_image(file, findings)
    for (folder, reason, remedy), named in faults.items():
        first, *others = sorted(named, key=lambda file: file.place.line or 0)
        names = " and ".join(file.place.key for file in others)
        also = f", which is needed for {names} as well" if names else ""
        text = f"the folder {show_path(folder)} {reason}{also}"
        findings.refuse(first.place, text, remedy)


def check_users(
    files: tuple[NamedFile, ...], findings: Findings
) -> tuple[UsersTable | None, tuple[object, ...]]:
    """Return the users, and every mistake on a line of their file.

    What is wrong with the file as a whole is noted in *findings*, with the key. A
    folder that is missing has been told of by ``check_files``.
    """
    for file in files:
        if file.use is not Use.USERS or _fault_of_folder(file.path.parent, file.use):
            continue
        try:
            return load_users(file.path), ()
        except ConfigError as exc:
            return None, _note_whole(file, exc, findings)
    return None, ()


def _note_whole(
    file: NamedFile, error: ConfigError, findings: Findings
) -> tuple[object, ...]:
    """Note what *error* says about no line; return the rest."""
    mistakes: list[object] = []
    for problem in error.problems:
        if isinstance(problem, UsersProblem) and problem.place == str(file.path):
            reason = f"{show_path(file.path)}: {problem.reason}"
            findings.refuse(file.place, reason, problem.remedy)
        else:
            mistakes.append(problem)
    return tuple(mistakes)


def _check_key(file: NamedFile, findings: Findings, check_key: CheckKey) -> None:
    """Note what is wrong with the key; a folder that is, is told with the journal."""
    if _fault_of_folder(file.path, Use.WRITE) is not None:
        return
    try:
        check_key(file.path)
    except OSError as exc:
        reason = f"the key beside the journal cannot be used: {_words_of(exc)}"
        findings.refuse(file.place, reason, "mend the file, or set session.secret")


def _words_of(error: OSError) -> str:
    if error.strerror is not None and error.filename is not None:
        return f"{show_path(Path(error.filename))}: {error.strerror}"
    words = str(error)
    return words if words.isprintable() else ascii(words)


def _check_image(file: NamedFile, findings: Findings) -> None:
    fault = lookup_fault(file.path)
    if fault is not None:
        reason, remedy = fault
        findings.refuse(file.place, f"{show_path(file.path)} {reason}", remedy)


def _check_writable(file: NamedFile, findings: Findings) -> None:
    shown = show_path(file.path)
    try:
        is_file = stat.S_ISREG(file.path.stat().st_mode)
    except FileNotFoundError:
        return
    except OSError as exc:
        reason = f"{shown} cannot be reached: {exc.strerror}"
        findings.refuse(file.place, reason, "name another file")
        return
    if not is_file or not os.access(file.path, os.R_OK | os.W_OK):
        findings.refuse(
            file.place,
            f"{shown} is not a file that can be written",
            f"let the user {os.geteuid()} write it, or name another",
        )


def _fault_of_folder(folder: Path, use: Use) -> tuple[str, str] | None:
    """Return reason and remedy when *folder* is not there for *use*."""
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return "does not exist", "create it, or name another"
    except OSError as exc:
        return f"cannot be reached: {exc.strerror}", "name another"
    if not stat.S_ISDIR(mode):
        return "is not a folder", "name another"
    if use is Use.TEMPLATES and not os.access(folder, os.R_OK | os.X_OK):
        return "cannot be read", f"let the user {os.geteuid()} read it"
    is_written = use in {Use.WRITE, Use.STORE, Use.SOCKET}
    if is_written and not os.access(folder, os.W_OK | os.X_OK):
        return "cannot be written", f"let the user {os.geteuid()} write it"
    return None
