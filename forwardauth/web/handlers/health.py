"""Whether the service is there: ``/api/health``, ``/healthz``, ``/readyz``."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from forwardauth.adapters.kinds import prefers_html
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, ko, ok
from forwardauth.web.readiness import Check

_VERBOSE: Final = "verbose"
_RETRY: Final = (("Retry-After", str(RETRY_AFTER_SECONDS)),)


async def health(_request: web.Request) -> web.StreamResponse:
    """Answer that the process serves requests, whatever the ``Host``."""
    return ok()


async def ready(request: web.Request) -> web.StreamResponse:
    """Answer whether the store takes reads and writes and the configuration counts.

    503 when one of both is not so, with what is in the way. ``?verbose`` tells of each.
    """
    checks = await request.app[keys.READINESS].check()
    faults = [each.fault for each in checks if each.fault is not None]
    is_verbose = _VERBOSE in request.query
    if is_verbose and _wants_text(request):
        return _as_text(checks, status=503 if faults else 200)
    data = {each.name: _as_data(each) for each in checks} if is_verbose else None
    if faults:
        return ko("; ".join(faults), status=503, data=data, headers=_RETRY)
    return ok(data)


def _wants_text(request: web.Request) -> bool:
    """Whether a person asks, with a browser."""
    accept = request.headers.get("Accept", "")
    return "text/plain" in accept or prefers_html(accept)


def _as_data(check: Check) -> dict[str, object]:
    told: dict[str, object] = {"ok": check.fault is None, **check.detail}
    if check.fault is not None:
        told["fault"] = check.fault
    return told


def _as_text(checks: Sequence[Check], *, status: int) -> web.Response:
    lines = [_as_line(check) for check in checks]
    lines.append("ready" if status == web.HTTPOk.status_code else "not ready")
    response = web.Response(text="\n".join(lines) + "\n", status=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if status != web.HTTPOk.status_code:
        response.headers.extend(_RETRY)
    return response


def _as_line(check: Check) -> str:
    mark = "ok  " if check.fault is None else "FAIL"
    detail = " ".join(f"{name}={value}" for name, value in check.detail.items())
    fault = "" if check.fault is None else f": {check.fault}"
    return f"{mark} {check.name} {detail}{fault}"
