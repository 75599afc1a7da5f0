"""The file with the environment laid over it, before its sections are read.

Law: nothing is judged here but what keeps keys from being told. Who asks for one
section alone learns of the mistakes in that one alone.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from forwardauth.config.document import load_document, parse_yaml
from forwardauth.config.environment import overlay
from forwardauth.config.problems import Findings, Place
from forwardauth.config.renames import (
    RENAMES,
    Rename,
    rename_keys,
    rename_variables,
)
from forwardauth.config.schema import ServerSettings
from forwardauth.config.section import Reading, Section
from forwardauth.config.server import read_server
from forwardauth.config.tree import Table
from forwardauth.errors import ConfigError

ENVIRONMENT: Final = "environment"
"""What stands for the file's name where there is no file."""

_SERVER: Final = "server"


def read_root(
    path: Path | None,
    environ: Mapping[str, str],
    findings: Findings,
    *,
    renames: Sequence[Rename] = RENAMES,
) -> tuple[Table, Section]:
    """Return what *path* and *environ* hold, as it was read and to be read further.

    Old names of keys are read as *renames* say.

    Raises:
        ConfigError: The file cannot be read, or is no YAML.
    """
    root = Table(place=Place(source=ENVIRONMENT))
    if path is not None:
        root = load_document(path, findings=findings)
    root = overlay(
        rename_keys(root, findings, renames),
        rename_variables(environ, findings, renames),
        findings=findings,
        parse_yaml=partial(parse_yaml, findings=findings),
    )
    reading = Reading(
        findings=findings,
        file_folder=Path.cwd() if path is None else path.absolute().parent,
        working_folder=Path.cwd(),
    )
    return root, Section(root, reading)


def load_server(path: Path | None, environ: Mapping[str, str]) -> ServerSettings:
    """Return the settings of ``server``, whatever is wrong with the others.

    A service that runs goes on with what it was started with while somebody edits the
    file: whoever looks for it needs to know no more than where it listens.

    Raises:
        ConfigError: The file cannot be read, is no YAML, or that section is wrong.
    """
    findings = Findings()
    _, section = read_root(path, environ, findings)
    settings = read_server(section.section(_SERVER))
    problems = [
        each
        for each in findings.problems_in_order()
        if each.place.key.partition(".")[0] == _SERVER
    ]
    if problems:
        raise ConfigError(problems)
    return settings
