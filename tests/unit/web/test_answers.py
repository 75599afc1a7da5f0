"""Answers as they leave: status, headers, and the very text that was checked."""

from collections.abc import Callable

import pytest
from aiohttp import web

from forwardauth.adapters.base import Answer
from forwardauth.domains import CookieDomain, Origin
from forwardauth.redirects import SafeTarget
from forwardauth.web.answers import (
    content_policy,
    from_adapter,
    json_answer,
    ko,
    ok,
    page,
    portal_url,
    see_other,
)
from tests.support.portal import Portal

PORTAL = Origin(scheme="https", host="auth.example.com")
DOMAIN = CookieDomain(name="example.com", portal=PORTAL)
# Made by hand, where ``check_target`` has its own tests.
TARGET = SafeTarget("https://app.example.com/a%7Eb?c=%c3&d=[e]~#f&g=1")
COOKIES = ("sid=; Path=/; Domain=example.com", "sid=; Path=/")

ANSWERS: dict[str, Callable[[], web.Response]] = {
    "redirect": lambda: see_other(TARGET, cookies=COOKIES, headers=[("X-A", "1")]),
    "page": lambda: page("<p>", cookies=COOKIES, headers=[("X-A", "1")]),
    "json": lambda: json_answer({}, cookies=COOKIES, headers=[("X-A", "1")]),
    "ok": lambda: ok(cookies=COOKIES, headers=[("X-A", "1")]),
    "ko": lambda: ko("no", status=400, cookies=COOKIES, headers=[("X-A", "1")]),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_answer_is_safe_to_receive(answer: Callable[[], web.Response]) -> None:
    """None is kept by a cache, sniffed at, or told of to another site (L-30)."""
    headers = answer().headers

    assert headers.getall("Cache-Control") == ["no-store"]
    assert headers.getall("X-Content-Type-Options") == ["nosniff"]
    assert headers.getall("Referrer-Policy") == ["no-referrer"]
    (vary,) = headers.getall("Vary")
    assert {"Sec-Fetch-Site", "Origin", "Cookie"} <= set(vary.split(", "))
    assert "ETag" not in headers
    assert "Last-Modified" not in headers


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_cookie_has_its_own_line(answer: Callable[[], web.Response]) -> None:
    """Lines of one name are not merged, and none replaces another (L-24)."""
    headers = answer().headers

    assert headers.getall("Set-Cookie") == list(COOKIES)
    assert headers.getall("X-A") == ["1"]


def test_redirect_sends_what_was_checked() -> None:
    """303 and the text itself: nothing is quoted again or normalised (L-38, L-39)."""
    response = see_other(TARGET)

    assert response.status == 303
    assert response.headers.getall("Location") == [TARGET]
    assert response.body is None


@pytest.mark.parametrize(
    ("domain", "path", "target", "expected"),
    [
        (DOMAIN, "/", None, "https://auth.example.com/"),
        (DOMAIN, "/signed-out", None, "https://auth.example.com/signed-out"),
        (
            DOMAIN,
            "/login",
            SafeTarget("https://app.example.com/?a=1&rd=%2F#x y"),
            (
                "https://auth.example.com/login?rd="
                "https%3A%2F%2Fapp.example.com%2F%3Fa%3D1%26rd%3D%252F%23x%20y"
            ),
        ),
        (
            CookieDomain(name="example.com", portal=PORTAL, base_path="/authenticate"),
            "/logout",
            None,
            "https://auth.example.com/authenticate/logout",
        ),
        (
            CookieDomain(
                name="example.localhost",
                portal=Origin(scheme="http", host="auth.example.localhost", port=8080),
            ),
            "/",
            None,
            "http://auth.example.localhost:8080/",
        ),
    ],
    ids=["root", "page", "with target", "base path", "localhost"],
)
def test_portal_url_is_absolute(
    domain: CookieDomain, path: str, target: SafeTarget | None, expected: str
) -> None:
    """It is made from the configuration; a target is encoded once, as a whole."""
    assert portal_url(domain, path, target=target) == expected


@pytest.mark.parametrize(
    ("origin", "place", "schemes"),
    [
        (None, "'self'", "https:"),
        (PORTAL, "https://auth.example.com", "https:"),
        (
            Origin(scheme="http", host="auth.example.localhost", port=8080),
            "http://auth.example.localhost:8080",
            "http: https:",
        ),
    ],
    ids=["anywhere", "portal", "localhost"],
)
def test_content_policy_forbids_what_pages_do_not_need(
    origin: Origin | None, place: str, schemes: str
) -> None:
    """No script, no frame, no base; style and images from the portal alone (L-47)."""
    assert content_policy(origin) == (
        f"default-src 'none'; style-src {place}; img-src {place}; base-uri 'none'; "
        f"form-action 'self' {schemes}; frame-ancestors 'none'"
    )


def test_content_policy_of_a_page_with_our_script() -> None:
    """Script and requests from the page's own host alone, nothing inline (L-47)."""
    assert content_policy(PORTAL, has_script=True) == (
        f"{content_policy(PORTAL)}; script-src 'self'; connect-src 'self'"
    )


def test_page_has_a_script_only_where_it_says_so() -> None:
    """A page that loads none may run none."""
    response = page("<p>", origin=PORTAL, has_script=True)

    policy = response.headers["Content-Security-Policy"]
    assert policy == content_policy(PORTAL, has_script=True)
    assert "script-src" not in page("<p>").headers["Content-Security-Policy"]


def test_page_is_html_under_the_policy() -> None:
    """The policy is a header of every page, and no argument takes it away (L-47)."""
    response = page("<p>ü", status=503, referrer="same-origin", origin=PORTAL)

    assert response.status == 503
    assert response.body == "<p>ü".encode()
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers.getall("Content-Security-Policy") == [
        content_policy(PORTAL)
    ]
    assert response.headers.getall("Referrer-Policy") == ["same-origin"]


@pytest.mark.parametrize(
    ("response", "status", "text"),
    [
        (ok(), 200, '{"status": "OK"}'),
        (ok({"a": 1}), 200, '{"status": "OK", "data": {"a": 1}}'),
        (ok([]), 200, '{"status": "OK", "data": []}'),
        (ok(data=False), 200, '{"status": "OK", "data": false}'),
        (ko("no", status=401), 401, '{"status": "KO", "message": "no"}'),
        (
            ko("ü", status=503, data={"pending": True}),
            503,
            '{"status": "KO", "message": "\\u00fc", "data": {"pending": true}}',
        ),
    ],
    ids=["ok", "data", "empty data", "false", "ko", "ko with data"],
)
def test_json_has_this_shape(response: web.Response, status: int, text: str) -> None:
    """The shape that Authelia's users have scripts for; data only where there is."""
    assert response.status == status
    assert response.text == text
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_answer_of_an_adapter_is_sent_as_it_is() -> None:
    """Every line of it, repeated ones too, and none of ours."""
    lines = (
        ("Content-Type", "application/json"),
        ("Vary", "Cookie"),
        ("Vary", "Authorization"),
        ("Location", TARGET),
    )

    response = from_adapter(Answer(status=401, headers=lines, body=b"{}"))

    assert response.status == 401
    assert response.body == b"{}"
    assert tuple(response.headers.items()) == lines


async def test_bare_answer_has_no_content_type(portal: Portal) -> None:
    """Where an adapter sends nothing, the server adds no type of its own (V-25)."""
    token, _ = await portal.create_session()

    reply = await portal.verify(token)

    assert (reply.status, reply.body) == (200, b"")
    assert reply.lines("Content-Type") == []


async def test_redirect_leaves_the_server_byte_for_byte(portal: Portal) -> None:
    """Neither our framework nor its URL library rewrites the target (L-38)."""
    target = "https://app.example.com/a%7Eb?c=%c3%A4&d=~;e=(1)#%66"
    encoded = target.replace("%", "%25").replace("&", "%26").replace("#", "%23")

    reply = await portal.send("GET", f"/logout?rd={encoded.replace(';', '%3B')}")

    assert reply.header("Location") == target
