"""Readings: which requests are plain, and that what is remembered is what was asked."""

from pathlib import Path
from typing import Final

import pytest

from forwardauth.adapters.base import RequestKind
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from forwardauth.web import keys
from forwardauth.web.reading import Reading
from forwardauth.web.readings import (
    MAX_CASES,
    MAX_MARKS,
    MAX_READINGS,
    MAX_WHOLE,
    Readings,
)
from forwardauth.web.said import MAX_BY_LINES, MAX_CHARACTERS, MAX_KINDS, MAX_SAYINGS
from tests.support.portal import APP, Portal

PEER: Final = "127.0.0.1"
URL: Final = f"X-Original-URL: https://{APP}/inbox?a=b"
METHOD: Final = "X-Original-Method: GET"
NGINX: Final = ("GET /verify/nginx HTTP/1.1", "Host: auth", URL, METHOD)
FORWARDED: Final = (
    "Host: auth",
    "X-Forwarded-Proto: https",
    f"X-Forwarded-Host: {APP}",
    "X-Forwarded-Uri: /inbox?a=b",
    "X-Forwarded-Method: POST",
)
ENVOY: Final = (f"Host: {APP}", "X-Forwarded-Proto: https")


def ask(readings: Readings, *lines: str, peer: str = PEER) -> Reading | None:
    """Return what a head of *lines* asks."""
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    read = readings.read(data, peer)
    return None if read is None else read[0]


def ask_again(readings: Readings, *lines: str, peer: str = PEER) -> Reading | None:
    """Return what a head of *lines* asks, as it is remembered from its second time."""
    ask(readings, *lines, peer=peer)
    return ask(readings, *lines, peer=peer)


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    """What the service would read."""
    app = Portal(tmp_path).app
    adapters = create_adapters(IdentityHeaders())
    return Readings(adapters, app[keys.SETTINGS], app[keys.ACCESS_CONTROL])


@pytest.mark.parametrize(
    ("lines", "method"),
    [
        pytest.param(NGINX, "GET", id="nginx"),
        pytest.param(
            ("GET /api/authz/auth-request HTTP/1.1", *NGINX[1:]), "GET", id="other path"
        ),
        pytest.param(
            ("GET /verify/traefik HTTP/1.1", *FORWARDED), "POST", id="traefik"
        ),
        pytest.param(("GET /verify/caddy HTTP/1.1", *FORWARDED), "POST", id="caddy"),
        pytest.param(
            ("GET /verify/haproxy HTTP/1.1", *FORWARDED), "POST", id="haproxy"
        ),
        pytest.param(
            ("PUT /verify/envoy/inbox?a=b HTTP/1.1", *ENVOY, "Content-Length: 0"),
            "PUT",
            id="envoy",
        ),
    ],
)
def test_plain_question_is_read(
    readings: Readings, lines: tuple[str, ...], method: str
) -> None:
    """The plain request of each proxy asks for what the browser asked for."""
    reading = ask(readings, *lines)

    assert reading is not None
    assert reading.question.original.url == f"https://{APP}/inbox?a=b"
    assert reading.question.original.method == method
    assert b"https://auth.example.com/login?rd=" in reading.sent_to_portal().now()


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("GET /login HTTP/1.1", "Host: auth"), id="portal"),
        pytest.param(("GET /verify/nginx/ HTTP/1.1", *NGINX[1:]), id="below"),
        pytest.param(("GET /verify/nginx?a HTTP/1.1", *NGINX[1:]), id="query"),
        pytest.param(("GET /verify/%6eginx HTTP/1.1", *NGINX[1:]), id="encoded"),
        pytest.param(("GET /verify/envoy HTTP/1.1", *ENVOY), id="envoy without path"),
        pytest.param(("GET /verify/envoyx/ HTTP/1.1", *ENVOY), id="envoy's neighbour"),
        pytest.param(("HEAD /verify/nginx HTTP/1.1", *NGINX[1:]), id="HEAD"),
        pytest.param(("GET /verify/nginx HTTP/1.0", *NGINX[1:]), id="HTTP/1.0"),
        pytest.param((*NGINX, "Connection: close"), id="last of its connection"),
        pytest.param((*NGINX, "Authorization: Basic eDp5"), id="Basic"),
        pytest.param((*NGINX, "Authorization: Bearer x"), id="Bearer"),
        pytest.param((*NGINX, "Expect: 100-continue"), id="Expect"),
        pytest.param((*NGINX, "Transfer-Encoding: chunked"), id="chunked"),
        pytest.param((*NGINX, "Content-Encoding: gzip"), id="packed"),
        pytest.param(
            (*NGINX, "Upgrade: websocket", "Connection: upgrade"), id="upgrade"
        ),
        pytest.param((*NGINX, "Upgrade: h2c"), id="upgrade alone"),
        pytest.param((*NGINX, URL), id="twice"),
        pytest.param((*NGINX[:3],), id="header missing"),
        pytest.param((*NGINX, "X_Original_URL: x"), id="alias (V-14)"),
        pytest.param((*NGINX, "Remote.User: root"), id="alias of identity (V-14)"),
        pytest.param((*NGINX, "X_Anything: x"), id="odd name"),
        pytest.param(
            (*NGINX[:2], "X-Original-URL: http://app.example.com/", METHOD),
            id="plain http",
        ),
        pytest.param(
            (*NGINX[:2], "X-Original-URL: https://elsewhere.test/", METHOD),
            id="unknown host",
        ),
        pytest.param((*NGINX[:3], "X-Original-Method: OPTIONS"), id="OPTIONS"),
        pytest.param(
            (
                "GET /verify/traefik HTTP/1.1",
                *FORWARDED[:3],
                "X-Forwarded-Uri: /logout?rd=x",
                FORWARDED[4],
            ),
            id="logout that is taken over",
        ),
    ],
)
def test_what_is_not_plain_is_not_read(
    readings: Readings, lines: tuple[str, ...]
) -> None:
    """Whatever has more to it is for the application, refusals too."""
    assert ask(readings, *lines) is None


