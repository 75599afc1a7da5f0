"""Requests that nobody should send, made from a seed.

A conversation is everything that is written on one connection. It has a secret of its
own, which stands in its cookies and passwords alone: whatever comes back with it quotes
what no script may read.

Plain random numbers: strategies of Hypothesis took far longer to make
a conversation than the service takes to answer it.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final

SECRET: Final = b"V3ryS3cr3tV4lu3"
"""Stands for a session cookie, which no answer and no line of the log may hold."""

PATHS: Final = (
    *(f"/verify/{name}" for name in ("nginx", "traefik", "caddy", "haproxy")),
    *(f"/api/authz/{name}" for name in ("auth-request", "forward-auth")),
    *(
        f"{top}{path}"
        for top in ("/verify/envoy", "/api/authz/ext-authz")
        for path in ("", "/", "/a/b?c=d", "/logout")
    ),
    *("/", "/login", "/logout", "/signed-out", "/link", "/link/finish", "/sessions"),
    *("/api/firstfactor", "/api/state", "/api/sessions", "/api/sessions/x"),
    *("/api/logout", "/api/checks/safe-redirection", "/api/health"),
    *("/static/style.css", "/static/..", "/.well-known/jwks.json", "/nowhere"),
)
HOSTS: Final = ("auth.example.com", "app.example.com", "forwardauth", "evil.test")
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"),
    *("PRI", "get", "GE T", "", "M-SEARCH", "PROPFIND", "G\0T", "A" * 5000),
)
VERSIONS: Final = (
    *(b" HTTP/1.0", b"", b" HTTP/0.9", b" HTTP/2.0", b" HTTP/1.2", b" http/1.1"),
    *(b" HTTP/1.1 x", b" HTTP/11", b"\tHTTP/1.1", b" ICY/1.1", b"  HTTP/1.1"),
)
ENDS: Final = (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\0\r\n", b"\r\n ")

FORWARDED: Final = (
    b"X-Original-URL: https://app.example.com/",
    b"X-Original-Method: GET",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: app.example.com",
    b"X-Forwarded-Uri: /",
    b"X-Forwarded-Method: GET",
    b"X-Forwarded-For: 192.0.2.1",
)
SECRETS: Final = (
    b"Cookie: forwardauth_session=" + SECRET,
    b"Cookie: a=b; forwardauth_session=" + SECRET + b"; forwardauth_session=x",
    b"Cookie: \xff=" + SECRET,
    b"Authorization: Basic " + SECRET,
    b"Authorization: Bearer " + SECRET,
)
BROWSER: Final = (
    b"Accept: text/html",
    b"Sec-Fetch-Mode: navigate",
    b"Sec-Fetch-Dest: document",
    b"Sec-Fetch-Site: none",
    b"Sec-Fetch-Site: same-origin",
    b"Origin: https://auth.example.com",
    b"Origin: null",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: application/json",
    b"Content-Encoding: gzip",
    b"Accept-Language: de, ja;q=0.5",
    b"X-Requested-With: XMLHttpRequest",
    b"Access-Control-Request-Method: GET",
)
PROTOCOL: Final = (
    b"Connection: close",
    b"Connection: keep-alive, X-Forwarded-Host, Cookie",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5",
    b"Sec-WebSocket-Version: 13",
    b"Expect: 100-continue",
    b"Expect: everything",
    b"Trailer: Cookie",
    b"TE: trailers, chunked",
    b"Range: bytes=0-1",
    b"If-None-Match: *",
    b"Max-Forwards: 0",
)
FRAMING: Final = (
    *(
        b"Content-Length: " + value
        for value in (
            b"0",
            b"4",
            b"+4",
            b"-1",
            b"4, 4",
            b"04",
            b"0x4",
            b"4 ",
            b"1e1",
            b"",
            b"18446744073709551616",
            b"999999999999",
            b"\xd9\xa4",
        )
    ),
    *(
        b"Transfer-Encoding: " + value
        for value in (
            b"chunked",
            b"Chunked",
            b"chunked, identity",
            b"identity",
            b"xchunked",
            b"",
            b"gzip, chunked",
            b"chunked, chunked",
            b"\x0bchunked",
            b"chunked;q=1",
        )
    ),
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer_Encoding: chunked",
    b"Content_Length: 4",
)
ODD: Final = (
    *(
        b"Host: " + value
        for value in (
            b"app.example.com",
            b"a b",
            b"",
            b"[::1",
            b"a@b",
            b"auth.example.com:x",
            b"\xc3\xa9.example.com",
            b"auth.example.com.",
            b"AUTH.EXAMPLE.COM",
        )
    ),
    b"X_Forwarded_Host: public.example.com",
    b"x-forwarded-uri: /public",
    b"X-Forwarded-Uri: /\xff\x00",
    b"X-Original-URL: https://app.example.com/\xc3\xa9%zz%00",
    b"X-Original-URL: https://auth.example.com/logout?rd=//evil.test",
    b"Remote-User: root",
    b": empty",
    b"no colon",
    b"a b: c",
    b"folded: a\r\n b\r\n\tc",
    b"bare: a\rb",
    b"null: a\0b",
    b"bytes: \x80\xff",
    b"controls: \x01\x7f",
    b"",
)
ODD_PARTS: Final = (
    *("%", "%2", "%zz", "%00", "%2e", "%2F", "%5c", "%ff", "%25", "..", "//", ";"),
    *("\\", "#", "?", "&rd=", "=", "a", "é", "@", ":"),
)
FAMILIES: Final = (
    (SECRETS, 2, 2),
    (BROWSER, 4, 2),
    (PROTOCOL, 2, 4),
    (FRAMING, 2, 10),
    ((*ODD, *FORWARDED), 2, 14),
)
"""Headers, how many of them at most, and in one of how many requests."""

BODIES: Final = (
    b"",
    b"body",
    b"a=b&rd=https://app.example.com/",
    b"{}",
    b'{"targetURL": 1}',
    b"4\r\nbody\r\n0\r\n\r\n",
    b"4;ext=1\r\nbody\r\n0\r\nCookie: x=y\r\n\r\n",
    b"4\nbody\n0\n\n",
    b"0x4\r\nbody\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nbody",
    b"4\r\nbodyX\r\n0\r\n\r\n",
    b"-1\r\n\r\n",
    b"0\r\n\r\n",
    b"0\r\nx: y",
    b"4\r\nbo",
)
ALIEN: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /login\r\n",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
    b"\r\n" * 1000,
    b"\0" * 1000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is written on one connection, piece by piece.

    Attributes:
        pieces: Anything from a byte to several requests.
        requests: How many were meant.
        pause_seconds: Between two pieces; enough for an answer, or nothing.
    """

    pieces: tuple[bytes, ...]
    requests: int
    pause_seconds: float


