"""Files of other programs, and what their import comes to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forwardauth.access_control.decision import Outcome
from forwardauth.access_control.rules import AccessControl
from forwardauth.config.schema import Settings
from forwardauth.migration.acceptance import check_config
from forwardauth.migration.authelia.settings import read_authelia
from forwardauth.migration.choices import Choices
from forwardauth.migration.outcome import Outcome as Imported
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.tinyauth import read_tinyauth
from forwardauth.migration.traefik_forward_auth import read_traefik_forward_auth
from forwardauth.migration.yaml_text import write_document
from forwardauth.request import ANONYMOUS, OriginalRequest, Subject

AUTHELIA: Final = """\
session:
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com
"""
"""The shortest file of Authelia that says where people sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A configuration that has been written, and read again as the service reads it."""

    text: str
    settings: Settings
    report: Report
    users: str | None = None

    @property
    def access(self) -> AccessControl:
        """The rules, as the service asks them."""
        return self.settings.access_control

    def outcome(
        self, original: OriginalRequest, subject: Subject = ANONYMOUS
    ) -> Outcome:
        """Return what becomes of a request."""
        return self.access.decide(subject, original).outcome

    def texts(self, fate: Fate, key: str) -> list[str]:
        """Return what the report says of *key* under *fate*."""
        return [each.text for each in self.report.of(fate) if each.key == key]


def accept(imported: Imported, folder: Path) -> Written:
    """Return *imported* as text and as settings; fails where our check refuses it."""
    text = write_document(imported.config, heading=("Written by a test.",))
    settings, _ = check_config(text, source="config.yaml", folder=folder)
    return Written(
        text=text, settings=settings, report=imported.report, users=imported.users
    )


def import_authelia(folder: Path, text: str, **choices: Any) -> Written:
    """Return what the import of *text*, a whole file of Authelia, comes to."""
    path = folder / "configuration.yml"
    path.write_text(text, encoding="utf-8")
    return accept(read_authelia(path, Choices(folder=folder, **choices)), folder)


def import_rules(folder: Path, rules: str, **choices: Any) -> Written:
    """Return the same for ``AUTHELIA`` with these lines of ``access_control``."""
    lines = "".join(f"  {line}\n" for line in rules.splitlines())
    return import_authelia(folder, f"{AUTHELIA}access_control:\n{lines}", **choices)


def import_tinyauth(folder: Path, text: str, **choices: Any) -> Written:
    """Return what the import of *text*, an environment of tinyauth, comes to."""
    path = folder / "tinyauth.env"
    path.write_text(text, encoding="utf-8")
    return accept(read_tinyauth(path, Choices(folder=folder, **choices)), folder)


def import_traefik(folder: Path, text: str, **choices: Any) -> Written:
    """Return what the import of *text*, of traefik-forward-auth, comes to."""
    path = folder / "tfa.ini"
    path.write_text(text, encoding="utf-8")
    outcome = read_traefik_forward_auth(path, Choices(folder=folder, **choices))
    return accept(outcome, folder)
