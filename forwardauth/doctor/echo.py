"""What an application shows of the request that reached it.

    the mark shows             the application shows all headers
    what was forged shows      it is told what a client claims to be
    the name does not show     it is not told who asks

Law: only an application that shows all headers can prove that some did not come.
"""

import re
from collections.abc import Iterable
from typing import Final

from forwardauth.adapters.headers import (
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    X_ORIGINAL_METHOD,
    X_ORIGINAL_URL,
)
from forwardauth.doctor.exchange import NAVIGATION, Headers, Reply
from forwardauth.doctor.findings import Finding, fail, ok, skip
from forwardauth.doctor.proxies import Fault, remedy_for
from forwardauth.domains import CookieDomain

_MARK_HEADER: Final = "Forwardauth-Doctor-Mark"
"""Passes every proxy, so an application that shows its headers shows it."""


def forge(names: Iterable[str], domain: CookieDomain, mark: str) -> Headers:
    """Return headers by which a client claims to be somebody, from elsewhere.

    Args:
        names: Of the identity headers.
        domain: Where the request goes.
        mark: What the forged values are known by.
    """
    host = f"{mark}.{domain.name}"
    return (
        *NAVIGATION,
        (_MARK_HEADER, f"seen-{mark}"),
        *((name, f"forged-{mark}") for name in names),
        (X_FORWARDED_HOST, host),
        (X_FORWARDED_URI, f"/{mark}"),
        (X_FORWARDED_PROTO, "https"),
        (X_FORWARDED_METHOD, "HEAD"),
        (X_ORIGINAL_URL, f"https://{host}/{mark}"),
        (X_ORIGINAL_METHOD, "HEAD"),
    )


def judge_echo(
    check: str, reply: Reply, mark: str, proxy: str | None, *, was_asked: bool
) -> Finding:
    """Return whether the application was told what a client claims to be.

    An application tells only if it shows the headers that reach it.
    """
    if f"forged-{mark}".encode() in reply.body:
        detail = "reach the application: a client can say who it is"
        return fail(check, detail, remedy_for(Fault.IDENTITY, proxy))
    if f"seen-{mark}".encode() in reply.body:
        return ok(check, "do not reach the application, which shows all others")
    if was_asked:
        return ok(check, "change nothing")
    return skip(
        check,
        "the application does not show what reaches it",
        "ask for an address of one that does, such as traefik/whoami",
    )


def judge_told(
    check: str, reply: Reply, mark: str, line: tuple[str, str], proxy: str | None
) -> Finding:
    """Return whether the application was told *line*, a header and the user's name.

    However it shows headers: between the two stand a few marks and no letters.
    """
    name, username = line
    shown = re.compile(
        rf"{re.escape(name)}[^A-Za-z0-9]{{1,8}}{re.escape(username)}\b", re.IGNORECASE
    )
    if f"seen-{mark}".encode() not in reply.body:
        return skip(
            check,
            "the application does not show what reaches it",
            "ask for an address of one that does, such as traefik/whoami",
        )
    if shown.search(reply.body.decode("utf-8", "replace")):
        return ok(check, f"the application is told that it is {username}")
    detail = "the application is not told who asks"
    return fail(check, detail, remedy_for(Fault.IDENTITY_LOST, proxy))
