"""Whether the files and folders that the settings name are there and can be used.

Apart from ``load``, which looks at nothing but the configuration itself: that a folder
is missing is found where the service runs, not where its configuration is written.
"""

import os
from pathlib import Path

from forwardauth.config.addresses import UnixAddress
from forwardauth.config.load import ENVIRONMENT
from forwardauth.config.problems import Findings, Place
from forwardauth.config.schema import Settings
from forwardauth.config.session import SQLITE


def check_files(settings: Settings) -> None:
    """Return when every file that is written can be, and every folder read is there.

    Nothing is created. The users file is not among them: whoever reads it checks it.

    Raises:
        ConfigError: Names each key whose file or folder cannot be used.
    """
    findings = Findings()
    _check_writable(findings, settings, "session.journal", settings.session.journal)
    store = settings.session.store
    if store.startswith(SQLITE):
        path = Path(store.removeprefix(SQLITE))
        _check_writable(findings, settings, "session.store", path)
    for address in (*settings.server.listen, settings.server.management):
        if isinstance(address, UnixAddress):
            key = "server.management"
            if address in settings.server.listen:
                key = "server.listen"
            _check_folder(findings, settings, key, address.path.parent)
    templates = settings.portal.templates
    if templates is not None and not templates.is_dir():
        findings.refuse(
            _place(settings, "portal.templates"),
            f"{templates} is not a folder",
            "create it, or write null",
        )
    findings.check()


def _check_writable(
    findings: Findings, settings: Settings, key: str, path: Path
) -> None:
    if not _check_folder(findings, settings, key, path.parent) or not path.exists():
        return
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        findings.refuse(
            _place(settings, key),
            f"{path} is not a file that can be written",
            f"let the user {os.geteuid()} write it, or name another",
        )


def _check_folder(
    findings: Findings, settings: Settings, key: str, folder: Path
) -> bool:
    place = _place(settings, key)
    if not folder.is_dir():
        findings.refuse(place, f"the folder {folder} does not exist", "create it")
        return False
    if not os.access(folder, os.W_OK | os.X_OK):
        findings.refuse(
            place,
            f"the folder {folder} cannot be written",
            f"let the user {os.geteuid()} write it",
        )
        return False
    return True


def _place(settings: Settings, key: str) -> Place:
    return Place(key=key, source=str(settings.source or ENVIRONMENT))
