"""What another site can make a browser do: it ends no session behind our back."""

import json
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.foreign_site import ForeignSite
from tests.support.installation import COOKIE
from tests.support.visitor import PAGE, Visitor

CONFIRM: Final = "Do you want to sign out?"
SIGNED_OUT: Final = "You are signed out"
WHERE = pytest.mark.parametrize("name", ["app1", "auth"])

SILENT: Final = """\
<script>
  const answered = [];
  function add(name, attributes) {
    const element = Object.assign(document.createElement(name), attributes);
    answered.push(new Promise((done) => element.onload = element.onerror = done));
    document.body.append(element);
  }
  for (const url of URLS) {
    add("img", {src: url + "?by=image"});
    add("script", {src: url + "?by=script"});
    add("link", {rel: "stylesheet", href: url + "?by=style"});
    add("link", {rel: "prefetch", href: url + "?by=prefetch"});
    add("iframe", {src: url + "?by=frame"});
    const form = Object.assign(
      document.createElement("form"), {method: "post", action: url + "?by=form"});
    document.body.append(form);
    form.target = "at " + url;
    add("iframe", {name: form.target});
    form.submit();
    const anyway = {mode: "no-cors", credentials: "include"};
    answered.push(fetch(url + "?by=get", anyway));
    answered.push(fetch(url + "?by=post", {method: "POST", body: "{}", ...anyway}));
  }
  Promise.all(answered).then(() => document.title = "Done");
</script>
"""
SILENT_WAYS: Final = (
    *("image", "frame", "script", "style", "prefetch", "form", "get", "post"),
)
"""What a page can do without its reader's doing, each named in its address."""

LINK: Final = '<a href="{url}">Free kittens</a>'
FORM: Final = (
    '<form method="post" action="{url}"></form>'
    "<script>document.forms[0].submit()</script>"
)


def visit(page: Page, url: str) -> set[str]:
    """Open a page that tries ``SILENT_WAYS``, and return the addresses it tried.

    Each has been answered then.
    """
    tried: set[str] = set()
    page.on("request", lambda each: tried.add(each.url))
    page.goto(url)
    expect(page).to_have_title("Done")
    return tried


def assert_ended(visitor: Visitor, token: str) -> None:
    """Check that the session is over, in the browser and for who copied the cookie."""
    assert COOKIE not in visitor.cookie_names()
    thief = visitor.site.holding(token)
    assert thief.fetch(visitor.site.url("app1")).status == 401


def test_page_of_another_site_ends_nothing_by_itself(
    visitor: Visitor, context: BrowserContext, foreign_site: ForeignSite
) -> None:
    """No image, frame, script, prefetch, hidden form or request does (L-16 to L-21)."""
    visitor.has_signed_in()
    token = visitor.token()
    places = (("app1", "/logout"), ("auth", "/logout"), ("auth", "/api/logout"))
    urls = [visitor.site.url(name, path) for name, path in places]
    page = foreign_site.show(SILENT.replace("URLS", json.dumps(urls)))

    tried = visit(context.new_page(), page)

    assert tried >= {f"{url}?by={way}" for url in urls for way in SILENT_WAYS}
    assert visitor.token() == token
    visitor.open("app2")
    visitor.is_greeted("app2")


@WHERE
def test_link_of_another_site_ends_the_session_by_our_button(
    visitor: Visitor, foreign_site: ForeignSite, name: str
) -> None:
    """A page asks first, knows who is meant, and keeps the target (L-17)."""
    target = visitor.site.url("www", PAGE)
    visitor.has_signed_in()
    token = visitor.token()
    url = visitor.site.url(name, f"/logout?rd={quote(target, safe='')}")
    visitor.page.goto(foreign_site.show(LINK.format(url=url)))

    visitor.click("Free kittens")
    visitor.sees(CONFIRM)
    other = visitor.in_another_window()
    other.open("app2")
    other.is_greeted("app2")
    visitor.page.get_by_text("You are signed in as alice.").wait_for()
    visitor.press("Sign out")

    visitor.sees("www greets nobody")
    assert visitor.page.url == target
    assert_ended(visitor, token)


@WHERE
def test_form_of_another_site_ends_the_session_by_our_button(
    visitor: Visitor, foreign_site: ForeignSite, name: str
) -> None:
    """The browser comes without its cookie, and must not lose it for that (L-19)."""
    visitor.has_signed_in()
    token = visitor.token()
    url = visitor.site.url(name, "/logout")

    visitor.page.goto(foreign_site.show(FORM.format(url=url)))
    visitor.sees(CONFIRM)
    kept = visitor.token()
    other = visitor.in_another_window()
    other.open("app2")
    other.is_greeted("app2")
    visitor.press("Sign out")

    visitor.sees(SIGNED_OUT)
    assert kept == token
    assert_ended(visitor, token)


@WHERE
def test_strict_cookie_leaves_no_session_behind(
    strict_visitor: Visitor, foreign_site: ForeignSite, name: str
) -> None:
    """The button posts from our own page, and so the cookie goes along (L-19)."""
    visitor = strict_visitor
    visitor.has_signed_in()
    token = visitor.token()
    url = visitor.site.url(name, "/logout")
    visitor.page.goto(foreign_site.show(LINK.format(url=url)))

    visitor.click("Free kittens")
    visitor.sees(CONFIRM)
    kept = visitor.token()
    visitor.press("Sign out")

    visitor.sees(SIGNED_OUT)
    assert kept == token
    assert_ended(visitor, token)


def test_strict_cookie_lets_nobody_be_told_of_a_logout(
    strict_visitor: Visitor, foreign_site: ForeignSite
) -> None:
    """A link to the page after a logout shows what is true: nothing ended (L-19)."""
    visitor = strict_visitor
    visitor.has_signed_in()
    url = visitor.site.url("auth", "/signed-out")
    visitor.page.goto(foreign_site.show(LINK.format(url=url)))

    visitor.click("Free kittens")

    visitor.sees("Your sessions")


def test_strict_cookie_still_opens_an_application_from_another_site(
    strict_visitor: Visitor, foreign_site: ForeignSite
) -> None:
    """Who is signed in gets there without being asked again."""
    visitor = strict_visitor
    visitor.has_signed_in()
    url = visitor.site.url("app1", PAGE)
    visitor.page.goto(foreign_site.show(LINK.format(url=url)))

    visitor.click("Free kittens")

    visitor.is_greeted("app1")
