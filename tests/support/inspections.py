"""Questions to a running installation, each answered by whether all is well.

Law: an inspection is true for every proxy as shipped. One that sees nothing wrong where
nothing is answered leaves that to ``somebody_gets_in``. They are asked in the order of
``consequences.INSPECTIONS``, and one signs in for all that come after it, since a
password is slow to check on purpose.
"""

import http.client
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from forwardauth.request import MAX_URI_CHARACTERS
from tests.support.client import Headers, Reply
from tests.support.hearsay import OPEN_PAGE, VERIFY_PATHS
from tests.support.installation import COOKIE
from tests.support.processes import closed_connections
from tests.support.service import PASSWORD
from tests.support.visits import ADDRESS, Visit, has_reached

OFFICE: Final = "203.0.113.7"
"""The address that sees ``app2/office`` without signing in; nobody is there."""

_IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")
_ALICE: Final = ["alice", "admins,staff", "Alice Example", "alice@example.com"]

_CLAIMS: Final[tuple[Headers, ...]] = (
    [("Remote-User", "root"), ("Remote-Groups", "root"), ("Remote-Name", "root")],
    [("Remote-Email", "root@example.com")],
    [("Remote_User", "root"), ("Remote_Groups", "root")],
    [("Remote.User", "root")],
)
"""Who a client says it is, also in spellings that some applications fold."""

_TALES: Final[tuple[Headers, ...]] = (
    (),
    [("X-Forwarded-Host", "www.example.com")],
    [
        ("X-Forwarded-Host", "www.example.com"),
        ("X-Forwarded-Uri", "/"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Proto", "https"),
    ],
    [("X-Original-URL", "https://www.example.com/"), ("X-Original-Method", "GET")],
    [("X_Forwarded_Host", "www.example.com")],
    [("Forwarded", "host=www.example.com;proto=https")],
)
"""A client's word that it asks for the site that everybody may see."""

_FORGED: Final = "forged.example.net"
_RUMOURS: Final[tuple[Headers, ...]] = (
    [("X-Forwarded-For", _FORGED)],
    [("X-Forwarded-Host", _FORGED)],
    [("X-Forwarded-Method", _FORGED), ("X-Forwarded-Uri", f"/{_FORGED}")],
    [("X-Original-Method", _FORGED), ("X-Original-URL", f"/{_FORGED}")],
    [
        ("Forwarded", f"for={_FORGED};host={_FORGED}"),
        ("X-Forwarded-Port", _FORGED),
        ("X-Forwarded-Prefix", f"/{_FORGED}"),
        ("X-Rewrite-URL", f"/{_FORGED}"),
        ("X-Real-IP", _FORGED),
    ],
)
"""What frameworks may believe more than the request itself; by family, since the
service may refuse a request for one of them, which says nothing about the others."""

_UPGRADE: Final[Headers] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
]
_UPLOAD: Final = bytes(range(256)) * 512
_QUESTIONS: Final = 8
_LEAVER: Final = "leaver"


def nobody_gets_in_who_may_not(visit: Visit) -> bool:
    """Strangers and bob stay out, whatever they say and whoever asked before."""
    visit.as_user("alice").navigate("app1", "/inbox")
    visit.as_user("alice").navigate("app2", "/inbox")
    return HTTPStatus.OK not in _statuses_of_intruders(visit)


def _statuses_of_intruders(visit: Visit) -> Iterator[int]:
    bob = visit.as_user("bob")
    for tale in _TALES:
        yield visit.navigate("app1", "/inbox", headers=tale).status
        yield bob.navigate("app2", "/inbox", headers=tale).status
    yield visit.fetch("app1", "/inbox").status
    yield visit.send("HEAD", "app1", "/report").status
    yield visit.send("PUT", "app1", "/file", body=b"x").status
    head = f"GET {bob.site.url('app2')} HTTP/1.1\r\nHost: www.example.com"
    yield bob.send_raw("app2", head)


def nobody_claims_to_be_somebody(visit: Visit) -> bool:
    """No application hears of root, as far as it hears anything."""
    replies = (
        asking.navigate(name, headers=claims)
        for asking, name in ((visit, "www"), (visit.as_user("bob"), "app1"))
        for claims in _CLAIMS
    )
    return not any(b"root" in reply.body for reply in replies if has_reached(reply))


