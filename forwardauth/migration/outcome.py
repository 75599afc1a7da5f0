"""What an import has come to: a configuration, users, or both."""

from dataclasses import dataclass, field

from forwardauth.migration.report import Report
from forwardauth.migration.yaml_text import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of reading one source.

    Attributes:
        config: The entries of ``config.yaml``; empty for a source of users alone.
        users: The text of a users file; ``None`` where the source has none of its own.
        has_secret: Whether *config* holds a password or a key.
        report: What has become of each key.
    """

    config: Mapping = ()
    users: str | None = field(default=None, repr=False)
    has_secret: bool = False
    report: Report