def test_reading_is_remembered_by_all_that_it_depends_on(
    readings: Readings,
) -> None:
    """Another method, address, address of a browser or proxy is another question."""
    first = ask_again(readings, *NGINX)
    again = ask(readings, *NGINX, "Cookie: a=b", "X-Trace: 0af7")
    others = [
        ask(readings, *NGINX[:3], "X-Original-Method: POST"),
        ask(readings, *NGINX[:2], URL + "c", METHOD),
        ask(readings, *NGINX, "X-Forwarded-For: 192.0.2.1"),
        ask(readings, *NGINX, "X-Forwarded-For: 192.0.2.2"),
        ask(readings, *NGINX, peer="127.0.0.2"),
    ]

    assert again is first
    originals = [each.question.original for each in others if each is not None]
    assert len({str(each) for each in (first, *others)}) == 1 + len(others)
    assert [str(each.client) for each in originals[2:4]] == ["192.0.2.1", "192.0.2.2"]


def test_path_of_envoy_is_part_of_its_question(readings: Readings) -> None:
    """Method and target stand in the request line there, and host in ``Host``."""
    asked = [
        ("GET /verify/envoy/a HTTP/1.1", *ENVOY),
        ("GET /verify/envoy/b HTTP/1.1", *ENVOY),
        ("PUT /verify/envoy/b HTTP/1.1", *ENVOY),
        ("PUT /verify/envoy/b HTTP/1.1", "Host: www.example.com", ENVOY[1]),
    ]

    found = [ask(readings, *lines) for lines in asked]

    originals = [each.question.original for each in found if each is not None]
    assert [(o.method, o.host, o.path) for o in originals] == [
        ("GET", APP, "/a"),
        ("GET", APP, "/b"),
        ("PUT", APP, "/b"),
        ("PUT", "www.example.com", "/b"),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((*NGINX[:2], URL + "x" * MAX_CHARACTERS, METHOD), id="nginx"),
        pytest.param(
            (f"GET /verify/envoy/{'x' * MAX_CHARACTERS} HTTP/1.1", *ENVOY), id="envoy"
        ),
    ],
)
def test_long_question_is_read_and_not_remembered(
    readings: Readings, lines: tuple[str, ...]
) -> None:
    """Nobody fills our memory with long addresses, wherever they stand (V-42)."""
    first = ask_again(readings, *lines)
    again = ask(readings, *lines)

    assert first is not None
    assert again is not None
    assert again.question == first.question
    assert again is not first
    assert not readings._marks  # noqa: SLF001


