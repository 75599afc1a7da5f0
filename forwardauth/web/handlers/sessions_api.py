"""``/api/sessions``: the caller's own sessions for programs, in JSON.

Laws: a session has its handle for a name here, never its id or its digest. The linked
sessions of one login are one entry, and any of their handles ends them all. Only the
portal's own pages, and programs, end anything. What a request asks for and we do not
know ends nothing.
"""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import digests_of
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, ko, ok
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.cookies import read_cookies
from forwardauth.web.handlers.api import check_own_origin
from forwardauth.web.own_logins import OwnLogin, list_own
from forwardauth.web.own_sessions import (
    PENDING_ELSEWHERE,
    Ending,
    end_all,
    end_all_unseen,
    end_one,
    end_others,
)
from forwardauth.web.termination import clear_site_data, pending_json

EXCEPT_CURRENT: Final = "except=current"
"""The one query that ``DELETE /api/sessions`` knows."""


async def list_sessions(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /api/sessions``."""
    domain = get_portal(request)
    identity = await lookup_identity(request, domain)
    if identity is None:
        return _sign_in_needed()
    found = await list_own(request, identity)
    return ok([_record(login) for login in found])


async def delete_session(request: web.Request) -> web.StreamResponse:
    """Answer ``DELETE /api/sessions/{id}``."""
    domain = get_portal(request)
    check_own_origin(request)
    identity = await lookup_identity(request, domain)
    if identity is None:
        return _sign_in_needed()
    ending = await end_one(request, domain, identity, request.match_info["id"])
    if ending is None:
        return ko("no session of yours has this id", status=404)
    return _answer(request, ending)


async def delete_sessions(request: web.Request) -> web.StreamResponse:
    """Answer ``DELETE /api/sessions``, and the same with ``except=current``."""
    domain = get_portal(request)
    check_own_origin(request)
    # Compared whole: a misspelt parameter must not end the session it was to spare.
    query = request.rel_url.raw_query_string
    if query not in {"", EXCEPT_CURRENT}:
        return ko(f"the query can only be {EXCEPT_CURRENT}", status=400)
    try:
        identity = await lookup_identity(request, domain)
    except StoreUnavailableError:
        if query:
            raise
        return await _end_all_unseen(request, domain)
    if identity is None:
        return _sign_in_needed()
    end = end_others if query else end_all
    return _answer(request, await end(request, domain, identity))


async def _end_all_unseen(
    request: web.Request, domain: CookieDomain
) -> web.StreamResponse:
    name = request.app[keys.SETTINGS].cookie_name
    digests = digests_of(read_cookies(request.headers, name))
    return _answer(request, await end_all_unseen(request, domain, digests))


def _answer(request: web.Request, ending: Ending) -> web.StreamResponse:
    termination = ending.termination
    if not ending.is_current:
        if not termination.is_pending:
            return ok()
        wait = ("Retry-After", str(RETRY_AFTER_SECONDS))
        data = {"pending": True}
        return ko(PENDING_ELSEWHERE, status=503, data=data, headers=[wait])
    if termination.is_pending:
        return pending_json(termination)
    return ok(cookies=termination.cookies, headers=clear_site_data(request))


def _sign_in_needed() -> web.StreamResponse:
    return ko("sign-in needed", status=401)


def _record(login: OwnLogin) -> dict[str, Any]:
    return {
        "id": login.handle,
        "created": _spell(login.created),
        "last_seen": _spell(login.seen),
        "address": login.address,
        "user_agent": login.user_agent,
        "current": login.is_current,
        "domain": login.domains[0],
        "domains": login.domains,
        "remembered": login.remembered,
    }


def _spell(moment: datetime) -> str:
    """Return *moment* as ISO 8601 in UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
