"""What pages say outside of their messages: nothing."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from jinja2 import DictLoader, nodes

from forwardauth.web.assets import STATIC
from forwardauth.web.renderer import TEMPLATES, create_environment

GETTEXT = frozenset({"_", "gettext", "ngettext"})
LITERAL = re.compile(r"""(["'`])((?:\\.|(?!\1).)*)\1""")
COMMENT = re.compile(r"(?s)/\*.*?\*/|(?m:^\s*//.*$)")


class _Words(HTMLParser):
    """Collects text, and attributes that are shown, read out or handed to scripts."""

    spoken = ("alt", "aria-label", "placeholder", "title", "content", "value")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_silent = tag in {"meta", "button"} or dict(attrs).get("type") == "checkbox"
        for name, value in attrs:
            if name.startswith("data-") or (name in self.spoken and not is_silent):
                self.found.append(value or "")

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def find_words(source: str) -> Iterator[str]:
    """Yield text in the template *source* that no catalogue could translate."""
    tree = create_environment(DictLoader({})).parse(source)
    parser = _Words()
    parser.feed("".join(node.data for node in tree.find_all(nodes.TemplateData)))
    yield from (text for text in parser.found if re.search(r"[^\W\d_]", text))
    for output in tree.find_all(nodes.Output):
        # A constant that is shown as it stands: {{ "text" }}, {{ a or "text" }}.
        for part in output.nodes:
            if not isinstance(part, nodes.Call | nodes.TemplateData | nodes.Filter):
                constants = [part] if isinstance(part, nodes.Const) else []
                constants += part.find_all(nodes.Const)
                yield from (str(constant.value) for constant in constants)
    # Anywhere else: a constant that reads like words, and not like a name of ours.
    yield from (text for text in _constants(tree) if re.search(r"^[A-Z]|\w \w", text))


def _constants(node: nodes.Node) -> Iterator[str]:
    """Yield the text of every constant below *node* that is not a message."""
    is_message = (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name in GETTEXT
    )
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Const):
            if isinstance(child.value, str) and not is_message:
                yield child.value
        else:
            yield from _constants(child)


def find_shown(script: str) -> Iterator[str]:
    """Yield literals of *script* that people would read in one language."""
    code = COMMENT.sub("", script)
    for line in code.splitlines():
        shows = re.search(r"(?i)text|html|title|label|placeholder|alert\(", line)
        for _, literal in LITERAL.findall(line):
            text = re.sub(r"\$\{.*?\}", "", literal)
            is_prose = re.search(r"[a-z] [a-z]", text, re.IGNORECASE)
            if text != "use strict" and (is_prose or (shows and _is_word(text))):
                yield text


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[A-Z][a-z]+[.!]?", text) is not None


@pytest.mark.parametrize("name", sorted(p.name for p in TEMPLATES.glob("*.html")))
def test_template_says_nothing_outside_of_the_catalogue(name: str) -> None:
    """Every word of a page is a message (L-48)."""
    assert list(find_words((TEMPLATES / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{% trans %}Hello{% endtrans %}, you</p>",
        "<img alt='Hello'>",
        "<p data-done='Hello'></p>",
        "<p>{{ 'Hello' }}</p>",
        "<p>{{ name or 'Hello' }}</p>",
        "<p>{{ 'good day' | upper }}</p>",
        "{% set heading = 'Hello' %}",
        "{% set heading = 'good day' %}",
        "{% set heading = name or 'Hello' %}",
        "{{ macro('Hello') }}",
        "{% block main %}{% if x %}<p>Hello</p>{% endif %}{% endblock %}",
    ],
)
def test_stray_words_would_be_found(source: str) -> None:
    """The check above sees text, attributes and constants."""
    assert list(find_words(source))


@pytest.mark.parametrize("name", sorted(p.name for p in STATIC.glob("*.js")))
def test_script_says_nothing(name: str) -> None:
    """What a script shows stands in the page: a script speaks no language (L-48)."""
    assert list(find_shown((STATIC / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "script",
    [
        'hint.textContent = "Hello";',
        "hint.textContent = `${count} tries left`;",
        'alert("Hello");',
        'const text = "good day";',
        "button.setAttribute('aria-label', 'Show');",
    ],
)
def test_words_of_a_script_would_be_found(script: str) -> None:
    """The check above sees what is shown, in all three kinds of quotes."""
    assert list(find_shown(script))
