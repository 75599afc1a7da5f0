"""``authentication_backend`` of Authelia: its users file works as it is.

Law: hashes that are not read are told of now, not when their users sign in.
"""

from pathlib import Path
from typing import Final

from forwardauth.errors import ConfigError
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.choices import Choices
from forwardauth.migration.lines import find_beside
from forwardauth.migration.report import Fate
from forwardauth.migration.yaml_text import Entry, Mapping
from forwardauth.users.reader import load_users

_FILE: Final = "authentication_backend.file.path"
_LDAP: Final = "authentication_backend.ldap"
_NEW: Final = "users.yaml"


def write_users(source: Source, path: Path, choices: Choices) -> Mapping:
    """Return the key ``file`` below ``users``; *path* is that of the configuration."""
    if source.lookup(_LDAP) is not None:
        text = "no directory is asked: add its users by forwardauth users add"
        source.tell(Fate.TO_DO, _LDAP, text)
    named = source.text(_FILE)
    if named is None and choices.users_file is None:
        return (Entry(name="file", value=_NEW),)
    key = _FILE
    file = choices.users_file or find_beside(Path(named or _NEW), path)
    _check(source, key, file)
    note = f"from {_FILE}; the file is read as it is"
    return (Entry(name="file", value=_spell(file, choices.folder), notes=(note,)),)


def _spell(file: Path, folder: Path) -> str:
    """Return *file* as the configuration in *folder* names it."""
    whole = file.absolute()
    return whole.name if whole.parent == folder.absolute() else str(whole)


def _check(source: Source, key: str, file: Path) -> None:
    if not file.exists():
        text = f"there is no {file} here: name it by --users-file, or put it there"
        source.tell(Fate.TO_DO, key, text)
        return
    try:
        users = load_users(file)
    except ConfigError as exc:
        for problem in exc.problems:
            source.tell(Fate.TO_DO, key, str(problem))
        return
    text = f"users.file: {len(users.users)} users, read as they are"
    source.tell(Fate.TAKEN, key, text)
