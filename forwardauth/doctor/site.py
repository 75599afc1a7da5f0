"""A protected address, asked for through the proxy by nobody in particular.

    address ─► what the rules say to nobody ─► ask for it ─► is that what came?

Laws: what comes from an application although the rules want a sign-in is a failure,
however the answer looks. A second request claims to be somebody else, from another
place, and a third by names that only look right: nothing may come of either.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from forwardauth.access_control.decision import Outcome
from forwardauth.doctor.aliases import check_aliases
from forwardauth.doctor.case import Case
from forwardauth.doctor.echo import judge_echo
from forwardauth.doctor.exchange import NAVIGATION, Exchange, Headers, Reply, Silence
from forwardauth.doctor.findings import Finding, fail, ok, skip, warn
from forwardauth.doctor.forgery import Forgery, forge, misleading_lines
from forwardauth.doctor.proxies import Fault, guess_proxy, remedy_for
from forwardauth.doctor.seen import Seen
from forwardauth.doctor.verdicts import leads_to_login, message_of, target_of
from forwardauth.domains import CookieDomain
from forwardauth.errors import ProxyRequestError, UnsafeTargetError
from forwardauth.redirects import check_target
from forwardauth.request import ANONYMOUS, parse_url
from forwardauth.web.page_content import ErrorKind

_PROGRAM: Final = (("Accept", "application/json"),)
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_INTERNAL: Final = 500
_REDIRECTS: Final = range(300, 400)
_GATEWAY: Final = frozenset({502, 503, 504})
_REFUSALS: Final = frozenset({_FORBIDDEN, _INTERNAL})
_SPOKEN: Final = frozenset({400, 429, 503})
"""Statuses of ours that say in words what is wrong."""


class Site:
    """One address, and what is known of the way there."""

    def __init__(self, case: Case, url: str, seen: Mapping[str, Seen | None]) -> None:
        """Read *url*; *seen* is what the service saw at the portal of each domain.

        Raises:
            ProxyRequestError: It is no address, or below no cookie domain.
        """
        self.url = url
        self._case = case
        self.original = parse_url(url)
        domain = case.settings.domains.lookup(self.original.host)
        if domain is None:
            raise ProxyRequestError("URL", "host_unknown", "is below no cookie domain")
        self.domain: CookieDomain = domain
        self._seen = seen.get(domain.name)
        if self._seen is not None and self._seen.client is not None:
            client = ip_address(self._seen.client)
            self.original = replace(self.original, client=client)
        if domain.is_secure and self.original.scheme != "https":
            self.original = replace(self.original, is_plain_http=True)
        decision = case.settings.access_control.decide(ANONYMOUS, self.original)
        self.expected = decision.outcome
        rule = decision.rule
        self.because = "the default policy" if rule is None else f"rule {rule}"

    async def check(self, exchange: Exchange) -> list[Finding]:
        """Return what came of all three requests."""
        reply = await exchange.send("GET", self.url, headers=NAVIGATION)
        if isinstance(reply, Silence):
            remedy = "see whether the proxy serves it; --resolve goes elsewhere"
            return [fail(self.url, f"cannot be reached: {reply.reason}", remedy)]
        if self.original.is_plain_http and _leads_to_https(reply):
            return [ok(self.url, "plain http leads to https")]
        proxy = self._case.proxy or guess_proxy(reply.header("Server"))
        if reply.status == _NOT_FOUND and await self._is_endpoint_missing(exchange):
            detail = "verify is asked at an address that it does not have: status 404"
            return [fail(self.url, detail, self._remedy_for(Fault.ENDPOINT, proxy))]
        findings = self._judge(reply, proxy)
        forgery = self.forge()
        forged = await exchange.send("GET", self.url, headers=self.lines_of(forgery))
        if isinstance(forged, Silence):
            detail = f"with forged headers there is no answer: {forged.reason}"
            return [*findings, warn(self.url, detail, "see the log of the proxy")]
        findings += self._judge_forged(reply, forged, forgery, proxy)
        return findings + await check_aliases(
            exchange,
            self.url,
            self._case.settings.headers.names,
            check=f"aliases of headers at {self.url}",
            proxy=proxy,
            was_asked=self.leads_to_portal(reply),
        )

    async def _is_endpoint_missing(self, exchange: Exchange) -> bool:
        """Whether a status 404 is that of the service, which tells a program so."""
        reply = await exchange.send("GET", self.url, headers=_PROGRAM)
        return isinstance(reply, Reply) and message_of(reply) == ErrorKind.NOT_FOUND

    def _judge(self, reply: Reply, proxy: str | None) -> list[Finding]:
        if self.leads_to_portal(reply):
            return self._judge_sign_in(reply, proxy)
        trouble = self._find_trouble(reply, proxy)
        if trouble is not None:
            return [trouble]
        match self.expected:
            case Outcome.ALLOW:
                return [ok(self.url, f"open to everybody by {self.because}, and it is")]
            case Outcome.FORBIDDEN if reply.status == _FORBIDDEN:
                return [ok(self.url, f"closed by {self.because}, and it is")]
            case Outcome.FORBIDDEN | Outcome.SIGN_IN:
                return [self._open(reply, proxy)]

    def _open(self, reply: Reply, proxy: str | None) -> Finding:
        wanted = "a sign-in" if self.expected is Outcome.SIGN_IN else "a refusal"
        return fail(
            self.url,
            f"OPEN: {self.because} wants {wanted}, and status {reply.status} came from"
            " the application without forwardauth being asked",
            remedy_for(Fault.NOT_ASKED, proxy),
        )

    def _judge_sign_in(self, reply: Reply, proxy: str | None) -> list[Finding]:
        if self.expected is not Outcome.SIGN_IN:
            detail = f"asks for a sign-in, although {self.because} says {self.expected}"
            remedy = (
                "see whether the service runs with this file, and what it takes"
                " the client's address for"
            )
            return [warn(self.url, detail, remedy)]
        findings = [ok(self.url, f"asks for a sign-in, as {self.because} wants")]
        told = target_of(reply)
        check = f"question about {self.url}"
        if told == self._way_back():
            return [*findings, ok(check, "scheme, host and path are told right")]
        remedy = remedy_for(Fault.QUESTION, proxy)
        return [*findings, fail(check, f"the proxy asks about {_shown(told)}", remedy)]

    def _way_back(self) -> str:
        """Return the address that a right question brings into the sign-in."""
        try:
            return check_target(self.original.url, self._case.settings.target_policy)
        except UnsafeTargetError:
            return ""

    def _find_trouble(self, reply: Reply, proxy: str | None) -> Finding | None:
        """Return what the answer tells of a question that went wrong, if it does."""
        status, said = reply.status, message_of(reply)
        is_refused = status == _FORBIDDEN and self.expected is not Outcome.FORBIDDEN
        seen = self._seen
        if seen is not None and not seen.is_trusted and status in _REFUSALS:
            place = self._case.place_of("server.trusted_proxies")
            detail = f"verify refuses the proxy at {seen.peer}: it is not trusted"
            return fail(self.url, detail, f"add {seen.peer} to {place}")
        fault = Fault.QUESTION
        if said and (is_refused or status in _SPOKEN):
            detail = f"verify answers {status}: {said}"
            if proxy and "deploy/" in said and f"deploy/{proxy}/" not in said:
                fault = Fault.ENDPOINT  # Of another proxy, whose words it wants.
        elif is_refused:
            detail = "verify does not understand the question: status 403"
        elif status == _INTERNAL:
            detail = (
                "status 500: the proxy understands no answer to its question, or the"
                " application has failed"
            )
            if self.expected is not Outcome.ALLOW:
                detail += ", and then nobody was asked whether it may pass"
            fault = Fault.NOT_ANSWERED
        elif status in _GATEWAY:
            detail = f"the proxy reaches no service, or no application: status {status}"
            fault = Fault.NOT_ANSWERED
        elif status == _UNAUTHORIZED and self.expected is Outcome.SIGN_IN:
            detail, fault = "status 401, and no way to the portal", Fault.NO_REDIRECT
        else:
            return None
        return fail(self.url, detail, self._remedy_for(fault, proxy))

    def _remedy_for(self, fault: Fault, proxy: str | None) -> str:
        """Return the line to change, with what a base path makes of it."""
        path = self._case.settings.server.base_path
        hint = f", with {path} before /verify" if path else ""
        return remedy_for(fault, proxy) + hint

    def _judge_forged(
        self, reply: Reply, forged: Reply, forgery: Forgery, proxy: str | None
    ) -> list[Finding]:
        check = f"forged headers at {self.url}"
        was_asked = self.leads_to_portal(reply)
        if was_asked and not self.leads_to_portal(forged):
            if forged.status == _FORBIDDEN:
                # Not the answer to the address that was asked for: to another one.
                detail = "the client chooses what is asked about: status 403"
                return [fail(check, detail, remedy_for(Fault.QUESTION, proxy))]
            if forged.status >= 400:  # noqa: PLR2004 - a refusal, of whatever kind
                return [ok(check, f"are refused with {forged.status}")]
            detail = f"OPEN: whoever claims to be somebody passes, with {forged.status}"
            return [fail(check, detail, remedy_for(Fault.IDENTITY, proxy))]
        if was_asked and target_of(forged) != target_of(reply):
            detail = (
                f"the client chooses what is asked about: {_shown(target_of(forged))}"
            )
            return [fail(check, detail, remedy_for(Fault.QUESTION, proxy))]
        return [judge_echo(check, forged, forgery, proxy, was_asked=was_asked)]

    def leads_to_portal(self, reply: Reply) -> bool:
        """Whether *reply* sends the browser to the login page."""
        return leads_to_login(reply, self.domain)

    def forge(self) -> Forgery:
        """Return a claim to be somebody."""
        return forge(self._case.settings.headers.names)

    def lines_of(self, forgery: Forgery) -> Headers:
        """Return the headers of a request with *forgery*, as if from elsewhere."""
        return (*forgery.lines(), *misleading_lines(self.domain, forgery.mark))


def _leads_to_https(reply: Reply) -> bool:
    is_redirect = reply.status in _REDIRECTS
    return is_redirect and reply.header("Location").startswith("https://")


def _shown(target: str) -> str:
    return target[:200] or "an address to which no browser may be sent back"


async def check_site(
    case: Case, exchange: Exchange, url: str, seen: Mapping[str, Seen | None]
) -> list[Finding]:
    """Return what was found about *url*.

    Args:
        case: What is looked at.
        exchange: The way to the proxy.
        url: As it was typed.
        seen: What the service saw at the portal of each cookie domain.
    """
    try:
        site = Site(case, url, seen)
    except ProxyRequestError as exc:
        place = case.place_of("cookies")
        return [fail(url, str(exc), f"correct the address, or {place}")]
    if site.original.path in case.settings.logout.paths:
        remedy = "ask for another address"
        return [skip(url, "is taken over for signing out, by logout.paths", remedy)]
    return await site.check(exchange)
