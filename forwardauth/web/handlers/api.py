"""The portal's JSON interface but for logout: sign-in, state and the redirect check.

Paths and shapes are those that Authelia's users have scripts for.
"""

from typing import Final

from aiohttp import web

from forwardauth.errors import CredentialsError, CsrfError, UnsafeTargetError
from forwardauth.redirects import check_target
from forwardauth.web import keys
from forwardauth.web.answers import ko, ok
from forwardauth.web.caller import get_portal, lookup_identity
from forwardauth.web.credentials import sign_in
from forwardauth.web.forwarded import get_host
from forwardauth.web.intent import Provenance, judge_provenance
from forwardauth.web.json_body import read_object
from forwardauth.web.login_destination import destination_of, lookup_login_target

_FAILED: Final = "user name and password do not match"


async def first_factor(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /api/firstfactor``."""
    domain = get_portal(request)
    check_own_origin(request)
    content = await read_object(request)
    username, password = content.get("username"), content.get("password")
    if not isinstance(username, str) or not isinstance(password, str):
        return ko("username and password have to be text", status=400)
    try:
        signed_in = await sign_in(
            request,
            domain,
            username=username,
            password=password,
            remember_me=content.get("keepMeLoggedIn") is True,
        )
    except CredentialsError:
        return ko(_FAILED, status=401)
    target = content.get("targetURL")
    values = (target,) if isinstance(target, str) else ()
    url = destination_of(request, domain, lookup_login_target(request, values))
    return ok({"redirect": url}, cookies=signed_in.cookies)


def check_own_origin(request: web.Request) -> None:
    """Return when the request is the portal's own, or no browser says otherwise.

    Raises:
        CsrfError: Another origin asks, a sibling host among them.
    """
    domains = request.app[keys.SETTINGS].domains
    host = get_host(request)
    provenance = judge_provenance(request.headers, host=host, domains=domains)
    is_sibling = request.headers.getall("Sec-Fetch-Site", []) == ["same-site"]
    domain = domains.lookup(host)
    origins = request.headers.getall("Origin", [])
    own = {str(domain.portal)} if domain is not None else set()
    if provenance is Provenance.FOREIGN or is_sibling or not own.issuperset(origins):
        raise CsrfError("the request comes from another origin")


async def state(request: web.Request) -> web.StreamResponse:
    """Answer ``GET /api/state``: who is signed in, if anybody."""
    domain = get_portal(request)
    identity = await lookup_identity(request, domain)
    return ok(
        {
            "username": "" if identity is None else identity.user.username,
            "authentication_level": 0 if identity is None else identity.subject.level,
            "default_redirection_url": destination_of(request, domain, None),
        }
    )


async def safe_redirection(request: web.Request) -> web.StreamResponse:
    """Answer ``POST /api/checks/safe-redirection`` for somebody who is signed in."""
    domain = get_portal(request)
    if await lookup_identity(request, domain) is None:
        return ko("sign-in needed", status=401)
    uri = (await read_object(request)).get("uri")
    if not isinstance(uri, str):
        return ko("uri has to be text", status=400)
    try:
        check_target(uri, request.app[keys.SETTINGS].targets)
    except UnsafeTargetError:
        return ok({"ok": False})
    return ok({"ok": True})
