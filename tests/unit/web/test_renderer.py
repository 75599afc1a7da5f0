"""Templates of an operator: what works, and what must not spoil an answer."""

import logging
import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, meta, nodes

from forwardauth.web.assets import STATIC
from forwardauth.web.languages import load_languages
from forwardauth.web.pages import EndedScope
from forwardauth.web.renderer import TEMPLATES, Renderer, create_environment
from tests.support.html import check_page
from tests.support.pages import STATES, create_pages, signed_out

DOCUMENT = Path(__file__).parents[3] / "docs" / "templates.md"

CONTEXT: dict[str, object] = {
    "language": load_languages()["en"],
    "site_name": "",
    "home_url": "/",
    "language_switch": None,
    "asset": "/static/{}".format,
    "ended": "browser",
    "login_url": "/login",
    "everywhere_url": None,
    "logo_url": "/static/mark.svg",
    "footer": (),
}
SHIPPED = Renderer(None).render("logout.html", CONTEXT)


def render(folder: Path, name: str = "logout.html") -> str:
    return Renderer(folder).render(name, CONTEXT)


def test_replacement_is_shown(tmp_path: Path) -> None:
    """A file of the operator's folder takes the place of the shipped one (L-46)."""
    (tmp_path / "logout.html").write_text("<p>{{ ended }} {{ login_url }}</p>")

    assert render(tmp_path) == "<p>browser /login</p>"


def test_replacement_speaks_the_language(tmp_path: Path) -> None:
    """Shipped messages are translated in replacements as well (L-48)."""
    (tmp_path / "logout.html").write_text("<p>{{ _('Sign in again') }}</p>")

    page = Renderer(tmp_path).render(
        "logout.html", {**CONTEXT, "language": load_languages()["de"]}
    )

    assert page == "<p>Erneut anmelden</p>"


def test_replacement_counts(tmp_path: Path) -> None:
    """Texts of the operator's own may have a plural."""
    (tmp_path / "logout.html").write_text(
        "{% trans n=3 %}{{ n }} door{% pluralize %}{{ n }} doors{% endtrans %}"
    )

    assert render(tmp_path) == "3 doors"


def test_replaced_base_dresses_the_shipped_pages(tmp_path: Path) -> None:
    """Who replaces ``base.html`` alone keeps the words of the shipped pages."""
    (tmp_path / "base.html").write_text("<b>{% block main %}{% endblock %}</b>")

    page = render(tmp_path)

    assert page.startswith("<b>")
    assert "Sign in again" in page


def test_replacement_extends_the_shipped_base(tmp_path: Path) -> None:
    """A replacement may build on the shipped frame and on partial files of its own."""
    (tmp_path / "_footer.html").write_text("<p>Help: 123</p>")
    (tmp_path / "logout.html").write_text(
        '{% extends "base.html" %}{% set heading = "Bye" %}'
        '{% block main %}{% include "_footer.html" %}{% endblock %}'
    )

    page = render(tmp_path)

    assert "<title>Bye</title>" in page
    assert "<p>Help: 123</p>" in page


def test_values_are_escaped_in_replacements(tmp_path: Path) -> None:
    """An operator need not think of escaping (L-47)."""
    (tmp_path / "logout.html").write_text(
        "<p title={{ login_url }}>{{ login_url }}</p>"
    )

    page = Renderer(tmp_path).render(
        "logout.html", {**CONTEXT, "login_url": "<script>'\""}
    )

    assert "<script>" not in page
    assert "&lt;script&gt;&#39;&#34;" in page


@pytest.mark.parametrize(
    ("source", "line"),
    [
        pytest.param(b"<p>\n{% if %}", 2, id="syntax"),
        pytest.param(b"<p>\n\n{{ x | nosuch }}", 3, id="unknown filter"),
        pytest.param(b"<p>\n{{ nosuch }}", 2, id="undefined variable"),
        pytest.param(b"<p>{{ ended.nosuch.more }}", 1, id="undefined attribute"),
        pytest.param(b"<p>\n\n\n{{ 1 / 0 }}", 4, id="exception"),
        pytest.param(b"\n{{ asset() }}", 2, id="wrong call"),
        pytest.param(b"{% include 'logout.html' %}", 1, id="endless"),
        pytest.param(b"\n{% include '_missing.html' %}", 2, id="missing part"),
        pytest.param(b"\n{% extends 'base.html' %}", 2, id="block left out"),
        pytest.param(b"{% for a in b %}" * 21 + b"{% endfor %}" * 21, None, id="deep"),
        pytest.param(b"caf\xe9", None, id="not utf-8"),
    ],
)
def test_broken_replacement_falls_back(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    source: bytes,
    line: int | None,
) -> None:
    """Whatever is wrong, the shipped page is shown and the log says where (L-46)."""
    (tmp_path / "logout.html").write_bytes(source)
    renderer = Renderer(tmp_path)

    pages = {renderer.render("logout.html", CONTEXT) for _ in range(3)}

    assert pages == {SHIPPED}
    place = f"{tmp_path / 'logout.html'}, line {line or 'unknown'}:"
    assert [place in record.getMessage() for record in caplog.records] == [True]


def test_unreadable_replacement_falls_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be read is reported when the service starts (L-46)."""
    (tmp_path / "logout.html").mkdir()

    assert render(tmp_path) == SHIPPED
    assert str(tmp_path / "logout.html") in caplog.text


def test_missing_folder_falls_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is not there is reported and does no harm (L-46)."""
    assert render(tmp_path / "missing") == SHIPPED
    assert str(tmp_path / "missing") in caplog.text


