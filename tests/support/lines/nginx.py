"""The lines of ``deploy/nginx``."""

from typing import Final

from tests.support.consequences import Consequence as C  # noqa: N817 - a table's column
from tests.support.shipped_lines import Given, Line, ShippedLines

_CACHE: Final = Given(
    "nginx.conf",
    "server_tokens off;",
    """\
    proxy_cache_path cache keys_zone=pages:1m;
    proxy_cache pages;
    proxy_cache_valid any 5m;
    proxy_ignore_headers Cache-Control Vary;""",
)
"""A cache for everything, by somebody who wants speed."""

_HTTP = (
    Line("upstream forwardauth {", C.REFUSED_BY_PROXY),
    Line("server forwardauth:9091;", C.REFUSED_BY_PROXY),
    Line("keepalive 32;", C.SLOWER),
    Line("map $http_host $forwardauth_authority {", C.REFUSED_BY_PROXY),
    Line("default $host;", C.CLOSED),
    Line("default $host;", C.OPENED, instead="default $http_host;"),
    Line(r'"~(?<forwardauth_port>:\d+)$" $host$forwardauth_port;', C.ORIGIN_LOST),
    Line('map "$request_method $http_content_length…', C.REFUSED_BY_PROXY),
    Line("default text;", C.NO_DIFFERENCE),
    Line('"GET " page;', C.FORBIDDEN_BROKEN),
    Line('"HEAD " page;', C.NO_DIFFERENCE),
    Line("map $http_upgrade $forwardauth_connection {", C.REFUSED_BY_PROXY),
    Line("default upgrade;", C.APPLICATION_BROKEN),
    Line('"" "";', C.NO_DIFFERENCE),
)

_SERVER = (
    Line("location = /_forwardauth/verify {", C.OPENED),
    Line("internal;", C.EXPOSED),
    Line("proxy_pass http://forwardauth/verify/nginx;", C.CLOSED),
    Line("proxy_http_version 1.1;", C.SLOWER),
    Line('proxy_set_header Connection "";', C.SLOWER),
    Line("proxy_set_header X-Original-URL $scheme://…", C.OPENED),
    Line(
        "proxy_set_header X-Original-URL $scheme://…",
        C.OPENED,
        instead="proxy_set_header X-Original-URL $scheme://$http_host$request_uri;",
    ),
    Line("proxy_set_header X-Original-Method $request_method;", C.CLOSED),
    Line("proxy_set_header X-Forwarded-For $remote_addr;", C.ADDRESS_FORGEABLE),
    Line(
        "proxy_set_header X-Forwarded-For $remote_addr;",
        C.ADDRESS_FORGEABLE,
        instead="proxy_set_header X-Forwarded-For $http_x_forwarded_for;",
    ),
    Line('proxy_set_header Forwarded "";', C.NO_DIFFERENCE),
    Line('proxy_set_header X-Forwarded-Host "";', C.NO_DIFFERENCE),
    Line('proxy_set_header X-Forwarded-Method "";', C.NO_DIFFERENCE),
    Line('proxy_set_header X-Forwarded-Proto "";', C.NO_DIFFERENCE),
    Line('proxy_set_header X-Forwarded-Uri "";', C.NO_DIFFERENCE),
    Line("proxy_pass_request_body off;", C.NO_DIFFERENCE),
    Line('proxy_set_header Content-Length "";', C.NO_DIFFERENCE),
    Line("proxy_cache off;", C.NO_DIFFERENCE),
    Line("proxy_cache off;", C.OPENED, given=_CACHE),
    Line("proxy_buffer_size 32k;", C.NO_DIFFERENCE),
    Line("proxy_buffers 4 32k;", C.REFUSED_BY_PROXY),
    Line("location = /logout {", C.LOGOUT_BROKEN),
    Line("proxy_pass http://forwardauth/logout;", C.LOGOUT_BROKEN),
    Line("include /etc/nginx/forwardauth-portal.conf;", C.LOGOUT_BROKEN),
    Line("location @forwardauth_sign_in {", C.SIGN_IN_BROKEN),
    Line("default_type application/json;", C.NO_DIFFERENCE),
    Line('add_header Cache-Control "no-store" always;', C.ANSWER_KEPT),
    Line("add_header Set-Cookie $forwardauth_cookie always;", C.NO_DIFFERENCE),
    Line("if ($forwardauth_kind = fetch) {", C.SIGN_IN_BROKEN),
    Line("return 401 …", C.SIGN_IN_BROKEN),
    Line("if ($request_method = POST) {", C.SIGN_IN_BROKEN),
    Line("return 303 $forwardauth_login;", C.SIGN_IN_BROKEN),
    Line("return 302 $forwardauth_login;", C.SIGN_IN_BROKEN),
    Line("location @forwardauth_forbidden {", C.FORBIDDEN_BROKEN),
    Line("if ($forwardauth_denial = text) {", C.NO_DIFFERENCE),
    Line("return 403 …", C.NO_DIFFERENCE),
    Line("rewrite ^ /verify/nginx/forbidden? break;", C.FORBIDDEN_BROKEN),
    Line("proxy_pass http://forwardauth;", C.FORBIDDEN_BROKEN),
    Line("proxy_method GET;", C.NO_DIFFERENCE),
)

