"""Whether a client can say who it is by a name that only looks like the right one.

Law: a refusal is as good as a removal. A proxy that hands such a header on to the
service, and not to the application, is answered with one.
"""

from forwardauth.doctor.echo import judge_echo
from forwardauth.doctor.exchange import Exchange, Headers, Silence
from forwardauth.doctor.findings import Finding, ok, warn
from forwardauth.doctor.forgery import forge_aliases
from forwardauth.doctor.proxies import Fault

_REFUSALS = range(400, 500)


async def check_aliases(
    exchange: Exchange,
    url: str,
    names: tuple[str, ...],
    *,
    check: str,
    proxy: str | None,
    was_asked: bool = False,
    headers: Headers = (),
) -> list[Finding]:
    """Return what becomes of headers that applications take for those called *names*.

    Args:
        exchange: The way to the proxy.
        url: Of an application.
        names: The identity headers.
        check: What the finding is called.
        proxy: Its name in ``deploy/``, if known.
        was_asked: Whether nobody in particular is asked for a sign-in there.
        headers: Sent along, such as the cookie of a session.
    """
    forgery = forge_aliases(names)
    if not forgery.names:
        return []
    reply = await exchange.send("GET", url, headers=(*forgery.lines(), *headers))
    if isinstance(reply, Silence):
        detail = f"there is no answer: {reply.reason}"
        return [warn(check, detail, "see the log of the proxy")]
    if reply.status in _REFUSALS and not forgery.is_shown(reply.body):
        return [ok(check, f"are refused with {reply.status}, or change nothing")]
    return [
        judge_echo(check, reply, forgery, proxy, was_asked=was_asked, fault=Fault.ALIAS)
    ]