def test_one_broken_file_leaves_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Files are replaced one by one: a broken frame does not cost the page in it."""
    (tmp_path / "base.html").write_text("{% block %}")
    (tmp_path / "logout.html").write_text(
        '{% extends "base.html" %}{% set heading = "Bye" %}'
        "{% block main %}{% endblock %}"
    )

    assert "<title>Bye</title>" in render(tmp_path)
    assert str(tmp_path / "base.html") in caplog.text


def test_fault_in_a_replaced_base_is_found_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the file that is at fault, not the page that was asked for."""
    (tmp_path / "base.html").write_text("<b>\n{{ nosuch }}")

    assert render(tmp_path) == SHIPPED
    assert f"{tmp_path / 'base.html'}, line 2:" in caplog.text


def test_log_does_not_hold_values_of_the_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The text of a foreign exception stays out: it may quote a token."""
    (tmp_path / "logout.html").write_text("{{ csrf_token.encode(csrf_token) }}")

    Renderer(tmp_path).render("logout.html", {**CONTEXT, "csrf_token": "s3cret"})

    assert "LookupError" in caplog.text
    assert "s3cret" not in caplog.text


def test_file_that_replaces_nothing_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A name with a typing mistake is found out; parts start with an underscore."""
    (tmp_path / "log-out.html").write_text("x")
    (tmp_path / "_footer.html").write_text("x")
    caplog.set_level(logging.WARNING)

    Renderer(tmp_path)

    assert "log-out.html replaces no page" in caplog.text
    assert "_footer.html" not in caplog.text


def test_change_waits_for_a_restart(tmp_path: Path) -> None:
    """Half-written files never reach a reader: the folder is read once."""
    file = tmp_path / "logout.html"
    file.write_text("first")
    renderer = Renderer(tmp_path)

    file.write_text("second")

    assert renderer.render("logout.html", CONTEXT) == "first"


def test_language_is_needed() -> None:
    """A page without a language is a mistake of ours, and is not hidden."""
    with pytest.raises(TypeError, match="language"):
        Renderer(None).render("logout.html", {**CONTEXT, "language": "en"})


# The page about templates.


def documented() -> dict[str, set[str]]:
    """Return the variables of each template, by the name of its section."""
    sections = re.split(r"(?m)^##+ `?(.*?)`?$", DOCUMENT.read_text())
    found: dict[str, set[str]] = {}
    for name, text in zip(sections[1::2], sections[2::2], strict=True):
        cells = re.findall(r"(?m)^\| (`.*?) \|", text)
        found[name] = set(re.findall(r"`(\w+)(?:\(x\))?`", " ".join(cells)))
    return found


FRAMES = {"base.html": {"heading", "layout"}, "_languages.html": set()}
COMMON = documented()["What every page can use"]
RENDERED = {
    "login.html": "login",
    "logout.html": "logout browser",
    "confirm.html": "confirm",
    "pending.html": "pending",
    "sessions.html": "home",
    "end_sessions.html": "end all",
    "account.html": "account",
    "password_changed.html": "password changed",
    "go_on.html": "go on",
    "forbidden.html": "forbidden",
    "error.html": "error internal",
}


def test_every_template_is_documented() -> None:
    """The page about templates has a section for each page, and the table each file."""
    files = {path.name for path in [*TEMPLATES.iterdir(), *STATIC.iterdir()]}
    pages = {name for name in files if not name.startswith("_")}

    static = {"style.css", "mark.svg", "portal.js", "strength.js"}
    assert pages == {*RENDERED, "base.html"} | static
    assert RENDERED.keys() <= documented().keys()
    assert all(f"`{name}`" in DOCUMENT.read_text() for name in files)


def used_variables(name: str) -> set[str]:
    """Return what the template *name* takes from its context, its parts included."""
    tree = create_environment(DictLoader({})).parse((TEMPLATES / name).read_text())
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    used = meta.find_undeclared_variables(tree)
    if name != "base.html":
        for part in tree.find_all(nodes.Include):
            assert isinstance(part.template, nodes.Const)
            used |= used_variables(part.template.value)
    return used - own - {"_", "gettext"} - COMMON


@pytest.mark.parametrize("name", [*RENDERED, "base.html", "_languages.html"])
def test_documented_variables_are_those_that_the_shipped_page_uses(name: str) -> None:
    """No variable of a shipped template is missing from the page about templates."""
    used = used_variables(name)

    assert used == FRAMES.get(name, documented().get(name, set()))


@pytest.mark.parametrize("name", RENDERED)
def test_documented_variables_exist(name: str, tmp_path: Path) -> None:
    """A replacement can use each variable that is documented for it."""
    variables = sorted(COMMON | documented()[name])
    source = "".join(f"{{% if {v} %}}{{% endif %}}{v}\n" for v in variables)
    (tmp_path / name).write_text(source)

    html = STATES[RENDERED[name]](create_pages(templates=tmp_path), "en")

    assert html.split() == variables


@pytest.mark.parametrize("ended", EndedScope)
def test_documented_example_works(ended: EndedScope, tmp_path: Path) -> None:
    """The example is a page that keeps the contract, and it is not the shipped one."""
    match = re.search(r"(?ms)^```html\n(.*?)^```$", DOCUMENT.read_text())
    assert match is not None
    (tmp_path / "logout.html").write_text(match[1])

    page = check_page(signed_out(create_pages(templates=tmp_path), ended=ended))

    assert "The wiki and the chat" in page.text
    assert page.find("a", href="/login").text == "Sign in again"
