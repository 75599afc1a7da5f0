"""HAProxy, by the script of ``deploy/haproxy``: reads ``X-Forwarded-*``.

The script sets all four headers itself and asks by GET; scripts of others ask by HEAD,
which is the same question. 200 passes; every other answer goes to the client as it is,
each ``Set-Cookie`` line too.

Source: https://www.arpalert.org/src/haproxy-lua-api/2.6/ (``HTTPClient``, ``Reply``)
"""

from typing import Final

from forwardauth.adapters.base import Answer, ProxyRequest, Verdict, answer_forwarded
from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.adapters.forwarded import read_forwarded
from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
)
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.request import OriginalRequest

_SCRIPT: Final = "deploy/haproxy/forwardauth.lua"
_SOURCES: Final = {
    X_FORWARDED_PROTO: ShippedLine(
        file=_SCRIPT,
        text='["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },',
    ),
    X_FORWARDED_HOST: ShippedLine(
        file=_SCRIPT, text='["x-forwarded-host"] = lines_of(said["host"] or {}),'
    ),
    X_FORWARDED_URI: ShippedLine(
        file=_SCRIPT, text='["x-forwarded-uri"] = { txn.sf:pathq() },'
    ),
    X_FORWARDED_METHOD: ShippedLine(
        file=_SCRIPT, text='["x-forwarded-method"] = { txn.sf:method() },'
    ),
}


class HaproxyAdapter:
    """Dialect of HAProxy and its Lua."""

    name: str = "haproxy"
    paths: tuple[str, ...] = ("/verify/haproxy",)
    appends_target: bool = False
    takes_over_logout: bool = True

    def __init__(self, identity: IdentityHeaders) -> None:
        """Answer with the names of *identity*."""
        self._identity = identity
        self._family = HeaderFamily(self.name, _SOURCES, identity=identity.names)
        self.header_names = tuple(_SOURCES)

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return the original request; see ``Adapter.read``."""
        return read_forwarded(request, self._family)

    def answer(self, verdict: Verdict) -> Answer:
        """Return what the script passes on to the browser; see ``Adapter.answer``."""
        return answer_forwarded(verdict, self._identity)