_PAUSE_SECONDS: Final = 0.03
LONG: Final = (8190, 65_000, 131_072, 131_073, 300_000)


def create_conversation(random: Random) -> Conversation:
    """Return up to five hostile requests, at once, one by one, or in any pieces.

    Those that come at once stand and fall together: a fault behind a request that has
    not been answered yet takes the answer along.
    """
    requests = []
    for _ in range(random.randint(1, 5)):
        request = bytearray(_request(random))
        if _happens(random, 10):
            for _ in range(random.randint(1, 3)):
                _mutate(random, request)
        requests.append(bytes(request))
    one_by_one = _happens(random, 2)
    return Conversation(
        pieces=tuple(requests) if one_by_one else _cut(random, b"".join(requests)),
        requests=len(requests),
        pause_seconds=_PAUSE_SECONDS if one_by_one else 0,
    )


def _happens(random: Random, once_in: int) -> bool:
    return random.randrange(once_in) == 0


def _request(random: Random) -> bytes:
    if _happens(random, 60):
        some = random.randbytes(random.randint(1, 200))
        return random.choice((*ALIEN, some, some))
    head = _head(random)
    if not _happens(random, 3):
        return head
    body = random.choice(BODIES)
    if not _happens(random, 5):
        return b"%sContent-Length: %d\r\n\r\n%s" % (head[:-2], len(body), body)
    return head + body


def _head(random: Random) -> bytes:
    lines = [b"Host: " + random.choice((*[HOSTS[0]] * 6, *HOSTS)).encode()]
    if _happens(random, 25):
        lines *= random.choice((0, 2))
    if not _happens(random, 4):
        lines += FORWARDED
    for family, most, once_in in FAMILIES:
        if _happens(random, once_in):
            lines += random.choices(family, k=random.randint(1, most))
    if _happens(random, 60):
        lines += [b"x: y"] * random.choice((120, 129, 1000, 10_000))
    if _happens(random, 60):
        lines.append(b"y: " + b"a" * random.choice(LONG))
    if _happens(random, 4):
        random.shuffle(lines)
    end = random.choice(ENDS) if _happens(random, 60) else b"\r\n"
    return end.join((_start_line(random), *lines, b"", b""))


def _start_line(random: Random) -> bytes:
    method = random.choice(METHODS if _happens(random, 12) else ("GET", "POST"))
    version = random.choice(VERSIONS) if _happens(random, 30) else b" HTTP/1.1"
    return method.encode() + b" " + _target(random).encode() + version


def _target(random: Random) -> str:
    path = random.choice(PATHS)
    if _happens(random, 10):
        odd = "".join(random.choices(ODD_PARTS, k=random.randint(0, 8)))
        path += random.choice((odd, f"?{odd}", "a" * random.choice(LONG)))
    if _happens(random, 20):
        host = random.choice(HOSTS)
        forms = (f"http://{host}{path}", f"https://{host}", "*", f"{host}:443", "")
        odd_forms = (f"//{host}{path}", f"http://[::{path}", path[1:], f"{path} x")
        return random.choice((*forms, *odd_forms))
    return path


def _mutate(random: Random, data: bytearray) -> None:
    place = random.randint(0, min(len(data), 600))
    match random.randrange(4):
        case 0:
            odd = (*ENDS, b"\xff", b" ", b":", b"0", b"\t", b",")
            data[place:place] = random.choice(odd)
        case 1:
            del data[place : place + random.randint(1, 4)]
        case 2:
            data[place : place + 1] = random.randbytes(1)
        case _:
            del data[place + random.randint(0, 200) :]


def _cut(random: Random, data: bytes) -> tuple[bytes, ...]:
    places: list[int] = []
    match random.randrange(8):
        case 0 if len(data) < 2000:
            places = list(range(len(data)))
        case 1 | 2:
            places = random.choices(range(2000), k=random.randint(1, 10))
        case 3:
            # Between the lines, and in the middle of each end of a line.
            places = [n for n, byte in enumerate(data[:5000]) if byte in b"\r\n"]
        case _:
            pass
    marks = sorted({0, len(data), *(min(place, len(data)) for place in places)})
    return tuple(data[a:b] for a, b in pairwise(marks))
