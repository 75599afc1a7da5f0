"""Templates: the shipped ones, and an operator's in their place.

The files of the operator's folder replace the shipped ones name by name. They are the
operator's own code and run in Jinja's normal environment, not in a sandbox: who may
write them may change the configuration as well. They are read and compiled once, with
the configuration, so that a change takes effect as a whole.

Law: a replacement can spoil a page, never an answer. Whatever goes wrong with it, the
shipped page is shown instead and the log names file and line.
"""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from forwardauth.web.languages import Language

TEMPLATES: Final = Path(__file__).with_name("templates")

_Source = tuple[str, str, None]
_log = logging.getLogger(__name__)


class Renderer:
    """Renders templates by name.

    Args:
        replacements: The operator's folder, ``None`` for the shipped templates alone.
    """

    def __init__(self, replacements: Path | None) -> None:
        self._shipped = _load_shipped()
        self._folder = replacements
        self._warned: set[tuple[str, int | None]] = set()
        sources = {} if replacements is None else self._read_sources(replacements)
        self._replaced = create_environment(
            ChoiceLoader([FunctionLoader(sources.get), FileSystemLoader(TEMPLATES)])
        )
        self._is_replaced = bool(sources)

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """Return the page *name*, replaced where that works, else as it is shipped.

        Args:
            name: A shipped template, for instance ``logout.html``.
            context: Its variables; ``language`` must be a ``Language``.
        """
        if self._is_replaced:
            try:
                return self._replaced.get_template(name).render(context)
            except Exception as exc:  # noqa: BLE001 - a template may raise anything, and
                # a logout that has happened must still be answered as one.
                self._warn(name, exc)
        return self._shipped.get_template(name).render(context)

    def _read_sources(self, folder: Path) -> dict[str, _Source]:
        try:
            paths = sorted(p for p in folder.iterdir() if p.suffix == ".html")
        except OSError as exc:
            self._warn("", exc)
            return {}
        shipped = self._shipped.list_templates()
        sources: dict[str, _Source] = {}
        for path in paths:
            try:
                source = path.read_text(encoding="utf-8")
                self._shipped.compile(source, path.name, str(path))
            except Exception as exc:  # noqa: BLE001 - see render; the service starts.
                self._warn(path.name, exc)
                continue
            sources[path.name] = (source, str(path), None)
            if path.name not in shipped and not path.name.startswith("_"):
                _log.warning("template %s replaces no page", path)
        return sources

    def _warn(self, name: str, error: Exception) -> None:
        """Log *error* with its place, once for each place."""
        place, line = self._find_place(name, error)
        if (place, line) in self._warned:
            return
        self._warned.add((place, line))
        # The text of other errors may hold values of the page, the CSRF token included.
        is_about_files = isinstance(error, TemplateError | OSError | UnicodeError)
        _log.warning(
            "template %s, line %s: %s%s; the shipped page is shown instead",
            place,
            "unknown" if line is None else line,
            type(error).__name__,
            f": {error}" if is_about_files else "",
        )

    def _find_place(self, name: str, error: Exception) -> tuple[str, int | None]:
        """Return the innermost replaced file that *error* came through, and line."""
        if isinstance(error, TemplateSyntaxError) and error.filename is not None:
            return error.filename, error.lineno
        place = str(self._folder and self._folder / name)
        line = None
        for frame, number in walk_tb(error.__traceback__):
            if Path(frame.f_code.co_filename).parent == self._folder:
                place, line = frame.f_code.co_filename, number
        return place, line


def create_environment(loader: BaseLoader) -> Environment:
    """Return an environment in which the portal's templates, or theirs, compile."""
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters["name"] = _mark_name
    # What ``install_gettext_callables`` does, but for its three functions around ours:
    # they took as long as the rest of a page.
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's
    environment.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext)
    return environment


@cache
def _load_shipped() -> Environment:
    # Compiled once for the process, all of them soon after the start: an upgrade of
    # the package below a running service does not mix new templates with old code.
    environment = create_environment(FileSystemLoader(TEMPLATES))
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


@pass_context
def _gettext(context: Context, message: str, /, **variables: object) -> Markup:
    text = _language(context).translations.gettext(message)
    marked = Markup(text)  # noqa: S704 - the catalogue is ours
    return marked % variables if variables or "%" in text else marked


@pass_context
def _ngettext(
    context: Context, singular: str, plural: str, number: int, /, **variables: object
) -> Markup:
    text = _language(context).translations.ngettext(singular, plural, number)
    return Markup(text) % {"num": number, **variables}  # noqa: S704 - likewise


def _language(context: Context) -> Language:
    language = context["language"]
    if not isinstance(language, Language):
        raise TypeError("language must be a Language")
    return language


def _mark_name(value: object) -> Markup:
    # Isolated, so that a name in another script cannot reorder the words around it.
    return Markup('<bdi class="name">{}</bdi>').format(value)
