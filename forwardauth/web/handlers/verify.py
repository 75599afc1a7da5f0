"""The verify flow: may this request pass?

    proxy request ─► original request ─► logout? ─► session ─► decision ─► answer
                                                    else Basic, where a rule takes it

Laws: 2xx is answered for ``Allowed`` alone. Nothing is written for a request without a
live session. Basic counts where the rule that asks for a sign-in takes it, and the rule
that decides about the user then takes it too; else nobody in particular has asked. A
logout on a protected host comes before any rule.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.access_control.decision import (
    SCHEME_INSECURE_REASON,
    Decision,
    Outcome,
)
from forwardauth.adapters.base import (
    Adapter,
    Allowed,
    Answer,
    Forbidden,
    Malformed,
    ProxyRequest,
    RequestKind,
    SignInNeeded,
    Throttled,
    Unavailable,
    Verdict,
)
from forwardauth.adapters.kinds import classify
from forwardauth.errors import (
    CredentialsError,
    ProxyRequestError,
    StoreUnavailableError,
    ThrottledError,
    UnfitIdentityError,
)
from forwardauth.request import ANONYMOUS, OriginalRequest, Subject
from forwardauth.sessions.ids import Digest
from forwardauth.web import keys
from forwardauth.web.answers import from_adapter
from forwardauth.web.authorization import challenge_for, lookup_basic
from forwardauth.web.caller import lookup_identity
from forwardauth.web.forwarded import check_trusted_peer, lookup_browser_address
from forwardauth.web.handlers.takeover import take_over_logout
from forwardauth.web.identity import Identity, subject_of
from forwardauth.web.metrics import VERIFICATIONS
from forwardauth.web.question import Question, read_question
from forwardauth.web.references import reference_of
from forwardauth.web.request_ids import lookup_given_id, tell_current_id
from forwardauth.web.sign_in import closed_door, login_url
from forwardauth.web.verify_log import log_verdict

_ONE_FACTOR: Final = 1
_USE_HTTPS: Final = (
    "this site is open by https alone: redirect http to https in the proxy, or let it"
    " tell the scheme by which people came"
)


def create_verify(adapter: Adapter, path: str) -> Handler:
    """Return the handler that speaks the dialect of *adapter* at and below *path*."""

    async def verify(request: web.Request) -> web.StreamResponse:
        settings = request.app[keys.SETTINGS]
        check_trusted_peer(request, settings.trusted_proxies)
        taken_over = settings.logout.paths_taken_over(adapter)
        try:
            asked = _proxy_request(request, path, taken_over)
            question = read_question(adapter, asked, settings.domains)
        except ProxyRequestError as exc:
            _tell(request, adapter, reason=exc.reason, detail=str(exc))
            return from_adapter(adapter.answer(Malformed(error=exc)))
        original, domain = question.original, question.domain
        if original.path in taken_over:
            return await take_over_logout(request, original, domain)
        try:
            caller = await _lookup_caller(request, question)
            subject, decision = await _decide(request, question, caller)
        except StoreUnavailableError as exc:
            request.app[keys.OUTAGE].note(exc)
            _tell(request, adapter, original=original, reason="store_unavailable")
            return from_adapter(adapter.answer(Unavailable()))
        except ThrottledError as exc:
            _tell(request, adapter, original=original, reason="throttled")
            seconds = int(exc.retry_after.total_seconds()) + 1
            return from_adapter(adapter.answer(Throttled(retry_after_seconds=seconds)))
        verdict = _verdict(request, question, subject, decision)
        answer, decision, detail = _answer(adapter, verdict, decision)
        _tell(
            request,
            adapter,
            original=original,
            decision=decision,
            user=subject.username,
            session=None if caller is None else caller.live.digest,
            detail=detail,
            reference=_reference(request, original, subject, verdict),
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
    session: Digest | None = None,
    reason: str | None = None,
    detail: str | None = None,
    reference: str | None = None,
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
        session=session,
        reason=reason,
        detail=detail,
        request_id=partial(tell_current_id, reference)
        if reference
        else lookup_given_id,
    )


def _reference(
    request: web.Request, original: OriginalRequest, subject: Subject, verdict: Verdict
) -> str | None:
    """Return what the page of *verdict* shows, if it has one."""
    if not isinstance(verdict, Forbidden) or not verdict.page:
        return None
    return reference_of(original, subject, request.app[keys.CLOCK].now())


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


async def _decide(
    request: web.Request, question: Question, caller: Identity | None
) -> tuple[Subject, Decision]:
    """Return who asks, by session or else by Basic, and what the rules say to that.

    Raises:
        ThrottledError: Nobody has looked at the password.
    """
    access_control = request.app[keys.ACCESS_CONTROL]
    subject = ANONYMOUS if caller is None else caller.subject
    decision = access_control.decide(subject, question.original)
    may_be_basic = decision.outcome is Outcome.SIGN_IN and decision.allows_basic
    if not (subject.is_anonymous and may_be_basic):
        return subject, decision
    program = await _lookup_program(request, question)
    if program is None:
        return subject, decision
    found = access_control.decide(program, question.original)
    # For whom the first rule was not meant, another one decides. If that one takes no
    # Basic, nobody in particular has asked.
    return (program, found) if found.allows_basic else (subject, decision)


async def _lookup_program(request: web.Request, question: Question) -> Subject | None:
    """Return whose Basic credentials came along, if they are right."""
    credentials = lookup_basic(request.headers)
    if credentials is None:
        return None
    client = question.original.client
    try:
        user = await request.app[keys.BASIC].verify(credentials, client)
    except CredentialsError:
        return None
    return subject_of(user, _ONE_FACTOR)


async def _lookup_caller(request: web.Request, question: Question) -> Identity | None:
    """Return who asks, by the session; nobody by plain http.

    A browser sends no session cookie that way, so one that came has been seen, or put
    there, by whoever is on the way.

    Raises:
        StoreUnavailableError: Nobody can tell whose session it is.
    """
    if question.original.is_plain_http:
        return None
    return await lookup_identity(request, question.domain)


def _verdict(
    request: web.Request, question: Question, subject: Subject, decision: Decision
) -> Verdict:
    original, domain = question.original, question.domain
    kind = classify(original.method, request.headers)
    match decision.outcome:
        case Outcome.ALLOW:
            # At a preflight the rules were asked for nobody, so nobody passes.
            return Allowed(subject=ANONYMOUS if original.is_preflight else subject)
        case Outcome.SIGN_IN:
            url = login_url(domain, original, request.app[keys.SETTINGS].targets)
            challenge = ""
            if decision.allows_basic and subject.is_anonymous:
                challenge = challenge_for(original.host, kind, request.headers)
            return SignInNeeded(
                login_url=url, kind=kind, method=original.method, challenge=challenge
            )
        case Outcome.FORBIDDEN if decision.reason == SCHEME_INSECURE_REASON:
            # Whoever set up the proxy reads this; a page of ours would be as insecure.
            return Forbidden(message=_USE_HTTPS)
        case Outcome.FORBIDDEN if kind is RequestKind.NAVIGATION:
            return closed_door(request, original, domain, subject)
        case Outcome.FORBIDDEN:
            return Forbidden()
