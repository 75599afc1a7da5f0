"""The verify flow: may this request pass?

    proxy request ─► original request ─► logout? ─► session ─► decision ─► answer

Laws: 2xx is answered for ``Allowed`` alone. Nothing is written for a request without a
live session. A logout on a protected host comes before any rule.
"""

from dataclasses import replace

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.access_control.decision import Decision, Outcome
from forwardauth.adapters.base import (
    Adapter,
    Allowed,
    Answer,
    Forbidden,
    Malformed,
    ProxyRequest,
    RequestKind,
    SignInNeeded,
    Unavailable,
    Verdict,
)
from forwardauth.adapters.kinds import classify, is_preflight
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.errors import (
    ProxyRequestError,
    StoreUnavailableError,
    UnfitIdentityError,
)
from forwardauth.request import ANONYMOUS, OriginalRequest, Subject
from forwardauth.web import keys
from forwardauth.web.answers import content_policy, from_adapter
from forwardauth.web.audit import log_verdict
from forwardauth.web.caller import lookup_identity
from forwardauth.web.forwarded import check_trusted_peer, lookup_browser_address
from forwardauth.web.handlers.takeover import take_over_logout
from forwardauth.web.metrics import VERIFICATIONS
from forwardauth.web.sign_in import forbidden_page, login_url


def create_verify(adapter: Adapter, path: str) -> Handler:
    """Return the handler that speaks the dialect of *adapter* at and below *path*."""

    async def verify(request: web.Request) -> web.StreamResponse:
        settings = request.app[keys.SETTINGS]
        check_trusted_peer(request, settings.trusted_proxies)
        taken_over = settings.logout.paths if adapter.takes_over_logout else frozenset()
        try:
            original = _read(adapter, _proxy_request(request, path, taken_over))
            domain = _get_domain(original, settings.domains)
        except ProxyRequestError as exc:
            _tell(request, adapter, reason=exc.reason, detail=str(exc))
            return from_adapter(adapter.answer(Malformed(error=exc)))
        if original.path in taken_over:
            return await take_over_logout(request, original, domain)
        try:
            subject = await _lookup_subject(request, domain)
        except StoreUnavailableError:
            _tell(request, adapter, original=original, reason="store_unavailable")
            return from_adapter(adapter.answer(Unavailable()))
        decision = request.app[keys.ACCESS_CONTROL].decide(subject, original)
        verdict = _verdict(request, original, domain, subject, decision.outcome)
        answer, decision, detail = _answer(adapter, verdict, decision)
        _tell(
            request,
            adapter,
            original=original,
            decision=decision,
            user=subject.username,
            detail=detail,
        )
        return from_adapter(answer)

    return verify


def _answer(
    adapter: Adapter, verdict: Verdict, decision: Decision
) -> tuple[Answer, Decision, str | None]:
    """Return what is answered, and why: nobody passes whom no header line can name."""
    try:
        return adapter.answer(verdict), decision, None
    except UnfitIdentityError as exc:
        decision = replace(decision, outcome=Outcome.FORBIDDEN, reason=exc.reason)
        return adapter.answer(Forbidden()), decision, str(exc)


def _tell(
    request: web.Request,
    adapter: Adapter,
    *,
    original: OriginalRequest | None = None,
    decision: Decision | None = None,
    user: str | None = None,
    reason: str | None = None,
    detail: str | None = None,
) -> None:
    """Count and log the verdict: by decision, else *reason* says why there is none."""
    outcome = decision.outcome.value if decision else "refused"
    request.app[keys.METRICS].count(VERIFICATIONS, adapter.name, outcome)
    log_verdict(
        adapter.name,
        outcome,
        original,
        decision=decision,
        user=user,
        reason=reason,
        detail=detail,
    )


def _read(adapter: Adapter, request: ProxyRequest) -> OriginalRequest:
    """Return the original request; what the browser says of it is no adapter's."""
    original = adapter.read(request)
    if is_preflight(original.method, request.headers):
        return replace(original, is_preflight=True)
    return original


def _proxy_request(
    request: web.Request, path: str, logout_paths: frozenset[str]
) -> ProxyRequest:
    trusted = request.app[keys.SETTINGS].trusted_proxies
    raw = request.raw_path
    return ProxyRequest(
        method=request.method,
        # The router has compared decoded text, so the raw one may begin otherwise.
        target=raw[len(path) :] if raw.startswith(path) else "",
        headers=request.headers,
        client=lookup_browser_address(request, trusted),
        logout_paths=logout_paths,
    )


def _get_domain(original: OriginalRequest, domains: CookieDomains) -> CookieDomain:
    domain = domains.lookup(original.host)
    if domain is None:
        raise ProxyRequestError(
            "host", "host_unknown", "is below no configured cookie domain"
        )
    return domain


async def _lookup_subject(request: web.Request, domain: CookieDomain) -> Subject:
    identity = await lookup_identity(request, domain)
    return ANONYMOUS if identity is None else identity.subject


def _verdict(
    request: web.Request,
    original: OriginalRequest,
    domain: CookieDomain,
    subject: Subject,
    outcome: Outcome,
) -> Verdict:
    kind = classify(original.method, request.headers)
    match outcome:
        case Outcome.ALLOW if original.is_preflight:
            # The rules were asked for nobody in particular, so nobody passes.
            return Allowed(subject=ANONYMOUS)
        case Outcome.ALLOW:
            return Allowed(subject=subject)
        case Outcome.SIGN_IN:
            url = login_url(domain, original, request.app[keys.SETTINGS].targets)
            return SignInNeeded(login_url=url, kind=kind, method=original.method)
        case Outcome.FORBIDDEN if kind is RequestKind.NAVIGATION:
            return Forbidden(
                page=forbidden_page(request, original, domain, subject),
                content_policy=content_policy(domain.portal),
            )
        case Outcome.FORBIDDEN:
            return Forbidden()
