"""A portal, asked through the proxy as a browser would.

Law: what a proxy must not pass on is sent along, so that passing it on shows.
"""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from forwardauth.adapters.headers import X_FORWARDED_FOR, X_FORWARDED_PROTO
from forwardauth.doctor.case import Case
from forwardauth.doctor.exchange import NAVIGATION, Exchange, Reply, Silence
from forwardauth.doctor.exposure import check_exposure
from forwardauth.doctor.findings import Finding, fail, ok, skip, warn
from forwardauth.doctor.proxies import Fault, guess_proxy, remedy_for
from forwardauth.doctor.seen import Seen, ask, clock_finding
from forwardauth.domains import CookieDomain

FORGED_ADDRESS: Final = "203.0.113.99"
"""Of the block for documentation: nobody comes from there."""

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_REFUSED: Final = frozenset({401, 403})
_CERTIFICATE_DAYS: Final = 14
_FORGED: Final = ((X_FORWARDED_FOR, FORGED_ADDRESS), (X_FORWARDED_PROTO, "gopher"))


async def check_portal(
    case: Case, exchange: Exchange, domain: CookieDomain
) -> tuple[list[Finding], Seen | None]:
    """Return how the portal of *domain* does, and what the service sees of the way."""
    url = domain.portal_url("")
    check = f"portal {domain.portal}"
    health = await exchange.send("GET", f"{url}/api/health", headers=NAVIGATION)
    if isinstance(health, Silence):
        return [_unreachable(case, check, health)], None
    proxy = case.proxy or guess_proxy(health.header("Server"))
    if health.status != _OK or health.data() != {"status": "OK"}:
        return [_strange(check, domain, health, proxy)], None
    findings = [
        ok(check, f"answers through the proxy in {health.seconds * 1000:.0f} ms")
    ]
    findings += await _check_certificate(case, exchange, domain)
    findings.append(await _check_cookies(exchange, domain, proxy))
    findings.append(await check_exposure(case, exchange, domain))
    if case.proofs is None:
        return findings, None
    seen, _ = await ask(
        exchange, url, proofs=case.proofs, clock=case.clock, headers=_FORGED
    )
    if seen is None:
        detail = "does not know our key: it is of another instance, or an older release"
        remedy = "give all instances the same session.secret, and the same release"
        return [*findings, warn(check, detail, remedy)], None
    findings += judge_way(case, domain, seen, proxy)
    findings.append(clock_finding(str(domain.portal), seen.offset))
    return findings, seen


def judge_way(
    case: Case, domain: CookieDomain, seen: Seen, proxy: str | None
) -> list[Finding]:
    """Return what the proxy says of a request to the portal, and who is believed."""
    host = seen.headers.get("Host", [])
    check = f"host at {domain.portal}"
    own = str(domain.portal).partition("://")[2]
    if [each.lower() for each in host] == [own]:
        findings = [ok(check, "the proxy keeps the header Host")]
    else:
        detail = f"the service is told {_shown(host)} instead of {own}"
        findings = [fail(check, detail, remedy_for(Fault.HOST, proxy))]
    findings.append(_judge_scheme(domain, seen, proxy))
    findings += [_judge_peer(case, seen), _judge_client(case, seen, proxy)]
    return findings


def _judge_scheme(domain: CookieDomain, seen: Seen, proxy: str | None) -> Finding:
    check = f"scheme at {domain.portal}"
    told = seen.headers.get(X_FORWARDED_PROTO, [])
    if told == [domain.portal.scheme]:
        return ok(check, f"the proxy says {domain.portal.scheme}")
    if not told:
        detail = f"the proxy sends no {X_FORWARDED_PROTO}"
        return warn(check, detail, remedy_for(Fault.SCHEME, proxy))
    detail = f"{X_FORWARDED_PROTO} is {_shown(told)}, not {domain.portal.scheme}"
    return fail(check, detail, remedy_for(Fault.SCHEME, proxy))


def _judge_peer(case: Case, seen: Seen) -> Finding:
    check, key = "trusted proxies", "server.trusted_proxies"
    if seen.is_trusted:
        wide = [
            network
            for network in map(ip_network, seen.trusted_proxies)
            if ip_address(seen.peer) in network and network.prefixlen == 0
        ]
        if wide:
            return fail(
                check,
                f"{wide[0]} is everybody: each of them may say who somebody is",
                f"write {ip_address(seen.peer)} in {case.place_of(key)}",
            )
        return ok(check, f"the proxy at {seen.peer} is one")
    return fail(
        check,
        f"the proxy comes from {seen.peer}, which is none: verify answers 403 to it",
        f"add {seen.peer} to {case.place_of(key)}",
    )


