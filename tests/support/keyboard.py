"""Somebody who has no mouse: everything is reached by Tab, and done by a key."""

from dataclasses import dataclass
from typing import Final

import pytest
from playwright.sync_api import Locator

from tests.support.visitor import Visitor

_MAX_STEPS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyboardVisitor(Visitor):
    """A ``Visitor`` who never points at anything."""

    def click(self, name: str) -> None:
        """Follow the link called *name*."""
        self.go_to(self.page.get_by_role("link", name=name, exact=True))
        self.page.keyboard.press("Enter")

    def press(self, name: str) -> None:
        """Press the button called *name*."""
        self.go_to(self.page.get_by_role("button", name=name, exact=True))
        self.page.keyboard.press("Space")

    def fill(self, label: str, text: str) -> None:
        """Write *text* into the field called *label*, over what is there."""
        self.go_to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def go_to(self, target: Locator) -> None:
        """Press Tab until *target* has the focus.

        Fails:
            It is not reached.
        """
        target.wait_for()
        for _ in range(_MAX_STEPS):
            if target.evaluate("(each) => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"the keyboard does not reach {target}")
