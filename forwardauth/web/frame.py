"""The frame of every page: what is the same on all of them, around what is not.

Law: a page that is shown on a protected host refers to nothing there. Its links and
files are the portal's, with the origin in front.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from forwardauth.domains import Origin
from forwardauth.language_tags import LANGUAGES
from forwardauth.web.assets import Assets
from forwardauth.web.language_switch import LanguageSwitch, Place
from forwardauth.web.languages import load_languages
from forwardauth.web.page_content import DEFAULT_TITLE

if TYPE_CHECKING:
    from forwardauth.web.renderer import Renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterLink:
    """A link of the operator's at the foot of every page."""

    label: str
    url: str


class Frame:
    """Renders templates with what every page can use.

    Args:
        title: Name of the site; ``DEFAULT_TITLE`` names nothing.
        templates: Folder whose files replace the shipped templates; ``None`` for none.
        base_path: Where the portal lives: empty, ``/``, or ``/`` and a path.
        assets: The static files.
        footer: Links at the foot, in this order.
        languages: Tags of what the switch offers, in this order.
    """

    def __init__(
        self,
        *,
        title: str,
        templates: Path | None,
        base_path: str,
        assets: Assets,
        footer: Sequence[FooterLink],
        languages: Sequence[str] = LANGUAGES,
    ) -> None:
        self._site_name = "" if title == DEFAULT_TITLE else title
        self._templates = templates
        self._base_path = base_path.rstrip("/")
        self._assets = assets
        self._footer = tuple(footer)
        self._languages = load_languages()
        self._offered = tuple(self._languages[tag] for tag in languages)
        if templates is not None:
            # What is wrong with them is told at the start.
            _ = self._renderer

    def prepare(self) -> None:
        """Read and compile the templates, which the first page does otherwise.

        Babel comes with the first language; each further one costs its first page a few
        milliseconds, and a megabyte that most services never need.
        """
        _ = self._renderer
        self._offered[0].prepare()

    @cached_property
    def _renderer(self) -> "Renderer":
        # Jinja and its templates are a fifth of a start, and no answer of verify needs
        # them, so the start leaves them to whoever calls ``prepare``.
        from forwardauth.web.renderer import Renderer  # noqa: PLC0415 - see above

        return Renderer(self._templates)

    def path(self, path: str) -> str:
        """Return the portal's own *path*, which starts with ``/``, as a link has it."""
        return self._base_path + path

    def render(
        self,
        name: str,
        language: str,
        portal: Origin | None = None,
        *,
        here: Place | None = None,
        **values: object,
    ) -> str:
        """Return the page *name*.

        Args:
            name: Of a template.
            language: A tag; one that is not shipped reads as the first that is.
            portal: Where links and files are, for a page on a protected host.
            here: Where the switch of languages leads back to; ``None`` for no switch.
            values: What this page can use besides.
        """
        origin = "" if portal is None else str(portal)
        context = {
            "language": self._languages.get(language, self._languages[LANGUAGES[0]]),
            "site_name": self._site_name,
            "home_url": f"{origin}{self._base_path}/",
            "logo_url": self._assets.url(self._assets.logo, origin=origin),
            "footer": self._footer,
            "language_switch": self._switch(here),
            "asset": partial(self._assets.url, origin=origin),
            **values,
        }
        html = self._renderer.render(name, context)
        # Half a surrogate pair, as a lenient decoder leaves it, has no UTF-8 form.
        return html.encode("utf-8", "replace").decode("utf-8")

    def _switch(self, here: Place | None) -> LanguageSwitch | None:
        if here is None or len(self._offered) == 1:
            return None
        return LanguageSwitch(
            action=self.path("/language"),
            fields=tuple(here.fields),
            languages=self._offered,
        )
