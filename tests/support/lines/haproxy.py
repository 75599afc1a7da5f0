"""The lines of ``deploy/haproxy``."""

from typing import Final

from tests.support.consequences import Consequence as C  # noqa: N817 - a table's column
from tests.support.shipped_lines import Given, Line, ShippedLines

_ACTION = 'core.register_action("forwardauth", …'
_BROKEN: Final = Given("forwardauth.lua", _ACTION, '    error("broken")')
"""A script that fails, and HAProxy goes on."""

_CONFIGURATION = (
    Line("lua-load-per-thread …", C.REFUSED_BY_PROXY),
    Line("tune.bufsize 32768", C.LONG_ADDRESS_BROKEN),
    Line("http-request redirect location …", C.PLAIN_HTTP_BROKEN),
    Line("http-request return status 421 …", C.STRANGE_NAME_SERVED),
    Line("http-request del-header [^A-Za-z0-9-] -m reg", C.IDENTITY_FORGEABLE),
    Line("http-request del-header remote- -m beg", C.CLAIM_PASSED),
    Line("http-request del-header x-forwarded- -m beg", C.APPLICATION_MISLED),
    Line("http-request del-header x-original- -m beg", C.EXPOSED),
    Line("http-request del-header x-rewrite- -m beg", C.APPLICATION_MISLED),
    Line("http-request del-header forwarded", C.APPLICATION_MISLED),
    Line("http-request del-header x-real-ip", C.APPLICATION_MISLED),
    Line("http-request set-header X-Forwarded-For %[src]", C.ORIGIN_LOST),
    Line("http-request set-header X-Forwarded-Proto https", C.ORIGIN_LOST),
    Line("http-request set-header X-Forwarded-Host …", C.NO_DIFFERENCE),
    Line("http-request lua.forwardauth abns@forwardauth …", C.CLOSED),
    Line("http-request deny deny_status 503 …", C.NO_DIFFERENCE),
    Line("http-request deny deny_status 503 …", C.OPENED, given=_BROKEN),
    Line("use_backend portal if is_portal", C.SIGN_IN_BROKEN),
    Line("frontend forwardauth", C.CLOSED),
    Line("backend forwardauth", C.REFUSED_BY_PROXY),
    Line("http-reuse always", C.NO_DIFFERENCE),
    Line("backend portal", C.REFUSED_BY_PROXY),
)

_SCRIPT = (
    Line(
        "local IDENTITY = …",
        C.IDENTITY_LOST,
        instead='local IDENTITY = { "remote-user" }',
    ),
    Line('"cookie",', C.CLOSED),
    Line('"sec-fetch-…', C.LOGOUT_FORCED),
    Line('["x-forwarded-…', C.CLOSED),
    Line('["x-forwarded-for"] = …', C.ADDRESS_LOST),
    Line("reply:add_header(name, line)", C.SIGN_IN_BROKEN),
    Line("reply:set_body(answer.body)", C.SIGN_IN_BROKEN),
    Line("if answer.status ~= 200 then", C.SIGN_IN_BROKEN, instead="if false then"),
    Line("txn.http:req_set_header(name, lines[1])", C.IDENTITY_LOST),
    Line('txn:set_var("txn.forwardauth_passed", true)', C.CLOSED),
)

HAPROXY: Final = ShippedLines(
    proxy="haproxy",
    lines={"haproxy.cfg": _CONFIGURATION, "forwardauth.lua": _SCRIPT},
    set_up={
        "haproxy.cfg": (
            "global",
            "log …",
            "ssl-load-extra-del-ext",
            "ssl-default-bind-options ssl-min-ver TLSv1.2",
            "defaults",
            "mode http",
            "option httplog",
            "option dontlognull",
            "http-request set-log-level silent",
            # Bounds on waiting and on size.
            "timeout …",
            "retries 1",
            "retry-on conn-failure empty-response",
            "http-request deny deny_status 413 if { req.body_size gt 65536 }",
            # Where browsers connect, and the sites.
            "frontend http",
            "bind :80",
            "frontend https",
            "bind :443 …",
            "acl …",
            "use_backend www if is_www",
            "use_backend app1 if is_app1",
            "use_backend app2 if is_app2",
            "backend www",
            "backend app1",
            "backend app2",
            # Where the script asks, and where the service is.
            "bind abns@forwardauth",
            "default_backend forwardauth",
            "server forwardauth1 forwardauth:9091",
            "server www1 www:80",
            "server app1 app1:80",
            "server app2 app2:80",
        ),
        "forwardauth.lua": (
            "timeout = TIMEOUT_MILLISECONDS,",
            # Words of the browser that other tests are about.
            '"accept…',
            '"access-control-request-method",',
            '"authorization",',
            '"origin",',
            '"purpose",',
            '"referer",',
            '"sec-purpose",',
            '"user-agent",',
            '"x-…',
            "local HOP_BY_HOP = {",
            '["connection"] = true,',
            '["content-length"] = true,',
            '["keep-alive"] = true,',
            '["transfer-encoding"] = true,',
            # The frame of the script; it does not load without it, or fails.
            "local …",
            "for …",
            "if said[name] then",
            "if not HOP_BY_HOP[name] then",
            'if txn.sf:method() ~= "HEAD" then',
            "if not answer or answer.status < 200 or …",
            "if #lines ~= 1 then",
            "lines[#lines + 1] = values[index]",
            "headers[name] = lines_of(said[name])",
            "return …",
            "txn:done(reply)",
            "relay(txn, answer)",
            "headers = question(txn),",
            "return",
            _ACTION,
            "url = VERIFY,",
            "dst = address,",
        ),
    },
)
