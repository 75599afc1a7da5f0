"""The file of Authelia while it is read: values with their lines, mistakes gathered.

Law: a value that Authelia makes at its start (a template) is no value here. It is
refused, since what it stands for decides whom a rule is for.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from forwardauth.config.document import load_document
from forwardauth.config.problems import Findings
from forwardauth.config.tree import Listing, Node, Scalar, Table, lookup_node
from forwardauth.migration.report import Fate, Report

_TEMPLATE: Final = "{{"


class Source:
    """One file; hands out what stands at a dotted key."""

    def __init__(self, root: Table, *, findings: Findings, report: Report) -> None:
        """Take a file that has been read."""
        self.root = root
        self.findings = findings
        self.report = report

    def lookup(self, key: str) -> Node | None:
        """Return what stands at *key*; ``None`` where nothing or null does."""
        node = lookup_node(self.root, key)
        return None if isinstance(node, Scalar) and node.is_null else node

    def text(self, key: str) -> str | None:
        """Return the one value at *key*, ``None`` where there is none."""
        node = self.lookup(key)
        return None if node is None else self.text_of(node)

    def text_of(self, node: Node) -> str | None:
        """Return the value of *node*, ``None`` after noting that it is none."""
        if not isinstance(node, Scalar):
            self.refuse(node, "must be one value", "write it on the key's own line")
            return None
        if self.is_template(node):
            self.refuse(
                node,
                "is made by a template when Authelia starts",
                "write the value itself into a copy of the file, and import that",
            )
            return None
        return node.text

    def is_template(self, node: Node) -> bool:
        """Whether Authelia would fill *node* in at its start."""
        return isinstance(node, Scalar) and _TEMPLATE in node.text

    def items(self, node: Node | None) -> tuple[Node, ...]:
        """Return the items of a list; a single value may stand without brackets."""
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return ()
        return node.items if isinstance(node, Listing) else (node,)

    def texts(self, nodes: Iterable[Node]) -> tuple[tuple[str, Node], ...]:
        """Return the value of each node that is one, beside its node."""
        found = ((self.text_of(node), node) for node in nodes)
        return tuple((text, node) for text, node in found if text is not None)

    def refuse(self, node: Node, reason: str, remedy: str) -> None:
        """Note a mistake of the file."""
        self.findings.refuse(node.place, reason, remedy)

    def tell(self, fate: Fate, key: str, text: str) -> None:
        """Report what has become of *key*."""
        node = lookup_node(self.root, key)
        line = None if node is None else node.place.line
        self.report.tell(fate, key, line, text)


def load_source(path: Path) -> Source:
    """Return the file at *path*.

    Raises:
        ConfigError: It cannot be read, or is no YAML.
    """
    findings = Findings()
    root = load_document(path, findings=findings)
    return Source(root, findings=findings, report=Report(source=str(path)))
