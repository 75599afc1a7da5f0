"""What has become of each key of the source; for people and for programs.

Law: a finding names keys and lines. It holds no value of a key that may be secret.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Fate(StrEnum):
    """What has become of a key."""

    TAKEN = "taken over"
    STRICTER = "stricter here"
    LEFT = "no counterpart"
    TO_DO = "to do"


ORDER: Final = (Fate.TO_DO, Fate.STRICTER, Fate.LEFT, Fate.TAKEN)
"""In which order people read: what is asked of them first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One key of the source.

    Attributes:
        fate: What has become of it.
        key: As the source spells it.
        line: Where it stands; ``None`` for a default that the source does not write.
        text: What that means: lower case, no full stop.
    """

    fate: Fate
    key: str
    line: int | None
    text: str


@dataclass(slots=True, kw_only=True)
class Report:
    """Everything that has been found out about one source.

    Attributes:
        source: The file, as it was named.
        findings: In the order in which they were made.
    """

    source: str
    findings: list[Finding] = field(default_factory=list)

    def tell(self, fate: Fate, key: str, line: int | None, text: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(fate=fate, key=key, line=line, text=text))

    def of(self, fate: Fate) -> tuple[Finding, ...]:
        """Return the findings of one fate, in the order of the source's lines."""
        found = (each for each in self.findings if each.fate is fate)
        return tuple(sorted(found, key=lambda each: each.line or 0))

    def lines(self) -> list[str]:
        """Return the report for people, each fate under a heading of its own."""
        lines: list[str] = []
        for fate in ORDER:
            found = self.of(fate)
            if not found:
                continue
            lines.append(f"{fate}:")
            for each in found:
                where = (
                    self.source if each.line is None else f"{self.source}:{each.line}"
                )
                line = f"  {where}: {each.key}: {each.text}"
                # A terminal might obey what a file holds.
                lines.append(line if line.isprintable() else ascii(line)[1:-1])
        return lines

    def records(self) -> list[dict[str, object]]:
        """Return the report for programs."""
        return [
            {
                "fate": each.fate.name.lower(),
                "key": each.key,
                "file": self.source,
                "line": each.line,
                "text": each.text,
            }
            for fate in ORDER
            for each in self.of(fate)
        ]
