"""What an application shows of the request that reached it.

Law: only an application that shows all headers can prove that some did not come.
"""

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