def test_long_line_that_means_nothing_is_not_remembered(readings: Readings) -> None:
    """What is asked beside it is, as if it were not there (V-42)."""
    long = f"User-Agent: {'x' * MAX_CHARACTERS}"

    first = ask_again(readings, *NGINX, long)

    assert first is not None
    assert ask(readings, *NGINX, long) is first
    assert ask(readings, *NGINX, "User-Agent: x") is first
    known = repr((readings._sayings._by_lines, readings._whole))  # noqa: SLF001
    assert long not in known


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Accept"])
def test_long_line_beside_a_question_is_not_remembered(
    readings: Readings, name: str
) -> None:
    """Nor with long lists of addresses, or of what a browser would like (V-42)."""
    long = ", ".join(["192.0.2.1"] * MAX_CHARACTERS)

    reading = ask_again(readings, *NGINX, f"{name}: {long}")

    assert reading is not None
    assert not readings._sayings._by_lines  # noqa: SLF001
    assert readings._read.cache_info().currsize == 0  # noqa: SLF001
    assert readings._sayings._lookup_client.cache_info().currsize == 0  # noqa: SLF001
    assert readings._sayings._lookup_kind.cache_info().currsize == 0  # noqa: SLF001


def test_question_is_remembered_from_its_second_time(readings: Readings) -> None:
    """Most are asked once, and what is kept of them would only be in the way."""
    once, twice, thrice = (ask(readings, *NGINX) for _ in range(3))

    assert once is not None
    assert twice is not None
    assert twice.question == once.question
    assert twice is not once
    assert thrice is twice
    assert len(readings._whole) == 1  # noqa: SLF001


def test_number_of_readings_is_bounded(readings: Readings) -> None:
    """The oldest one is read anew when there have been too many others (V-42)."""
    first = ask_again(readings, *NGINX)
    for number in range(MAX_READINGS):
        ask_again(readings, *NGINX[:2], f"{URL}{number}", METHOD)
    readings._whole.clear()  # noqa: SLF001

    again = ask_again(readings, *NGINX)

    assert first is not None
    assert again is not None
    assert again.question == first.question
    assert again is not first
    assert readings._read.cache_info().currsize == MAX_READINGS  # noqa: SLF001


def test_number_of_marks_is_bounded(readings: Readings) -> None:
    """Who asks ever new questions leaves nothing of them behind (V-42)."""
    for number in range(MAX_MARKS + 10):
        ask(readings, *NGINX[:2], f"{URL}{number}", METHOD)

    assert 0 < len(readings._marks) <= MAX_MARKS  # noqa: SLF001
    assert readings._read.cache_info().currsize == 0  # noqa: SLF001
    assert not readings._whole  # noqa: SLF001


def test_number_of_known_heads_is_bounded(readings: Readings) -> None:
    """Nor do whole heads, of which the long ones are not known at all (V-42)."""
    for number in range(MAX_WHOLE + 10):
        ask(readings, *NGINX, f"X-Trace: {number}")
    ask_again(readings, *NGINX, f"X-Trace: {'x' * MAX_CHARACTERS}")

    assert 0 < len(readings._whole) <= MAX_WHOLE  # noqa: SLF001
    assert max(len(rest) for _, rest in readings._whole) <= MAX_CHARACTERS  # noqa: SLF001


def test_number_of_known_words_beside_a_target_is_bounded(readings: Readings) -> None:
    """Whoever says the same in ever new words fills no memory either (V-42)."""
    for number in range(MAX_BY_LINES + 10):
        assert ask(readings, *NGINX, f"User-Agent: {number}") is not None

    assert 0 < len(readings._sayings._by_lines) <= MAX_BY_LINES  # noqa: SLF001
    assert readings._sayings._find.cache_info().currsize == 1  # noqa: SLF001


def test_number_of_known_sayings_is_bounded(readings: Readings) -> None:
    """Nor does whoever says ever new things (V-42)."""
    for number in range(MAX_SAYINGS + 10):
        assert ask(readings, *NGINX, f"X-Requested-With: {number}") is not None

    assert readings._sayings._find.cache_info().currsize == MAX_SAYINGS  # noqa: SLF001


def test_other_words_beside_a_question_are_the_same_question(
    readings: Readings,
) -> None:
    """However many browsers ask it, and whatever they call themselves."""
    first = ask_again(readings, *NGINX)

    for number in range(MAX_BY_LINES * 2):
        assert ask(readings, *NGINX, f"User-Agent: {number}") is first


