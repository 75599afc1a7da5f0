"""From ``config.yaml`` and the environment to ``Settings``, with all problems at once.

file ──────► document ─┐
                       ├─► environment ─► settings ─► Settings and warnings,
environment ───────────┘    overlay        sections    or one ConfigError
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from forwardauth.config.document import load_document, parse_yaml
from forwardauth.config.environment import overlay
from forwardauth.config.problems import Findings, Place, Problem
from forwardauth.config.schema import Settings
from forwardauth.config.section import Reading, Section
from forwardauth.config.settings import read_settings
from forwardauth.config.tree import Table

ENVIRONMENT: Final = "environment"
"""What stands for the file's name where there is no file."""


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of *path* and *environ*; see ``load_checked``."""
    settings, _ = load_checked(path, environ)
    return settings


def load_checked(
    path: Path | None, environ: Mapping[str, str]
) -> tuple[Settings, tuple[Problem, ...]]:
    """Return settings and warnings.

    Args:
        path: The file; ``None`` when the environment says everything.
        environ: Variables that start with ``FORWARDAUTH_`` win over the file.

    Returns:
        The settings, every path in them absolute, and what is allowed but seldom
        meant. Neither the users file nor any folder has been looked at.

    Raises:
        ConfigError: Holds a ``Problem`` for each mistake. A file that is no YAML is
            one mistake, since its keys cannot be told.
    """
    findings = Findings()
    root = Table(place=Place(source=ENVIRONMENT))
    if path is not None:
        root = load_document(path, findings=findings)
    root = overlay(
        root,
        environ,
        findings=findings,
        parse_yaml=partial(parse_yaml, findings=findings),
    )
    reading = Reading(
        findings=findings,
        file_folder=Path.cwd() if path is None else path.absolute().parent,
        working_folder=Path.cwd(),
    )
    settings = read_settings(Section(root, reading), source=path)
    return settings, findings.check()
