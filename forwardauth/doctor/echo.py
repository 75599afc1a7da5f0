"""What an application shows of the request that reached it.

    the mark shows             the application shows all headers
    what was forged shows      it is told what a client claims to be
    the name does not show     it is not told who asks

Law: only an application that shows all headers can prove that some did not come.
"""

import re
from typing import Final

from forwardauth.doctor.exchange import Reply
from forwardauth.doctor.findings import Finding, fail, ok, skip
from forwardauth.doctor.forgery import Forgery
from forwardauth.doctor.proxies import Fault, remedy_for

_BLIND: Final = "the application does not show what reaches it"
_SHOW: Final = "ask for an address of one that does, such as traefik/whoami"


def judge_echo(
    check: str,
    reply: Reply,
    forgery: Forgery,
    proxy: str | None,
    *,
    was_asked: bool,
    fault: Fault = Fault.IDENTITY,
) -> Finding:
    """Return whether the application was told what a client claims to be.

    An application tells only if it shows the headers that reach it.
    """
    if reached := forgery.names_in(reply.body):
        what = "reaches" if len(reached) == 1 else "reach"
        names = ", ".join(reached)
        detail = f"{names} {what} the application: a client can say who it is"
        return fail(check, detail, remedy_for(fault, proxy))
    if forgery.is_shown(reply.body):
        return ok(check, "do not reach the application, which shows all others")
    if was_asked:
        return ok(check, "change nothing")
    return skip(check, _BLIND, _SHOW)


def judge_told(
    check: str,
    reply: Reply,
    forgery: Forgery,
    line: tuple[str, str],
    proxy: str | None,
) -> Finding:
    """Return whether the application was told *line*, a header and the user's name.

    However it shows headers: between the two stand a few marks and no letters.
    """
    name, username = line
    shown = re.compile(
        rf"{re.escape(name)}[^A-Za-z0-9]{{1,8}}{re.escape(username)}\b", re.IGNORECASE
    )
    if not forgery.is_shown(reply.body):
        return skip(check, _BLIND, _SHOW)
    if shown.search(reply.body.decode("utf-8", "replace")):
        return ok(check, f"the application is told that it is {username}")
    detail = "the application is not told who asks"
    return fail(check, detail, remedy_for(Fault.IDENTITY_LOST, proxy))