def test_same_lines_ask_another_thing_at_another_path(readings: Readings) -> None:
    """Each adapter reads them as its proxy means them (V-12)."""
    paths = ("/verify/traefik", "/verify/caddy", "/api/authz/forward-auth")

    for _ in range(3):
        found = [ask(readings, f"GET {path} HTTP/1.1", *FORWARDED) for path in paths]
        names = [each.adapter.name for each in found if each is not None]
        assert names == ["traefik", "caddy", "traefik"]


def test_known_words_hold_for_a_target_that_is_new(readings: Readings) -> None:
    """What they say beside it is found once, and read with each target."""
    found = [
        ask(readings, *NGINX[:2], f"{URL}{number}", METHOD, "X-Forwarded-For: 10.0.0.9")
        for number in range(3)
    ]

    originals = [each.question.original for each in found if each is not None]
    assert [each.query for each in originals] == ["a=b0", "a=b1", "a=b2"]
    assert {str(each.client) for each in originals} == {"10.0.0.9"}
    assert len(readings._sayings._by_lines) == 1  # noqa: SLF001


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("X-Forwarded-Uri: /elsewhere", id="target of another dialect"),
        pytest.param("X-Forwarded-Host: www.example.com", id="host of another dialect"),
    ],
)
def test_header_of_another_dialect_says_nothing(readings: Readings, line: str) -> None:
    """An adapter reads its own family alone, known words or not (V-12)."""
    plain = ask(readings, *NGINX)

    for _ in range(3):
        beside = ask(readings, *NGINX, line)
        assert plain is not None
        assert beside is not None
        assert beside.question == plain.question


def test_known_head_takes_any_plain_cookie_and_no_other(readings: Readings) -> None:
    """What was read of one person's request holds for another's, if that is plain."""
    first = ask_again(readings, *NGINX, "Cookie: a=b")

    assert first is not None
    assert ask(readings, *NGINX[:2], "Cookie: c=d", *NGINX[2:]) is first
    assert ask(readings, *NGINX) is first
    assert ask(readings, *NGINX, "Cookie: c=\xe9") is None
    assert ask(readings, *NGINX, "Cookie: c\n: d") is None
    assert ask(readings, *NGINX, "Cookie: c=d", "cookie: e=f") is None
    assert ask(readings, *NGINX, "", "Cookie: c=d") is None
    assert ask(readings, "Cookie: c=d", *NGINX) is None


def test_kind_of_the_request_is_part_of_what_is_asked(readings: Readings) -> None:
    """A page and a program that ask the same are told another way to sign in (V-29)."""
    kinds = [
        reading.kind
        for reading in (
            ask(readings, *NGINX),
            ask(readings, *NGINX, "Accept: text/html"),
            ask(readings, *NGINX, "Accept: text/html", "Sec-Fetch-Mode: cors"),
        )
        if reading is not None
    ]

    assert kinds == [RequestKind.FETCH, RequestKind.NAVIGATION, RequestKind.FETCH]


def test_number_of_known_kinds_is_bounded(readings: Readings) -> None:
    """Whoever says ever new things of a request does not fill our memory (V-42)."""
    for number in range(MAX_KINDS * 2):
        assert ask(readings, *NGINX, f"Accept: text/html;q=0.{number}") is not None

    assert readings._sayings._lookup_kind.cache_info().currsize == MAX_KINDS  # noqa: SLF001


def test_questions_that_the_rules_decide_alike_are_one_case(readings: Readings) -> None:
    """Who is asked about one address of an application is asked about all of them."""
    first = ask(readings, *NGINX)
    alike = ask(readings, *NGINX[:2], URL.replace("inbox", "outbox"), METHOD)
    other = ask(readings, *NGINX[:2], URL.replace(APP, "ops.example.com"), METHOD)

    assert first is not None
    assert alike is not None
    assert other is not None
    assert first.case == alike.case
    assert first.case != other.case
    assert first.selection.rules == alike.selection.rules


def test_number_of_cases_is_bounded(readings: Readings) -> None:
    """After too many they are told apart anew, and no number means two of them."""
    first = ask(readings, *NGINX)
    cases = readings._cases  # noqa: SLF001
    cases.update({(number,): -1 for number in range(MAX_CASES)})
    other = ask(readings, *NGINX[:2], URL.replace(APP, "ops.example.com"), METHOD)

    again = ask(readings, *NGINX[:3], "X-Original-Method: PUT")

    assert len(cases) <= MAX_CASES
    assert first is not None
    assert other is not None
    assert again is not None
    assert len({first.case, other.case, again.case}) == 3
