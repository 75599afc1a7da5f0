"""One sign-in and sign-out through the proxy, as a user who lent a password.

Law: what is opened here is closed here. The session ends before the report is given,
and that it has ended is part of the report.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from forwardauth.access_control.decision import Outcome
from forwardauth.doctor.aliases import check_aliases
from forwardauth.doctor.case import Case
from forwardauth.doctor.echo import judge_echo, judge_told
from forwardauth.doctor.exchange import NAVIGATION, Exchange, Reply, Silence
from forwardauth.doctor.findings import Finding, fail, ok, warn
from forwardauth.doctor.proxies import Fault, guess_proxy, remedy_for
from forwardauth.doctor.seen import Seen
from forwardauth.doctor.site import Site
from forwardauth.domains import CookieDomain
from forwardauth.errors import ProxyRequestError
from forwardauth.request import ANONYMOUS
from forwardauth.web.identity import subject_of

_OK: Final = 200
_FORBIDDEN: Final = 403
_INTERNAL: Final = 500
_ONE_FACTOR: Final = 1
_JSON: Final = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signs in."""

    username: str
    password: str = field(repr=False)


async def check_sign_in(
    case: Case,
    exchange: Exchange,
    domain: CookieDomain,
    seen: Seen | None,
    person: Person,
) -> list[Finding]:
    """Return what came of signing in on *domain*, of visits there, and of the end."""
    check = f"sign-in at {domain.portal}"
    content = {"username": person.username, "password": person.password}
    reply = await exchange.send(
        "POST",
        domain.portal_url("/api/firstfactor"),
        headers=(_JSON,),
        body=json.dumps(content).encode(),
    )
    if isinstance(reply, Silence):
        return [fail(check, f"no answer: {reply.reason}", "see the log of the proxy")]
    if reply.status != _OK:
        said = str(reply.data().get("message", "no reason"))[:200]
        remedy = "use a name and password of the users file"
        return [fail(check, f"status {reply.status}: {said}", remedy)]
    proxy = case.proxy or guess_proxy(reply.header("Server"))
    cookie, finding = _judge_cookie(case, domain, reply, proxy)
    if not cookie:
        return [finding]
    findings = [ok(check, f"{person.username} signs in"), finding]
    sites = _sites_of(case, domain, seen)
    for site in sites:
        findings += await _visit(case, exchange, site, person, cookie)
    findings += await _sign_out(exchange, domain, sites, cookie)
    return findings


def _judge_cookie(
    case: Case, domain: CookieDomain, reply: Reply, proxy: str | None
) -> tuple[str, Finding]:
    """Return the session cookie to send back, and whether it reaches all hosts."""
    check, name = f"session cookie of {domain.name}", case.settings.session.cookie_name
    wanted = {f"domain={domain.name}", "path=/", "httponly"}
    wanted |= {"secure"} if domain.is_secure else set()
    for line in reply.lines("Set-Cookie"):
        pair, *rest = (part.strip() for part in line.split(";"))
        if not pair.startswith(f"{name}=") or pair == f"{name}=":
            continue
        missing = sorted(wanted - {part.lower() for part in rest})
        if not missing:
            return pair, ok(check, f"reaches every host below {domain.name}")
        detail = f"lacks {', '.join(missing)}: something on the way rewrites it"
        return pair, fail(check, detail, remedy_for(Fault.PORTAL, proxy))
    detail = "does not come through: something on the way takes it out"
    return "", fail(check, detail, remedy_for(Fault.PORTAL, proxy))


def _sites_of(case: Case, domain: CookieDomain, seen: Seen | None) -> list[Site]:
    sites: list[Site] = []
    for url in case.urls:
        try:
            site = Site(case, url, {domain.name: seen})
        except ProxyRequestError:
            # Told of already, by the look that nobody in particular had.
            continue
        if site.domain == domain:
            sites.append(site)
    return sites


async def _visit(
    case: Case, exchange: Exchange, site: Site, person: Person, cookie: str
) -> list[Finding]:
    check = f"{site.url} as {person.username}"
    forgery = site.forge()
    headers = (*site.lines_of(forgery), ("Cookie", cookie))
    reply = await exchange.send("GET", site.url, headers=headers)
    if isinstance(reply, Silence) or reply.status >= _INTERNAL:
        told = reply.reason if isinstance(reply, Silence) else f"status {reply.status}"
        remedy = "see what nobody in particular was answered, and the log of the proxy"
        return [fail(check, f"does not get through: {told}", remedy)]
    proxy = case.proxy or guess_proxy(reply.header("Server"))
    user = case.inspection.users.get(person.username)
    subject = ANONYMOUS if user is None else subject_of(user, _ONE_FACTOR)
    decision = case.settings.access_control.decide(subject, site.original)
    is_shut = reply.status == _FORBIDDEN or site.leads_to_portal(reply)
    if decision.outcome is not Outcome.ALLOW:
        if is_shut:
            return [ok(check, f"does not pass, as the rules say {decision.outcome}")]
        detail = f"OPEN: the rules say {decision.outcome}, and it is {reply.status}"
        return [fail(check, detail, remedy_for(Fault.NOT_ASKED, proxy))]
    if not is_shut:
        names, told = case.settings.headers.names, f"identity at {check}"
        line = (case.settings.headers.user, subject.username)
        echo = f"forged headers at {check}"
        return [
            ok(check, f"passes with status {reply.status}"),
            judge_echo(echo, reply, forgery, proxy, was_asked=False),
            judge_told(told, reply, forgery, line, proxy),
            *await check_aliases(
                exchange,
                site.url,
                names,
                check=f"aliases of headers at {check}",
                proxy=proxy,
                headers=(("Cookie", cookie),),
            ),
        ]
    if reply.status == _FORBIDDEN:
        detail = "is refused with 403, although the rules let it pass"
        remedy = "see the line of this request in the log of the service"
        return [warn(check, detail, remedy)]
    detail = "asks for a sign-in again: the session cookie does not get to verify"
    return [fail(check, detail, remedy_for(Fault.QUESTION, proxy))]


async def _sign_out(
    exchange: Exchange, domain: CookieDomain, sites: Sequence[Site], cookie: str
) -> list[Finding]:
    check = f"sign-out at {domain.portal}"
    headers = (("Cookie", cookie), _JSON)
    reply = await exchange.send(
        "POST", domain.portal_url("/api/logout"), headers=headers, body=b"{}"
    )
    if isinstance(reply, Silence) or reply.status != _OK:
        told = reply.reason if isinstance(reply, Silence) else f"status {reply.status}"
        remedy = "end it by hand: forwardauth sessions list, then sessions revoke"
        return [fail(check, f"the session may live on: {told}", remedy)]
    findings = [ok(check, "the session has ended")]
    for site in sites:
        if site.expected is not Outcome.SIGN_IN:
            continue
        again = await exchange.send(
            "GET", site.url, headers=(*NAVIGATION, ("Cookie", cookie))
        )
        check = f"{site.url} after the sign-out"
        if isinstance(again, Reply) and again.status >= _INTERNAL:
            # Nobody got in, and why has been told.
            continue
        if isinstance(again, Reply) and site.leads_to_portal(again):
            findings.append(ok(check, "asks for a sign-in again"))
        else:
            told = (
                f"status {again.status}" if isinstance(again, Reply) else again.reason
            )
            remedy = "see whether the proxy keeps answers of verify (a cache)"
            findings.append(fail(check, f"is not asked for a sign-in: {told}", remedy))
    return findings