_LOCATION = (
    Line("auth_request /_forwardauth/verify;", C.OPENED),
    *(
        Line(f"auth_request_set $forwardauth_{name} …", C.REFUSED_BY_PROXY)
        for name in ("user", "groups", "name", "email", "cookie", "login", "kind")
    ),
    Line("error_page 401 = @forwardauth_sign_in;", C.SIGN_IN_BROKEN),
    Line("error_page 403 @forwardauth_forbidden;", C.FORBIDDEN_BROKEN),
    Line("add_header Set-Cookie $forwardauth_cookie always;", C.NO_DIFFERENCE),
    Line("proxy_set_header Remote-User $forwardauth_user;", C.IDENTITY_FORGEABLE),
    Line("proxy_set_header Remote-Groups $forwardauth_groups;", C.IDENTITY_FORGEABLE),
    Line("proxy_set_header Remote-Name $forwardauth_name;", C.IDENTITY_FORGEABLE),
    Line("proxy_set_header Remote-Email $forwardauth_email;", C.IDENTITY_FORGEABLE),
    Line("proxy_set_header Host $forwardauth_authority;", C.ORIGIN_LOST),
    Line("proxy_set_header X-Forwarded-For $remote_addr;", C.APPLICATION_MISLED),
    Line(
        "proxy_set_header X-Forwarded-For $remote_addr;",
        C.APPLICATION_MISLED,
        instead="proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    ),
    Line("proxy_set_header X-Forwarded-Proto $scheme;", C.ORIGIN_LOST),
    Line(
        "proxy_set_header X-Forwarded-Host $forwardauth_authority;",
        C.APPLICATION_MISLED,
    ),
    Line("proxy_set_header X-Real-IP $remote_addr;", C.APPLICATION_MISLED),
    *(
        Line(f'proxy_set_header {name} "";', C.APPLICATION_MISLED)
        for name in (
            "Forwarded",
            "X-Forwarded-Method",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Uri",
            "X-Original-Method",
            "X-Original-URL",
            "X-Rewrite-URL",
        )
    ),
    Line("proxy_http_version 1.1;", C.NO_DIFFERENCE),
    Line("proxy_set_header Upgrade $http_upgrade;", C.APPLICATION_BROKEN),
    Line("proxy_set_header Connection $forwardauth_connection;", C.APPLICATION_BROKEN),
)

_PORTAL = (
    Line("proxy_http_version 1.1;", C.NO_DIFFERENCE),
    Line("proxy_set_header Host $forwardauth_authority;", C.SIGN_IN_BROKEN),
    Line("proxy_set_header X-Forwarded-Proto $scheme;", C.NO_DIFFERENCE),
    Line("proxy_set_header X-Forwarded-For $remote_addr;", C.ADDRESS_FORGEABLE),
    Line("proxy_set_header X-Original-…", C.EXPOSED),
    Line("proxy_buffers 8 16k;", C.REFUSED_BY_PROXY),
)

NGINX: Final = ShippedLines(
    proxy="nginx",
    lines={
        "forwardauth-http.conf": _HTTP,
        "forwardauth-server.conf": _SERVER,
        "forwardauth-location.conf": _LOCATION,
        "forwardauth-portal.conf": _PORTAL,
    },
    set_up={
        "forwardauth-http.conf": (),
        # Bounds on waiting and on size, and what undoes settings of the `http` block.
        "forwardauth-server.conf": (
            "auth_request off;",
            "client_max_body_size 1k;",
            "proxy_intercept_errors off;",
            "proxy_connect_timeout 3s;",
            "proxy_send_timeout 5s;",
            "proxy_read_timeout 10s;",
        ),
        "forwardauth-location.conf": (),
        # Each undoes what the `http` block may have set, or a header that the service
        # does not read.
        "forwardauth-portal.conf": (
            'proxy_set_header Connection "";',
            'proxy_set_header Forwarded "";',
            'proxy_set_header X-Forwarded-Host "";',
            'proxy_set_header X-Forwarded-Method "";',
            'proxy_set_header X-Forwarded-Port "";',
            'proxy_set_header X-Forwarded-Uri "";',
            'proxy_set_header X-Real-IP "";',
            "auth_request off;",
            "proxy_cache off;",
            "proxy_intercept_errors off;",
            "proxy_redirect off;",
            "proxy_buffer_size 16k;",
            "client_max_body_size 64k;",
        ),
    },
    # nginx knows no names that only begin alike.
    tolerated=frozenset({C.CLAIM_PASSED}),
)
