"""The page of a 403, for a proxy that passes only the status of a denial on: nginx.

    403 of verify ─► the proxy asks once more, for the page ─► 403 with the page

Law: 403 is all that is ever answered, whoever asks. Nothing is decided here, so a rule
or a session that changed in between opens nothing.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from forwardauth.access_control.decision import Outcome
from forwardauth.adapters.base import (
    Adapter,
    Forbidden,
    ProxyRequest,
    RequestKind,
    answer_forbidden,
    answer_json,
)
from forwardauth.adapters.kinds import classify
from forwardauth.errors import ProxyRequestError, StoreUnavailableError
from forwardauth.request import ANONYMOUS, Subject
from forwardauth.sessions.ids import Digest
from forwardauth.web import keys
from forwardauth.web.answers import from_adapter
from forwardauth.web.caller import lookup_identity
from forwardauth.web.forwarded import check_trusted_peer, lookup_browser_address
from forwardauth.web.question import Question, read_question
from forwardauth.web.references import reference_of
from forwardauth.web.request_ids import tell_current_id
from forwardauth.web.sign_in import closed_door
from forwardauth.web.verify_log import log_verdict


def create_forbidden(adapter: Adapter) -> Handler:
    """Return the handler that is asked for the page in the dialect of *adapter*."""

    async def forbidden(request: web.Request) -> web.StreamResponse:
        settings = request.app[keys.SETTINGS]
        check_trusted_peer(request, settings.trusted_proxies)
        asked = ProxyRequest(
            method=request.method,
            target="",
            headers=request.headers,
            client=lookup_browser_address(request, settings.trusted_proxies),
        )
        try:
            question = read_question(adapter, asked, settings.domains)
        except ProxyRequestError as exc:
            return from_adapter(answer_json(403, str(exc)))
        return from_adapter(
            answer_forbidden(await _verdict(request, adapter, question))
        )

    return forbidden


async def _verdict(
    request: web.Request, adapter: Adapter, question: Question
) -> Forbidden:
    original, domain = question.original, question.domain
    kind = classify(original.method, request.headers)
    if kind is not RequestKind.NAVIGATION or original.is_plain_http:
        return Forbidden()
    subject, session = await _lookup_caller(request, question)
    reference = reference_of(original, subject, request.app[keys.CLOCK].now())
    log_verdict(
        adapter.name,
        Outcome.FORBIDDEN,
        original,
        user=subject.username,
        session=session,
        request_id=lambda: tell_current_id(reference),
        event="forbidden_page",
    )
    return closed_door(request, original, domain, subject)


async def _lookup_caller(
    request: web.Request, question: Question
) -> tuple[Subject, Digest | None]:
    """Return who is told; in an outage the page names nobody, and is 403 as well."""
    try:
        identity = await lookup_identity(request, question.domain)
    except StoreUnavailableError:
        return ANONYMOUS, None
    if identity is None:
        return ANONYMOUS, None
    return identity.subject, identity.live.digest