def nobody_chooses_an_address(visit: Visit) -> bool:
    """Nobody is at the office who only says so, to the rules or at the portal."""
    visit.sessions.pop(_LEAVER, None)
    if (session := _sign_in_from(OFFICE, visit)) is not None:
        visit.sessions[_LEAVER] = session
        if _address_at_portal(visit.as_user(_LEAVER)) == OFFICE:
            return False
    tales: tuple[Headers, ...] = (
        [("X-Forwarded-For", OFFICE)],
        [("X-Real-IP", OFFICE)],
        [("X-Forwarded-For", OFFICE), ("Connection", "close, X-Forwarded-For")],
    )
    replies = (visit.navigate("app2", "/office", headers=tale) for tale in tales)
    return not any(map(has_reached, replies))


def nothing_internal_is_reached(visit: Visit) -> bool:
    """Nobody asks through nginx's own location, or at the portal as a proxy does."""
    replies = [
        visit.as_user("alice").navigate("app1", "/_forwardauth/verify"),
        *(visit.send("GET", "auth", p, headers=OPEN_PAGE) for p in VERIFY_PATHS),
    ]
    return all(has_reached(each) or not each.lines("Remote-User") for each in replies)


def application_is_not_misled(visit: Visit) -> bool:
    """None of the headers that frameworks believe is the client's own."""
    alice = visit.as_user("alice")
    replies = [alice.navigate("app1", headers=rumours) for rumours in _RUMOURS]
    return not any(_FORGED.encode() in reply.body for reply in replies)


def unknown_claims_do_not_pass(visit: Visit) -> bool:
    """Nothing of the family passes, not even what the service never says."""
    claims = [("Remote-Roles", "root")]
    reply = visit.as_user("alice").navigate("app1", headers=claims)
    return b"root" not in reply.body


def strange_name_is_not_served(visit: Visit) -> bool:
    """A host that nobody serves gets no page."""
    port = visit.site.gateway.port
    head = f"GET / HTTP/1.1\r\nHost: unknown.example.com:{port}"
    return visit.send_raw("app1", head) in {0, 404, 421}


def somebody_gets_in(visit: Visit) -> bool:
    """Who has signed in reaches the application, and everybody the open one.

    So does who names no port, as browsers do that use the default one.
    """
    alice = visit.as_user("alice")
    return (
        has_reached(alice.navigate("app1"))
        and has_reached(visit.navigate("www"))
        and alice.send_raw("app1", "GET / HTTP/1.1\r\nHost: app1.example.com")
        == HTTPStatus.OK
    )


def application_learns_who_asks(visit: Visit) -> bool:
    """All four facts, wherever the middle of the path leads."""
    reply = visit.as_user("alice").navigate("app1")
    return [value for name in _IDENTITY for value in reply.reached(name)] == _ALICE


def service_learns_the_address(visit: Visit) -> bool:
    """Rules go by where the visitor is, who alone sees ``app2/desk``."""
    return has_reached(visit.navigate("app2", "/desk"))


def application_learns_the_origin(visit: Visit) -> bool:
    """Host, scheme and address are those of the request."""
    reply = visit.as_user("alice").navigate("app1")
    authority = urlsplit(visit.site.url("app1")).netloc
    return (
        reply.reached("Host") == [authority]
        and reply.reached("X-Forwarded-Proto") == ["https"]
        and reply.reached("X-Forwarded-For") == [ADDRESS]
    )


def people_can_sign_in(visit: Visit) -> bool:
    """To the portal by GET, programs by 401; there is a form, and it opens the site."""
    page, script = visit.navigate("app1", "/a?b=c"), visit.fetch("app1")
    form = visit.navigate("app1", "/form", method="POST")
    portal = visit.navigate("auth", "/login")
    return (
        page.status == HTTPStatus.FOUND
        and _leads_to_portal(visit, page, visit.site.url("app1", "/a?b=c"))
        and form.status == HTTPStatus.SEE_OTHER
        and _leads_to_portal(visit, form, visit.site.url("app1", "/form"))
        and script.status == HTTPStatus.UNAUTHORIZED
        and visit.site.url("auth", "").encode() in script.body
        and b"<form" in portal.body
        and _LEAVER in visit.sessions
        and has_reached(visit.as_user(_LEAVER).navigate("app1"))
    )


def nobody_else_signs_people_out(visit: Visit) -> bool:
    """An image in a foreign page ends nothing."""
    if _LEAVER not in visit.sessions:
        return True
    leaver = visit.as_user(_LEAVER)
    said = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]
    leaver.send("GET", "app1", "/logout", headers=[*said, ("Sec-Fetch-Dest", "image")])
    return leaver.fetch("app1").status != HTTPStatus.UNAUTHORIZED


