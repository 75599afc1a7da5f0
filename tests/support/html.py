"""Reads a page of ours, and checks what every page of ours has to keep.

``check_page`` is the contract: no inline code, a script only as a deferred file, a
button that needs it hidden at first, one heading, labelled inputs, a CSRF token in
every form that posts, nothing nested wrongly. It returns the page as a tree, so that a
test goes on with what is special about it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr".split()  # noqa: SIM905
)
REFERENCES = ("aria-labelledby", "aria-describedby", "for")


@dataclass(slots=True, kw_only=True)
class Element:
    """One element; an attribute without a value has the value ``""``."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, with single spaces."""
        return " ".join(self.raw_text.split())

    @property
    def raw_text(self) -> str:
        """All text inside, as it is written."""
        parts = (c if isinstance(c, str) else c.raw_text for c in self.children)
        return "".join(parts)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all below it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def find_all(self, tag: str, **attributes: str) -> list["Element"]:
        """Return all elements *tag* with these attributes; ``_`` stands for ``-``."""
        wanted = {
            name.strip("_").replace("_", "-"): v for name, v in attributes.items()
        }
        return [
            element
            for element in self.walk()
            if element.tag == tag and wanted.items() <= element.attributes.items()
        ]

    def find(self, tag: str, **attributes: str) -> "Element":
        """Return the one element like that; more or none fails the test."""
        found = self.find_all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]

    def fields(self) -> dict[str, str]:
        """Return what a browser would post of this form with nothing typed in."""
        return {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in self.find_all("input")
            if element.attributes.get("type") != "checkbox"
            or "checked" in element.attributes
        }


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element(tag="document")
        self.open = [self.root]
        self.doctype = ""

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl.lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} repeats an attribute"
        values = {name: value or "" for name, value in attrs}
        element = Element(tag=tag, attributes=values)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"comment {data!r}")


def parse_page(html: str) -> Element:
    """Return *html* as a tree; anything left open or nested wrongly fails the test."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.doctype == "doctype html"
    assert reader.open == [reader.root], f"open: {reader.open[-1].tag}"
    return reader.root


def check_page(html: str) -> Element:
    """Return *html* as a tree once it has kept everything that a page has to keep."""
    page = parse_page(html)
    _check_frame(page)
    _check_no_inline_code(page)
    _check_references(page)
    _check_controls(page)
    return page


def _check_frame(page: Element) -> None:
    root = page.find("html")
    assert root.attributes["lang"]
    assert root.attributes["dir"] in {"ltr", "rtl"}
    assert page.find("title").text
    assert page.find("main").find("h1").text
    assert page.find("meta", name="viewport").attributes["content"]
    levels = [int(e.tag[1]) for e in page.walk() if e.tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len([e for e in page.walk() if "autofocus" in e.attributes]) <= 1


def _check_no_inline_code(page: Element) -> None:
    for element in page.walk():
        assert element.tag not in {"style", "iframe", "object", "base"}
        if element.tag == "script":
            assert element.attributes.keys() == {"src", "defer"}
            assert not element.children
        assert "http-equiv" not in element.attributes
        for name, value in element.attributes.items():
            assert name != "style", f"{element.tag} has a style"
            assert not name.startswith("on"), f"{element.tag} has {name}"
            if name in {"href", "src", "action"}:
                assert value.startswith(("/", "https://", "http://")), value
                assert not value.startswith("//"), value


def _check_references(page: Element) -> None:
    ids = [e.attributes["id"] for e in page.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids)), "an id is used twice"
    for element in page.walk():
        for name in REFERENCES:
            for reference in element.attributes.get(name, "").split():
                assert reference in ids, f"{name} names {reference}"


def _check_controls(page: Element) -> None:
    labels = page.find_all("label")
    for control in page.find_all("input"):
        if control.attributes["type"] == "hidden":
            continue
        named = [
            label
            for label in labels
            if label.attributes.get("for") == control.attributes.get("id", "-")
            or any(element is control for element in label.walk())
        ]
        assert len(named) == 1, f"input {control.attributes['name']} has no label"
        assert named[0].text
    for element in [*page.find_all("button"), *page.find_all("a")]:
        assert element.text
        assert "href" in element.attributes or _is_usable(element)
    assert all("alt" in image.attributes for image in page.find_all("img"))
    for form in page.find_all("form"):
        assert form.attributes["method"] == "post"
        assert form.fields().get("csrf_token") or _only_chooses_a_language(form)
        assert form.find_all("button")


def _only_chooses_a_language(form: Element) -> bool:
    """Whether *form* is the switch, which says who may send it without a token."""
    names = {button.attributes.get("name") for button in form.find_all("button")}
    return form.attributes["action"].endswith("/language") and names == {"language"}


def _is_usable(button: Element) -> bool:
    """Whether *button* does something without scripts, or is not there without them."""
    return button.attributes["type"] == "submit" or "hidden" in button.attributes
