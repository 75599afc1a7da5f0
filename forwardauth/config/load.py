"""From ``config.yaml`` and the environment to ``Settings``, with all problems at once.

file ──────► document ─► renames ─┐
                                  ├─► environment ─► settings ─► Settings and warnings,
environment ───────────► renames ─┘    overlay        sections    or one ConfigError
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forwardauth.config.problems import Findings, Problem
from forwardauth.config.renames import RENAMES, Rename
from forwardauth.config.root import read_root
from forwardauth.config.schema import Settings
from forwardauth.config.settings import read_settings
from forwardauth.config.tree import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was read, sound or not.

    Attributes:
        settings: Of the right types, and meaningless where *findings* has a problem.
            Nothing is built from them before ``findings.check()`` has returned.
        root: The file with the environment laid over it.
        findings: What is wrong with the keys, each and together.
    """

    settings: Settings
    root: Table
    findings: Findings


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
    draft = read_draft(path, environ)
    warnings = draft.findings.check()
    return draft.settings, warnings


def read_draft(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    renames: Sequence[Rename] = RENAMES,
) -> Draft:
    """Return what *path* and *environ* hold, with everything noted that is wrong.

    Old names of keys are read as *renames* say.

    Raises:
        ConfigError: The file cannot be read, or is no YAML.
    """
    findings = Findings()
    root, section = read_root(path, environ, findings, renames=renames)
    settings = read_settings(section, source=path)
    return Draft(settings=settings, root=root, findings=findings)
