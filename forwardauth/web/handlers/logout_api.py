"""``POST /api/logout``: the same logout for programs, in JSON.

Laws: JSON alone is read, which no form of another site can send. A foreign origin ends
nothing. Once the request may ask, the session ends before its body is looked at.
"""

import json
from typing import Any, Final

from aiohttp import web

from forwardauth.adapters.kinds import is_prefetch
from forwardauth.web import keys
from forwardauth.web.answers import ko, ok
from forwardauth.web.cors import cors_headers
from forwardauth.web.forms import TARGET_NAMES, read_body, read_query
from forwardauth.web.forwarded import get_domain, get_host
from forwardauth.web.intent import Provenance, judge_provenance
from forwardauth.web.termination import (
    clear_site_data,
    lookup_target,
    pending_json,
    tell,
    terminate,
)

_JSON: Final = "application/json"


async def logout_api(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /api/logout``."""
    settings = request.app[keys.SETTINGS]
    domain = get_domain(request, settings.domains)
    host = get_host(request)
    cors = cors_headers(request)
    provenance = judge_provenance(request.headers, host=host, domains=settings.domains)
    if provenance is Provenance.FOREIGN or is_prefetch(request.headers):
        return ko("logout was asked for by another origin", status=403)
    if _has_other_type(request):
        return ko("the body has to be application/json", status=415, headers=cors)
    termination = await terminate(request, domain, host)
    values = _read_targets(await read_body(request))
    query = read_query(request).targets()
    _, kind = lookup_target(request, (*query, *(values or ())))
    tell(request, host=host, target=kind, termination=termination)
    if termination.is_pending:
        return pending_json(termination, cors)
    headers = (*cors, *clear_site_data(request))
    cookies = termination.cookies
    if values is None:
        message = "signed out, but the body is not an object with a text targetURL"
        return ko(message, status=400, cookies=cookies, headers=headers)
    return ok({"safeTargetURL": kind == "accepted"}, cookies=cookies, headers=headers)


async def logout_preflight(request: web.Request) -> web.StreamResponse:
    """Answer ``OPTIONS /api/logout``: which origins may call it; ends nothing."""
    headers = [*cors_headers(request), ("Allow", "POST, OPTIONS")]
    return web.Response(status=204, headers=headers)


def _has_other_type(request: web.Request) -> bool:
    """Whether there is a body, or a type, that is not JSON."""
    types = request.headers.getall("Content-Type", [])
    if not types:
        return request.can_read_body
    return len(types) > 1 or request.content_type != _JSON


def _read_targets(body: bytes | None) -> tuple[str, ...] | None:
    """Return the targets in a JSON body, ``None`` when it is not what it should be.

    A name that repeats counts each time: which one is meant, nobody can tell.
    """
    if body is None:
        return None
    if not body:
        return ()
    try:
        content = json.loads(body, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, _Pairs):
        return None
    values = [value for name, value in content if name in TARGET_NAMES]
    if not all(value is None or isinstance(value, str) for value in values):
        return None
    return tuple(value or "" for value in values)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, repetitions kept."""
