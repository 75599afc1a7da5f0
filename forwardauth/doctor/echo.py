"""What an application shows of the request that reached it.

    the mark shows             the application shows all headers
    what was forged shows      it is told what a client claims to be
    the name does not show     it is not told who asks

Law: only an application that shows all headers can prove that some did not come.
"""

import re

from forwardauth.doctor.exchange import Reply
from forwardauth.doctor.findings import Finding, fail, ok, skip
from forwardauth.doctor.proxies import Fault, remedy_for


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