def _judge_client(case: Case, seen: Seen, proxy: str | None) -> Finding:
    check = "address of the client"
    told = seen.headers.get(X_FORWARDED_FOR, [])
    hops = [hop.strip() for value in told for hop in value.split(",")]
    if seen.client == FORGED_ADDRESS:
        detail = f"whoever sends {X_FORWARDED_FOR} chooses the address that counts"
        return fail(check, detail, remedy_for(Fault.CLIENT, proxy))
    if not hops:
        detail = f"the proxy sends no {X_FORWARDED_FOR}: everybody seems to be it"
        return fail(check, detail, remedy_for(Fault.CLIENT, proxy))
    if seen.client is None:
        detail = f"{X_FORWARDED_FOR} {_shown(told)} cannot be read"
        return fail(check, detail, remedy_for(Fault.CLIENT, proxy))
    if not seen.is_trusted:
        detail = "cannot be judged while the proxy is not trusted"
        place = case.place_of("server.trusted_proxies")
        return skip(check, detail, f"correct {place} first")
    return ok(check, f"the service takes us for {seen.client}")


async def _check_cookies(
    exchange: Exchange, domain: CookieDomain, proxy: str | None
) -> Finding:
    """Return whether the cookie of the login page gets through as it was set."""
    check = f"cookies of {domain.portal}"
    reply = await exchange.send("GET", domain.portal_url("/login"), headers=NAVIGATION)
    if isinstance(reply, Silence):
        return fail(check, f"the login page does not answer: {reply.reason}", _PROXY)
    if reply.status != _OK:
        detail = f"the login page is {reply.status}"
        return fail(check, detail, remedy_for(Fault.SCHEME, proxy))
    lines = reply.lines("Set-Cookie")
    if not lines:
        detail = "the login page sets none: something on the way takes it out"
        return fail(check, detail, remedy_for(Fault.PORTAL, proxy))
    if domain.is_secure and not all(map(_is_secure, lines)):
        detail = "the login page's has lost its Secure on the way"
        return fail(check, detail, remedy_for(Fault.PORTAL, proxy))
    return ok(check, "the login page sets its own")


def _is_secure(line: str) -> bool:
    return "secure" in [part.strip().lower() for part in line.split(";")]


_PROXY: Final = "see whether the proxy runs, and where the name leads"


def _unreachable(case: Case, check: str, silence: Silence) -> Finding:
    if silence.is_certificate:
        return fail(
            check,
            f"its certificate is not accepted: {silence.reason}",
            "let the proxy show a certificate for this name; --ca FILE trusts one of"
            " your own, --insecure looks at none",
        )
    place = case.place_of("cookies")
    remedy = f"{_PROXY}, or correct {place}; --resolve HOST:PORT:ADDRESS goes elsewhere"
    return fail(check, f"cannot be reached: {silence.reason}", remedy)


def _strange(
    check: str, domain: CookieDomain, reply: Reply, proxy: str | None
) -> Finding:
    location = reply.header("Location")
    is_sent_here = location.startswith(domain.portal_url("/"))
    if reply.status in _REFUSED or (reply.status in _REDIRECTS and is_sent_here):
        return fail(
            check,
            f"is refused with {reply.status}: it is behind forwardauth itself",
            f"take the portal out of what is protected; {_not_protected(proxy)}",
        )
    detail = f"something else answers there, with status {reply.status}"
    if reply.status in {502, 503, 504}:
        detail = f"the proxy does not get through to the service: status {reply.status}"
    return fail(check, detail, remedy_for(Fault.PORTAL, proxy))


def _not_protected(proxy: str | None) -> str:
    where = "of your proxy" if proxy is None else f"in deploy/{proxy}"
    return f"the example {where} leaves it out"


async def _check_certificate(
    case: Case, exchange: Exchange, domain: CookieDomain
) -> list[Finding]:
    check, portal = f"certificate of {domain.portal}", domain.portal
    if portal.scheme != "https":
        return []
    if case.reach.is_insecure:
        return [skip(check, "not looked at", "leave out --insecure")]
    until = await exchange.lookup_certificate_end(portal.host, portal.effective_port)
    if until is None:
        return [skip(check, "its end is not known", "look at it in a browser")]
    left = until - case.clock.now()
    detail = f"ends on {until:%Y-%m-%d}"
    if left < timedelta(days=_CERTIFICATE_DAYS):
        return [warn(check, detail, "renew it")]
    return [ok(check, detail)]


def _shown(values: Sequence[str]) -> str:
    return ", ".join(value[:100] for value in values) or "nothing"
