"""Whether the service would take what has been written, before anybody sees it.

Law: nothing is handed over that ``config check`` refuses. Whether files are there is
left to it, since it runs where the service will.
"""

from pathlib import Path

from forwardauth.config.document import parse_yaml
from forwardauth.config.problems import Findings, Place, Problem, RefusedValueError
from forwardauth.config.schema import Settings
from forwardauth.config.section import Reading, Section
from forwardauth.config.settings import read_settings
from forwardauth.config.tree import Table


def check_config(
    text: str, *, source: str, folder: Path
) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings that *text* means, with the warnings about it.

    Args:
        text: A whole configuration.
        source: What to call it in messages.
        folder: Where it will lie.

    Raises:
        ConfigError: Carries every problem, with lines of *text*.
    """
    findings = Findings()
    place = Place(source=source, line=1)
    try:
        root = parse_yaml(text, place, findings=findings)
    except RefusedValueError as exc:
        findings.refuse(place, exc.reason, exc.remedy)
        root = Table(place=place)
    if not isinstance(root, Table):
        root = Table(place=place)
    reading = Reading(findings=findings, file_folder=folder, working_folder=folder)
    settings = read_settings(Section(root, reading), source=None)
    return settings, findings.check()