def people_can_sign_out(visit: Visit) -> bool:
    """The link of the application ends the session and leads where it says."""
    if _LEAVER not in visit.sessions:
        return False
    target = visit.site.url("app1", "/bye")
    leaver = visit.as_user(_LEAVER)
    client = leaver.client()
    path = f"/logout?rd={quote(target, safe='')}"
    reply = client.navigate(visit.site.url("app1", path), site="same-origin")
    return (
        reply.lines("Location") == [target]
        and COOKIE not in client.jar.names()
        and leaver.fetch("app1").status == HTTPStatus.UNAUTHORIZED
    )


def refusal_is_explained(visit: Visit) -> bool:
    """Who may not is told so by 403, and shown the way out."""
    reply = visit.as_user("bob").navigate("app2")
    return reply.status == HTTPStatus.FORBIDDEN and b"/logout" in reply.body


def application_works(visit: Visit) -> bool:
    """WebSockets, uploads, cookies and refusals are the application's own."""
    alice = visit.as_user("alice")
    upgrade = alice.send("GET", "app1", "/websocket", headers=_UPGRADE)
    upload = alice.send("POST", "app1", "/upload", body=_UPLOAD)
    refusal = alice.navigate("app1", "/unauthorized")
    cookies = alice.navigate("app1", "/cookies").lines("Set-Cookie")
    return (
        upgrade.status == HTTPStatus.SWITCHING_PROTOCOLS
        and has_reached(upload)
        and upload.json()["body_bytes"] == len(_UPLOAD)
        and refusal.body == b"the application's own 401"
        and cookies == ["theme=dark; Path=/", "lang=en; Path=/; HttpOnly"]
    )


def long_address_is_decided(visit: Visit) -> bool:
    """The longest address that is read at all is decided like any other.

    So it is beside 7 kB of cookies, which applications on one domain come to.
    """
    cookies = [("Cookie", f"theme={'x' * 7000}")]
    path = "/" + "a" * 4000 + "?q="
    path += "b" * (MAX_URI_CHARACTERS - len(path))
    refused = visit.navigate("app1", path, headers=cookies)
    passed = visit.as_user("alice").navigate("app1", path, headers=cookies)
    return refused.status == HTTPStatus.FOUND and has_reached(passed)


def answers_are_not_kept(visit: Visit) -> bool:
    """What is answered in place of the application is for this request alone."""
    replies = (
        visit.navigate("app1"),
        visit.fetch("app1"),
        visit.as_user("bob").navigate("app2"),
    )
    return all(reply.lines("Cache-Control") == ["no-store"] for reply in replies)


def plain_http_leads_to_https(visit: Visit) -> bool:
    """Without TLS there is only the way to TLS."""
    (where,) = visit.send_plain("app1", "/inbox").lines("Location") or [""]
    return where.startswith("https://app1.example.com")


def connections_stay_open(visit: Visit) -> bool:
    """The proxy asks its questions over the connections that it has."""
    (service,) = visit.site.services
    (port,) = service.ports
    before = closed_connections(port)
    for _ in range(_QUESTIONS):
        visit.as_user("alice").fetch("app1")
    return len(closed_connections(port) - before) < _QUESTIONS // 2


def _leads_to_portal(visit: Visit, reply: Reply, url: str) -> bool:
    (location,) = reply.lines("Location") or [""]
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc}" == visit.site.url(
        "auth", ""
    ) and parse_qs(parts.query).get("rd") == [url]


def _address_at_portal(visit: Visit) -> str | None:
    """Return where the portal thinks that this very session came from."""
    reply = visit.fetch("auth", "/api/sessions")
    if reply.status != HTTPStatus.OK:
        return None
    sessions = reply.json()["data"]
    (address,) = (each["address"] for each in sessions if each["current"])
    return str(address)


def _sign_in_from(address: str, visit: Visit) -> str | None:
    client = visit.client()
    try:
        client.post_json(
            visit.site.url("auth", "/api/firstfactor"),
            {"username": "alice", "password": PASSWORD},
            headers=[
                ("Origin", visit.site.url("auth", "")),
                ("X-Forwarded-For", address),
                ("X-Real-IP", address),
            ],
        )
    except (OSError, http.client.HTTPException):
        return None
    return client.jar.value(COOKIE) if COOKIE in client.jar.names() else None
