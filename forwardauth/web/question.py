"""From a proxy's words to the question that the rules answer; no I/O, no framework.

Law: what the rules have to know of a request is read here, in one place, for verify and
for the self-test alike. What cannot be read is refused, and never asked about.
"""

from dataclasses import dataclass, replace

from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.kinds import is_preflight
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.errors import ProxyRequestError
from forwardauth.request import OriginalRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this pass?

    Attributes:
        original: What the browser asked the proxy for.
        domain: The cookie domain that its host is at or below.
    """

    original: OriginalRequest
    domain: CookieDomain


def read_question(
    adapter: Adapter, request: ProxyRequest, domains: CookieDomains
) -> Question:
    """Return what the proxy of *adapter* asks by *request*.

    Raises:
        ProxyRequestError: The adapter cannot read it, or the host is below none of
            *domains*.
    """
    original = adapter.read(request)
    domain = domains.lookup(original.host)
    if domain is None:
        raise ProxyRequestError(
            "host", "host_unknown", "is below no configured cookie domain"
        )
    # Both are what the browser says or does, and no dialect of a proxy.
    asks_before = is_preflight(original.method, request.headers)
    is_plain_http = domain.is_secure and original.scheme != "https"
    if asks_before or is_plain_http:
        original = replace(
            original, is_preflight=asks_before, is_plain_http=is_plain_http
        )
    return Question(original=original, domain=domain)
