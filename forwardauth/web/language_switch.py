"""The switch of languages at the foot of a page, and the page that it leads back to.

Law: the way back is one of ``PATHS``, which a plain visit shows as it was. What its
address holds is looked at anew by whoever builds the way back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from forwardauth.web.languages import Language

PATHS: Final = frozenset({"/", "/account", "/login", "/signed-out"})
"""Pages that a choice may lead back to; a visit to none of them changes anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page that can be shown again by visiting it.

    Attributes:
        path: A member of ``PATHS``.
        target: For ``/login``: where the login leads.
        method: For ``/login``: of the request that was stopped.
        link: For ``/login``: the signed request of another portal; empty without one.
    """

    path: str
    target: str | None = None
    method: str | None = None
    link: str = ""

    @property
    def fields(self) -> Iterator[tuple[str, str]]:
        """What the form keeps of it, by name."""
        yield "page", self.path
        for name, value in (
            ("rd", self.target),
            ("rm", self.method),
            ("link", self.link),
        ):
            if value:
                yield name, value


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSwitch:
    """What the template needs.

    Attributes:
        action: Where the form goes.
        fields: What it keeps, by name.
        languages: What can be chosen, each with ``tag``, ``name`` and ``direction``.
    """

    action: str
    fields: Sequence[tuple[str, str]]
    languages: Sequence[Language]
