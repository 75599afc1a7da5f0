"""Which line of which proxy's configuration is to blame, by what was seen.

The lines are those of ``deploy/``; a proxy that is not known is told of all of them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """What a proxy does wrong."""

    NOT_ASKED = "not_asked"
    QUESTION = "question"
    ENDPOINT = "endpoint"
    NOT_ANSWERED = "not_answered"
    NO_REDIRECT = "no_redirect"
    IDENTITY = "identity"
    ALIAS = "alias"
    IDENTITY_LOST = "identity_lost"
    CLIENT = "client"
    SCHEME = "scheme"
    PORTAL = "portal"
    HOST = "host"
    ORIGINAL_PASSED = "original_passed"
    FORWARDED_PASSED = "forwarded_passed"


Line = tuple[str, str]
"""A file below ``deploy/<proxy>/``, and a line in it."""

_NGINX: Final[Mapping[Fault, Line]] = {
    Fault.NOT_ASKED: (
        "forwardauth-location.conf",
        "auth_request /_forwardauth/verify;",
    ),
    Fault.ENDPOINT: (
        "forwardauth-server.conf",
        "proxy_pass http://forwardauth/verify/nginx;",
    ),
    Fault.QUESTION: (
        "forwardauth-server.conf",
        "proxy_set_header X-Original-URL $scheme://$forwardauth_authority$request_uri;",
    ),
    Fault.NOT_ANSWERED: (
        "forwardauth-server.conf",
        "proxy_pass http://forwardauth/verify/nginx;",
    ),
    Fault.NO_REDIRECT: (
        "forwardauth-location.conf",
        "error_page 401 = @forwardauth_sign_in;",
    ),
    Fault.IDENTITY: (
        "forwardauth-location.conf",
        "proxy_set_header Remote-User $forwardauth_user;",
    ),
    Fault.IDENTITY_LOST: (
        "forwardauth-location.conf",
        "proxy_set_header Remote-User $forwardauth_user;",
    ),
    Fault.CLIENT: (
        "forwardauth-portal.conf",
        "proxy_set_header X-Forwarded-For $remote_addr;",
    ),
    Fault.SCHEME: (
        "forwardauth-portal.conf",
        "proxy_set_header X-Forwarded-Proto $scheme;",
    ),
    Fault.PORTAL: ("nginx.conf", "proxy_pass http://forwardauth;"),
    Fault.HOST: (
        "forwardauth-portal.conf",
        "proxy_set_header Host $forwardauth_authority;",
    ),
    Fault.ORIGINAL_PASSED: (
        "forwardauth-portal.conf",
        'proxy_set_header X-Original-URL "";',
    ),
    Fault.FORWARDED_PASSED: (
        "forwardauth-portal.conf",
        'proxy_set_header X-Forwarded-Uri "";',
    ),
}
_TRAEFIK: Final[Mapping[Fault, Line]] = {
    Fault.NOT_ASKED: ("dynamic/routes.yaml", "middlewares: [forwardauth]"),
    Fault.ENDPOINT: (
        "dynamic/routes.yaml",
        "address: http://forwardauth:9091/verify/traefik",
    ),
    Fault.QUESTION: ("traefik.yaml", 'address: ":443"'),
    Fault.NOT_ANSWERED: (
        "dynamic/routes.yaml",
        "address: http://forwardauth:9091/verify/traefik",
    ),
    Fault.NO_REDIRECT: (
        "dynamic/routes.yaml",
        "address: http://forwardauth:9091/verify/traefik",
    ),
    Fault.IDENTITY: ("dynamic/routes.yaml", "authResponseHeaders:"),
    Fault.ALIAS: ("traefik.yaml", "aliasHeadersStrategy: delete"),
    Fault.IDENTITY_LOST: ("dynamic/routes.yaml", "authResponseHeaders:"),
    Fault.CLIENT: ("traefik.yaml", 'address: ":443"'),
    Fault.SCHEME: ("traefik.yaml", 'address: ":443"'),
    Fault.PORTAL: ("dynamic/routes.yaml", "rule: Host(`auth.example.com`)"),
    Fault.HOST: ("dynamic/routes.yaml", "- url: http://forwardauth:9091"),
    Fault.ORIGINAL_PASSED: ("traefik.yaml", "middlewares: [clean@file]"),
    Fault.FORWARDED_PASSED: ("traefik.yaml", 'address: ":443"'),
}
_CADDY: Final[Mapping[Fault, Line]] = {
    Fault.NOT_ASKED: ("Caddyfile", "import forwardauth"),
    Fault.ENDPOINT: ("Caddyfile", "uri /verify/caddy"),
    Fault.QUESTION: ("Caddyfile", "request_header -X-Forwarded-*"),
    Fault.NOT_ANSWERED: ("Caddyfile", "forward_auth forwardauth:9091 {"),
    Fault.NO_REDIRECT: ("Caddyfile", "uri /verify/caddy"),
    Fault.IDENTITY: ("Caddyfile", "request_header -Remote-*"),
    Fault.ALIAS: ("Caddyfile", "request_header -*_*"),
    Fault.IDENTITY_LOST: (
        "Caddyfile",
        "copy_headers Remote-User Remote-Groups Remote-Name Remote-Email",
    ),
    Fault.CLIENT: ("Caddyfile", "reverse_proxy forwardauth:9091 {"),
    Fault.SCHEME: ("Caddyfile", "reverse_proxy forwardauth:9091 {"),
    Fault.PORTAL: ("Caddyfile", "reverse_proxy forwardauth:9091 {"),
    Fault.HOST: ("Caddyfile", "reverse_proxy forwardauth:9091 {"),
    Fault.ORIGINAL_PASSED: ("Caddyfile", "header_up -X-Original-*"),
    Fault.FORWARDED_PASSED: ("Caddyfile", "header_up -X-Forwarded-Uri"),
}
_LUA_IDENTITY: Final = (
    'local IDENTITY = { "remote-user", "remote-groups", "remote-name", "remote-email" }'
)
_HAPROXY: Final[Mapping[Fault, Line]] = {
    Fault.NOT_ASKED: (
        "haproxy.cfg",
        "http-request lua.forwardauth abns@forwardauth unless is_portal",
    ),
    Fault.ENDPOINT: (
        "forwardauth.lua",
        'local VERIFY = "http://forwardauth/verify/haproxy"',
    ),
    Fault.QUESTION: (
        "haproxy.cfg",
        "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    ),
    Fault.NOT_ANSWERED: ("haproxy.cfg", "server forwardauth1 forwardauth:9091"),
    Fault.NO_REDIRECT: (
        "haproxy.cfg",
        "http-request lua.forwardauth abns@forwardauth unless is_portal",
    ),
    Fault.IDENTITY: ("haproxy.cfg", "http-request del-header remote- -m beg"),
    Fault.ALIAS: ("haproxy.cfg", "http-request del-header [^A-Za-z0-9-] -m reg"),
    Fault.IDENTITY_LOST: (
        "forwardauth.lua",
        _LUA_IDENTITY,
    ),
    Fault.CLIENT: ("haproxy.cfg", "http-request set-header X-Forwarded-For %[src]"),
    Fault.SCHEME: ("haproxy.cfg", "http-request set-header X-Forwarded-Proto https"),
    Fault.PORTAL: ("haproxy.cfg", "use_backend portal if is_portal"),
    Fault.HOST: ("haproxy.cfg", "server forwardauth1 forwardauth:9091"),
    Fault.ORIGINAL_PASSED: (
        "haproxy.cfg",
        "http-request del-header x-original- -m beg",
    ),
    Fault.FORWARDED_PASSED: (
        "haproxy.cfg",
        "http-request del-header x-forwarded- -m beg",
    ),
}
_ENVOY: Final[Mapping[Fault, Line]] = {
    Fault.NOT_ASKED: ("envoy.yaml", "- name: envoy.filters.http.ext_authz"),
    Fault.ENDPOINT: ("envoy.yaml", "path_prefix: /verify/envoy"),
    Fault.QUESTION: ("envoy.yaml", "use_remote_address: true"),
    Fault.NOT_ANSWERED: ("envoy.yaml", "failure_mode_allow: false"),
    Fault.NO_REDIRECT: ("envoy.yaml", "- name: envoy.filters.http.ext_authz"),
    Fault.IDENTITY: (
        "envoy.yaml",
        "- remove_on_match: {key_matcher: {prefix: remote-}}",
    ),
    Fault.ALIAS: (
        "envoy.yaml",
        '- remove_on_match: {key_matcher: {safe_regex: {regex: ".*[^:a-z0-9-].*"}}}',
    ),
    Fault.IDENTITY_LOST: ("envoy.yaml", "allowed_upstream_headers:"),
    Fault.CLIENT: ("envoy.yaml", "use_remote_address: true"),
    Fault.SCHEME: ("envoy.yaml", "use_remote_address: true"),
    Fault.PORTAL: ("envoy.yaml", "route: {cluster: forwardauth}"),
    Fault.HOST: ("envoy.yaml", "route: {cluster: forwardauth}"),
    Fault.ORIGINAL_PASSED: (
        "envoy.yaml",
        "- remove_on_match: {key_matcher: {prefix: x-original-}}",
    ),
    Fault.FORWARDED_PASSED: (
        "envoy.yaml",
        "- remove_on_match: {key_matcher: {prefix: x-forwarded-}}",
    ),
}

LINES: Final[Mapping[str, Mapping[Fault, Line]]] = {
    "nginx": _NGINX,
    "traefik": _TRAEFIK,
    "caddy": _CADDY,
    "haproxy": _HAPROXY,
    "envoy": _ENVOY,
}
"""By proxy, the line that has to be there."""

_HINTS: Final[Mapping[str, str]] = {
    'address: ":443"': "without forwardedHeaders.insecure, and with trustedIPs only"
    " for a load balancer of your own",
    "authResponseHeaders:": "with all four names",
}
"""By line, what else there has to be, or not to be."""

BY_ITSELF: Final[Mapping[tuple[str, Fault], str]] = {
    ("nginx", Fault.ALIAS): "take out `underscores_in_headers on` and"
    " `ignore_invalid_headers off`: nginx drops such names by itself"
}
"""By proxy and fault, what is to be done where it takes no line to be right."""

_SERVERS: Final = {"nginx": "nginx", "openresty": "nginx", "caddy": "caddy"}


def remedy_for(fault: Fault, proxy: str | None) -> str:
    """Return which line is to be looked at, of *proxy* or of all."""
    if proxy is not None:
        if (proxy, fault) in BY_ITSELF:
            return BY_ITSELF[proxy, fault]
        file, line = LINES[proxy][fault]
        hint = f", {_HINTS[line]}" if line in _HINTS else ""
        return f"see to `{line}`, as deploy/{proxy}/{file} has it{hint}"
    each = (
        f"{name} `{lines[fault][1]}`" for name, lines in LINES.items() if fault in lines
    )
    others = (text for (_, which), text in BY_ITSELF.items() if which is fault)
    told = f"see to the line of your proxy: {', '.join(each)} (all in deploy/)"
    return "; ".join((told, *others))


def guess_proxy(server: str) -> str | None:
    """Return which proxy says *server* in the header ``Server``, if one does."""
    name = server.strip().lower().partition("/")[0].partition(" ")[0]
    return "envoy" if name == "envoy" else _SERVERS.get(name)
