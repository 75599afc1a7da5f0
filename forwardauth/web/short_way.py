"""Verify, the short way: from a parsed head to the bytes of an answer, in one step.

    head ─► question ─► glance at the session ─► decision ─► bytes

Nearly all requests that a proxy asks about are of people who are signed in, and of
browsers that are to be sent to the portal. What the normal way builds for every request
(request, routing, middlewares, a task, a response) takes longer for them than all that
verify does, so they are answered before any of it.

Laws: the short way answers with the bytes that the normal way would have, or not at
all; whatever is not plain is left to that. It decides by the same adapters and rules,
asks the store about every request, and keeps no verdict: what it remembers is what
header values ask and which rules are about it (``Readings``), and how a user is told to
applications, for as long as the users file says the same.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple

from aiohttp.http import RawRequestMessage

from forwardauth.access_control.decision import Outcome
from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.base import Adapter, Allowed, RequestKind, SignInNeeded
from forwardauth.adapters.headers import HeaderSource, is_trusted
from forwardauth.adapters.kinds import classify
from forwardauth.errors import UnfitIdentityError, UntrustedProxyError
from forwardauth.request import ANONYMOUS, Subject
from forwardauth.sessions.glances import Glance, NoGlanceError, SessionGlances
from forwardauth.users.file import UsersFile
from forwardauth.users.model import User
from forwardauth.web.answer_bytes import AnswerBytes
from forwardauth.web.audit import are_allows_logged, log_verdict
from forwardauth.web.cookies import read_cookies
from forwardauth.web.forwarded import get_transport_peer
from forwardauth.web.identity import subject_of, why_outdated
from forwardauth.web.metrics import VERIFICATIONS, Metrics
from forwardauth.web.readings import Reading, Readings
from forwardauth.web.settings import WebSettings

MAX_PEOPLE: Final = 4096
"""How many of whom it is known how they are told to applications."""


class _Person(NamedTuple):
    """How a user is told to applications, while the users file has *user*."""

    user: User
    subject: Subject
    allowed: AnswerBytes


class ShortWay:
    """Answers the plain requests to the verify paths of one application."""

    def __init__(
        self,
        *,
        adapters: Iterable[Adapter],
        settings: WebSettings,
        access_control: AccessControl,
        users: UsersFile,
        glances: SessionGlances,
        metrics: Metrics,
    ) -> None:
        """Keep the parts, which are those of the normal way."""
        adapters = tuple(adapters)
        self._settings = settings
        self._users = users
        self._glances = glances
        self._metrics = metrics
        self._readings = Readings(adapters, settings, access_control)
        self._nobody = {each.name: _allow(each, ANONYMOUS) for each in adapters}
        self._people: dict[tuple[str, Glance], _Person] = {}

    def lookup_peer(self, transport: asyncio.BaseTransport) -> str | None:
        """Return who is connected by *transport*, ``None`` if it is no trusted proxy.

        Who that is does not change as long as the connection lasts.
        """
        try:
            peer = get_transport_peer(transport)
        except UntrustedProxyError:
            return None
        return str(peer) if is_trusted(peer, self._settings.trusted_proxies) else None

    def answer(self, message: RawRequestMessage, peer: str) -> bytes | None:
        """Return the answer to a request, or ``None`` for the normal way to answer.

        Args:
            message: A request whose body, if there was one, has ended.
            peer: The address of who is connected: a trusted proxy.
        """
        reading = self._readings.read(message, peer)
        if reading is None:
            return None
        adapter, original = reading.adapter, reading.question.original
        try:
            person = self._lookup_person(message.headers, reading)
        except (NoGlanceError, UnfitIdentityError):
            return None
        if person is not None and are_allows_logged():
            return None  # The line names the session, which a glance does not know.
        subject = ANONYMOUS if person is None else person.subject
        decision = reading.selection.decide(subject)
        if decision.outcome is Outcome.ALLOW:
            answer = self._nobody[adapter.name] if person is None else person.allowed
        elif decision.outcome is Outcome.SIGN_IN and person is None:
            if classify(original.method, message.headers) is RequestKind.FETCH:
                return None  # A program is told more, in a body.
            answer = _send_to_portal(reading)
        else:
            return None
        outcome = decision.outcome.value
        self._metrics.count(VERIFICATIONS, adapter.name, outcome)
        log_verdict(
            adapter.name, outcome, original, decision=decision, user=subject.username
        )
        return answer.now()

    def _lookup_person(self, headers: HeaderSource, reading: Reading) -> _Person | None:
        """Return who asks, ``None`` for nobody.

        Raises:
            NoGlanceError: That is to be found out the normal way.
            UnfitIdentityError: No header lines can say it.
        """
        presented = read_cookies(headers, self._settings.cookie_name)
        if not presented:
            return None
        if len(presented) > 1:
            raise NoGlanceError
        domain = reading.question.domain.name
        glance = self._glances.lookup(presented[0], domain=domain)
        if glance is None:
            return None
        user = self._users.get(glance.username)
        person = self._people.get((reading.adapter.name, glance))
        if person is not None and person.user is user:
            return person
        return self._meet(glance, user, reading.adapter)

    def _meet(self, glance: Glance, user: User | None, adapter: Adapter) -> _Person:
        if user is None or why_outdated(user, glance.username, glance.stamps):
            raise NoGlanceError  # The session is to be ended.
        subject = subject_of(user, glance.level)
        person = _Person(user, subject, _allow(adapter, subject))
        if len(self._people) >= MAX_PEOPLE:
            self._people.clear()
        self._people[adapter.name, glance] = person
        return person


def _allow(adapter: Adapter, subject: Subject) -> AnswerBytes:
    return AnswerBytes(adapter.answer(Allowed(subject=subject)))


def _send_to_portal(reading: Reading) -> AnswerBytes:
    verdict = SignInNeeded(
        login_url=reading.login_url,
        kind=RequestKind.NAVIGATION,
        method=reading.question.original.method,
    )
    return AnswerBytes(reading.adapter.answer(verdict))
