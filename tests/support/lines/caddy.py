"""The lines of ``deploy/caddy``."""

from typing import Final

from tests.support.consequences import Consequence as C  # noqa: N817 - a table's column
from tests.support.shipped_lines import Line, ShippedLines

_CADDYFILE = (
    Line("order request_header before forward_auth", C.IDENTITY_LOST),
    Line("(forwardauth) {", C.REFUSED_BY_PROXY),
    Line("request_header -Remote-*", C.CLAIM_PASSED),
    Line("request_header -*_*", C.NO_DIFFERENCE),
    Line("request_header -*.*", C.NO_DIFFERENCE),
    Line("request_header -Forwarded", C.APPLICATION_MISLED),
    Line("request_header -X-Forwarded-*", C.APPLICATION_MISLED),
    Line("request_header -X-Original-*", C.APPLICATION_MISLED),
    Line("request_header -X-Rewrite-*", C.APPLICATION_MISLED),
    Line("request_header -X-Real-IP", C.APPLICATION_MISLED),
    Line("forward_auth forwardauth:9091 {", C.OPENED),
    Line("uri /verify/caddy", C.REFUSED_BY_PROXY),
    Line("copy_headers Remote-User Remote-Groups …", C.IDENTITY_LOST),
    Line(
        "copy_headers Remote-User Remote-Groups …",
        C.IDENTITY_LOST,
        instead="copy_headers Remote-User",
    ),
    Line("import forwardauth", C.OPENED),
    Line("reverse_proxy forwardauth:9091 {", C.SIGN_IN_BROKEN),
    Line("header_up -X-Original-*", C.EXPOSED),
    Line("header_up -X-Forwarded-Method", C.NO_DIFFERENCE),
    Line("header_up -X-Forwarded-Uri", C.NO_DIFFERENCE),
    Line("https:// {", C.STRANGE_NAME_SERVED),
    Line("respond 421", C.STRANGE_NAME_SERVED),
)

CADDY: Final = ShippedLines(
    proxy="caddy",
    lines={"Caddyfile": _CADDYFILE},
    set_up={
        "Caddyfile": (
            "{",
            "http_port 80",
            "https_port 443",
            "admin off",
            # Bounds on waiting.
            "transport http {",
            "dial_timeout 3s",
            "response_header_timeout 10s",
            # Certificates and sites.
            "(certificate) {",
            "tls /etc/caddy/certificates/example.com.crt …",
            "import certificate",
            "auth.example.com {",
            "request_body {",
            "max_size 64KB",
            "www.example.com {",
            "app1.example.com {",
            "app2.example.com {",
            "reverse_proxy http://www:80",
            "reverse_proxy http://app1:80",
            "reverse_proxy http://app2:80",
        )
    },
)
