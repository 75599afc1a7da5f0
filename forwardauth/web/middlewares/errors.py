"""From errors to answers: one table, in one place.

Laws: an error is never a 2xx. A page shows a reference that stands in the log, and so
does the JSON of what we did not foresee; nothing else of that reaches the client.
"""

import logging
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.adapters.kinds import prefers_html
from forwardauth.errors import (
    CredentialsError,
    CsrfError,
    ForwardAuthError,
    ProxyRequestError,
    StoreUnavailableError,
    ThrottledError,
    UnfitIdentityError,
    UnsafeTargetError,
    UntrustedProxyError,
)
from forwardauth.redirects import check_target
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, ko, page, portal_url
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.log_lines import Event
from forwardauth.web.pages import ErrorKind, Visitor
from forwardauth.web.preferences import language_of
from forwardauth.web.request_ids import tell_current_id

STATUS_BY_ERROR: Final[dict[type[ForwardAuthError], tuple[int, ErrorKind]]] = {
    ProxyRequestError: (400, ErrorKind.BAD_REQUEST),
    UntrustedProxyError: (403, ErrorKind.FORBIDDEN),
    UnfitIdentityError: (403, ErrorKind.FORBIDDEN),
    CredentialsError: (401, ErrorKind.FORBIDDEN),
    ThrottledError: (429, ErrorKind.THROTTLED),
    CsrfError: (403, ErrorKind.FORM_EXPIRED),
    UnsafeTargetError: (400, ErrorKind.BAD_REQUEST),
    StoreUnavailableError: (503, ErrorKind.UNAVAILABLE),
}
"""An error without a row is one that no request should meet: it is not foreseen."""

KIND_BY_STATUS: Final = {
    404: ErrorKind.NOT_FOUND,
    405: ErrorKind.METHOD_NOT_ALLOWED,
    413: ErrorKind.TOO_LARGE,
    415: ErrorKind.UNSUPPORTED_TYPE,
}
_UNHANDLED: Final = (500, ErrorKind.INTERNAL)

_log = logging.getLogger(__name__)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error that a handler raises, as a page or as JSON."""
    try:
        return await handler(request)
    except web.HTTPError as exc:
        kind = KIND_BY_STATUS.get(exc.status, ErrorKind.BAD_REQUEST)
        allow = exc.headers.get("Allow")
        headers = () if allow is None else (("Allow", allow),)
        reference = tell_current_id() if _is_for_page(request) else None
        if reference is not None:
            line = Event(
                "refused",
                status=exc.status,
                method=request.method,
                path=request.rel_url.raw_path,
                request_id=reference,
            )
            _log.info(line)
        return await answer_error(
            request, exc.status, kind, headers=headers, reference=reference
        )
    except tuple(STATUS_BY_ERROR) as exc:
        return await _answer_own(request, exc)
    except Exception:  # noqa: BLE001 - the outermost place, and it logs
        reference = tell_current_id()
        _log.exception(Event("unhandled_error", request_id=reference))
        return await answer_error(request, *_UNHANDLED, reference=reference)


async def _answer_own(
    request: web.Request, error: ForwardAuthError
) -> web.StreamResponse:
    status, kind = next(
        row for base, row in STATUS_BY_ERROR.items() if isinstance(error, base)
    )
    headers: list[tuple[str, str]] = []
    message = str(error)
    event = "refused"
    if isinstance(error, ThrottledError):
        seconds = int(error.retry_after.total_seconds()) + 1
        headers.append(("Retry-After", str(seconds)))
    elif isinstance(error, StoreUnavailableError):
        message, event = error.told, "store_unavailable"
        if keys.OUTAGE in request.app:
            request.app[keys.OUTAGE].note(error)
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    request_id = tell_current_id()
    _log.info(Event(event, status=status, error=str(error), request_id=request_id))
    reference = request_id if _is_for_page(request) else None
    return await answer_error(
        request, status, kind, headers=headers, reference=reference, message=message
    )


def _is_for_page(request: web.Request) -> bool:
    """Whether a page is shown, with a reference; a program is told the error itself."""
    return prefers_html(request.headers.get("Accept"))


async def answer_error(
    request: web.Request,
    status: int,
    kind: ErrorKind,
    *,
    headers: list[tuple[str, str]] | tuple[tuple[str, str], ...] = (),
    reference: str | None = None,
    message: str | None = None,
) -> web.StreamResponse:
    """Return an error page, or JSON for who did not ask for HTML.

    Args:
        request: Decides which of both, and the language.
        status: Not 2xx.
        kind: The text of the page.
        headers: Further header lines.
        reference: What to look for in the log.
        message: For JSON; the kind's name when not given. Holds no secret.
    """
    if not prefers_html(request.headers.get("Accept")):
        data = None if reference is None else {"reference": reference}
        return ko(message or kind.value, status=status, data=data, headers=headers)
    html = request.app[keys.PAGES].error(
        language=language_of(request),
        status=status,
        kind=kind,
        reference=reference,
        visitor=None if status >= _UNHANDLED[0] else await _lookup_visitor(request),
    )
    return page(html, status=status, headers=headers)


async def _lookup_visitor(request: web.Request) -> Visitor | None:
    """Return who sees an error page of a portal, ``None`` where nobody is known.

    Somebody who meets a closed door may want another account. What it takes to know
    who that is may fail in its turn: the page is shown all the same.
    """
    if keys.IDENTITIES not in request.app:
        return None  # The management listener, which has no visitors.
    try:
        domain = get_portal(request)
        identity = await lookup_identity(request, domain)
        start = check_target(domain.portal_url("/"), request.app[keys.SETTINGS].targets)
    except ForwardAuthError:
        return None
    if identity is None:
        return None
    return Visitor(
        username=identity.subject.username,
        logout_url=portal_url(domain, "/logout"),
        switch_url=portal_url(domain, "/logout", target=start),
    )
