"""nginx ``auth_request``: reads ``X-Original-URL`` and ``X-Original-Method``.

Law: only 200, 401 and 403 mean something to nginx; anything else is a 500 for its
client. So a malformed request is 403 here. An outage stays 503, and the client's 500
is what it is: closed, and not a lie.

Law: what is answered often has no body. nginx does not read the body of a subrequest,
and closes the connection that has one; it would open a new one for each question.
Source: https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
"""

from typing import Final

from forwardauth.adapters.base import (
    SAFE_HEADERS,
    Allowed,
    Answer,
    Forbidden,
    Malformed,
    ProxyRequest,
    SignInNeeded,
    Throttled,
    Unavailable,
    Verdict,
    answer_allowed,
    answer_json,
    answer_throttled,
    answer_unavailable,
    challenge_lines,
)
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.headers import X_ORIGINAL_METHOD, X_ORIGINAL_URL
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.errors import ProxyRequestError
from forwardauth.request import (
    OriginalRequest,
    parse_host,
    parse_method,
    parse_scheme,
    parse_uri,
)

REQUEST_KIND_HEADER: Final = "Forwardauth-Request-Kind"
"""``navigation`` or ``fetch`` beside a 401: nginx redirects only the first."""

_FILE: Final = "deploy/nginx/forwardauth-server.conf"
_SOURCES: Final = {
    X_ORIGINAL_URL: ShippedLine(
        file=_FILE,
        text="proxy_set_header X-Original-URL"
        " $scheme://$forwardauth_authority$request_uri;",
    ),
    X_ORIGINAL_METHOD: ShippedLine(
        file=_FILE, text="proxy_set_header X-Original-Method $request_method;"
    ),
}


class NginxAdapter:
    """Dialect of nginx and of what copies its ``auth_request``."""

    name: str = "nginx"
    paths: tuple[str, ...] = ("/verify/nginx", "/api/authz/auth-request")
    appends_target: bool = False
    takes_over_logout: bool = False

    def __init__(self, identity: IdentityHeaders) -> None:
        """Answer with the names of *identity*."""
        self._identity = identity
        self._family = HeaderFamily(self.name, _SOURCES, identity=identity.names)
        self.header_names = tuple(_SOURCES)

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        values = self._family.read(request.headers)
        url = values[X_ORIGINAL_URL]
        scheme, separator, rest = url.partition("://")
        authority, slash, tail = rest.partition("/")
        if not separator or not slash:
            raise ProxyRequestError(
                X_ORIGINAL_URL, "url_malformed", "is not scheme://host/path"
            )
        scheme = parse_scheme(scheme, header=X_ORIGINAL_URL)
        host, port = parse_host(authority, scheme=scheme, header=X_ORIGINAL_URL)
        path, query = parse_uri("/" + tail, header=X_ORIGINAL_URL)
        return OriginalRequest(
            scheme=scheme,
            host=host,
            port=port,
            method=parse_method(values[X_ORIGINAL_METHOD], header=X_ORIGINAL_METHOD),
            path=path,
            query=query,
            client=request.client,
        )

    def answer(self, verdict: Verdict) -> Answer:
        """Return 200, 401 or 403, and 503 for an outage; see ``Adapter.answer``."""
        match verdict:
            case Allowed():
                return answer_allowed(verdict.subject, self._identity)
            case SignInNeeded():
                directions = (
                    *challenge_lines(verdict),
                    ("Location", verdict.login_url),
                    (REQUEST_KIND_HEADER, verdict.kind.value),
                )
                return Answer(status=401, headers=(*directions, *SAFE_HEADERS))
            case Forbidden():
                return Answer(status=403, headers=SAFE_HEADERS)
            case Malformed():
                return answer_json(403, str(verdict.error))
            case Throttled():
                # Not 401: nobody has said that the credentials are wrong.
                return answer_throttled(verdict, status=403)
            case Unavailable():  # pragma: no branch - mypy proves it the last
                return answer_unavailable(verdict)
