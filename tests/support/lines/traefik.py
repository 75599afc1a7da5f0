"""The lines of ``deploy/traefik``."""

from typing import Final

from tests.support.consequences import Consequence as C  # noqa: N817 - a table's column
from tests.support.shipped_lines import Line, ShippedLines

_STATIC = (
    Line("aliasHeadersStrategy: delete", C.NO_DIFFERENCE),
    Line("middlewares: [clean@file]", C.EXPOSED),
    Line(
        'address: ":443"',
        C.OPENED,
        instead='address: ":443"\nforwardedHeaders: {insecure: true}',
    ),
)

_ROUTES = (
    Line("clean:", C.CLOSED),
    Line('Forwarded: ""', C.APPLICATION_MISLED),
    Line('X-Original-Method: ""', C.APPLICATION_MISLED),
    Line('X-Original-URL: ""', C.APPLICATION_MISLED),
    Line('X-Rewrite-URL: ""', C.APPLICATION_MISLED),
    Line("forwardAuth:", C.CLOSED),
    Line("address: http://forwardauth:9091/verify/traefik", C.CLOSED),
    Line("trustForwardHeader: true", C.NO_DIFFERENCE),
    Line("authResponseHeaders:", C.IDENTITY_FORGEABLE),
    Line("- Remote-User", C.IDENTITY_FORGEABLE),
    Line("- Remote-Groups", C.IDENTITY_FORGEABLE),
    Line("- Remote-Name", C.IDENTITY_FORGEABLE),
    Line("- Remote-Email", C.IDENTITY_FORGEABLE),
    Line("addAuthCookiesToResponse:", C.NO_DIFFERENCE),
    Line("preserveLocationHeader: true", C.NO_DIFFERENCE),
    Line("maxResponseBodySize: 65536", C.NO_DIFFERENCE),
    Line("middlewares: [forwardauth]", C.OPENED),
)

TRAEFIK: Final = ShippedLines(
    proxy="traefik",
    lines={"traefik.yaml": _STATIC, "dynamic/routes.yaml": _ROUTES},
    set_up={
        "traefik.yaml": (
            "global:",
            "checkNewVersion: false",
            "sendAnonymousUsage: false",
            "log:",
            "level: INFO",
            "accessLog: {}",
            "entryPoints:",
            "web:",
            'address: ":80"',
            "http:",
            "redirections:",
            "entryPoint:",
            "to: websecure",
            "scheme: https",
            "websecure:",
            "tls: {}",
            "providers:",
            "file:",
            "directory: /etc/traefik/dynamic",
            "watch: true",
        ),
        # The list's one entry, and routers and services of the sites.
        "dynamic/routes.yaml": (
            "- forwardauth_session",
            "http:",
            "middlewares:",
            "headers:",
            "customRequestHeaders:",
            "forwardauth:",
            "routers:",
            "portal:",
            "www:",
            "app1:",
            "app2:",
            "rule: …",
            "entryPoints: [websecure]",
            "service: …",
            "services:",
            "loadBalancer:",
            "servers:",
            "- url: …",
        ),
    },
    # The middleware knows no names that only begin alike.
    tolerated=frozenset({C.CLAIM_PASSED}),
)
