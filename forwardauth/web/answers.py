"""How we answer: redirects, pages and JSON, with the headers that keep them safe.

Laws: a redirect leaves only as a checked value, with status 303 and the very text that
was checked. Nothing we answer may be kept by a cache, static files apart.
"""

from collections.abc import Iterable
from typing import Any, Final, NewType
from urllib.parse import quote

from aiohttp import web

from forwardauth.adapters.base import Answer
from forwardauth.domains import CookieDomain, Origin
from forwardauth.redirects import SafeTarget

PortalUrl = NewType("PortalUrl", str)
"""A URL of a portal of ours, made from configuration alone by ``portal_url``."""

SERVER_NAME: Final = "forwardauth"
"""Without versions: whoever looks for a hole need not be helped."""

RETRY_AFTER_SECONDS: Final = 5
"""When a client may ask again after an outage."""

_BASE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Sec-Fetch-Site, Origin, Cookie, Accept, Accept-Language",
}
_POLICY: Final = (
    "default-src 'none'; style-src {place}; img-src {place}; base-uri 'none'; "
    "form-action 'self' {schemes}; frame-ancestors 'none'"
)
_SCRIPT_POLICY: Final = "; script-src 'self'; connect-src 'self'"


def portal_url(
    domain: CookieDomain, path: str, *, target: SafeTarget | None = None
) -> PortalUrl:
    """Return the URL of our page *path*, a constant, on the portal of *domain*.

    A checked *target* goes along as ``rd``, encoded once.
    """
    query = "" if target is None else f"?rd={quote(target, safe='')}"
    return PortalUrl(domain.portal_url(path) + query)


def see_other(
    target: SafeTarget | PortalUrl,
    *,
    cookies: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> web.Response:
    """Return a 303 to *target*, byte for byte.

    Not ``web.HTTPFound``, which quotes again and drops line breaks without a word.

    Args:
        target: Only ``check_target`` and ``portal_url`` make one.
        cookies: Values of ``Set-Cookie``, each on a line of its own.
        headers: Further header lines.
    """
    response = web.Response(status=303, headers={"Location": target})
    response.headers["Referrer-Policy"] = "no-referrer"
    return _finish(response, cookies, headers)


def page(
    html: str,
    *,
    status: int = 200,
    cookies: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
    referrer: str = "no-referrer",
    origin: Origin | None = None,
    has_script: bool = False,
) -> web.Response:
    """Return an HTML page under a policy that no template can weaken.

    The policy lets a form lead to any https address, since Chromium holds the whole
    chain of redirects after a form against it, and an application may go on to its own
    sign-in elsewhere. Where our answer leads is for ``check_target`` to say.

    Args:
        html: From ``Pages``.
        status: Of the answer.
        cookies: Values of ``Set-Cookie``, each on a line of its own.
        headers: Further header lines.
        referrer: ``same-origin`` where a form needs a true ``Origin``: under
            ``no-referrer`` browsers send ``null``.
        origin: The portal, for a page with a form (the sites of an http portal on
            localhost are http too), and for one that is shown on a protected host.
        has_script: Whether the page, on the portal, loads a script of ours.
    """
    response = web.Response(
        text=html, status=status, content_type="text/html", charset="utf-8"
    )
    response.headers["Content-Security-Policy"] = content_policy(
        origin, has_script=has_script
    )
    response.headers["Referrer-Policy"] = referrer
    return _finish(response, cookies, headers)


def content_policy(origin: Origin | None = None, *, has_script: bool = False) -> str:
    """Return the ``Content-Security-Policy`` of pages; the arguments as in ``page``.

    A script may come from the page's own host alone, so that nothing of ours runs
    within an application's origin, where a page may be shown as well.
    """
    schemes = "https:" if origin is None or origin.scheme == "https" else "http: https:"
    policy = _POLICY.format(
        place="'self'" if origin is None else str(origin), schemes=schemes
    )
    return policy + _SCRIPT_POLICY if has_script else policy


def json_answer(
    content: dict[str, Any],
    *,
    status: int = 200,
    cookies: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> web.Response:
    """Return *content* as JSON."""
    response = web.json_response(content, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return _finish(response, cookies, headers)


def ok(
    data: object = None,
    *,
    cookies: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> web.Response:
    """Return 200 ``{"status": "OK", "data": …}``, without ``data`` when it is None."""
    content: dict[str, Any] = {"status": "OK"}
    if data is not None:
        content["data"] = data
    return json_answer(content, cookies=cookies, headers=headers)


def ko(
    message: str,
    *,
    status: int,
    data: object = None,
    cookies: Iterable[str] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> web.Response:
    """Return ``{"status": "KO", "message": …}`` with an error *status*."""
    content: dict[str, Any] = {"status": "KO", "message": message}
    if data is not None:
        content["data"] = data
    return json_answer(content, status=status, cookies=cookies, headers=headers)


def from_adapter(answer: Answer) -> web.Response:
    """Return what an adapter answers, as it is."""
    response = web.Response(status=answer.status, body=answer.body)
    # A default type of aiohttp's must not appear beside or instead of the adapter's.
    response.headers.popall("Content-Type", None)
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


def _finish(
    response: web.Response,
    cookies: Iterable[str],
    headers: Iterable[tuple[str, str]],
) -> web.Response:
    for name, value in _BASE_HEADERS.items():
        response.headers[name] = value
    for name, value in headers:
        response.headers.add(name, value)
    # Not ``set_cookie``: it keeps one line for each name, and we need one a variant.
    for line in cookies:
        response.headers.add("Set-Cookie", line)
    return response
