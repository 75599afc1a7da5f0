"""Verify, the short way: from the bytes of a request to those of an answer, at once.

    lines ─► question ─► glance at the session ─► decision ─► bytes

Nearly all requests that a proxy asks about are of people who are signed in, and of
browsers that are to be sent to the portal. What the normal way builds for every request
(a parsed head, routing, middlewares, a task, a response) takes longer for them than all
that verify does, so they are answered before any of it.

Laws: the short way answers with the bytes that the normal way would have, or not at
all; whatever is not plain is left to that. It decides by the same adapters and rules,
asks the store about every request, and keeps no verdict on a session: what it remembers
are pure functions of what it has just been told. Which lines ask what, and which rules
are about it (``Readings``); how a user is told to applications, and what the rules say
to one (``_Person``), for as long as the users file says the same.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

from forwardauth.access_control.decision import Decision, Outcome
from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.base import Adapter, Allowed, RequestKind
from forwardauth.adapters.headers import is_trusted
from forwardauth.errors import UnfitIdentityError, UntrustedProxyError
from forwardauth.request import ANONYMOUS, Subject
from forwardauth.sessions.glances import SessionGlances
from forwardauth.sessions.rows import Glance, NoGlanceError
from forwardauth.users.file import UsersFile
from forwardauth.users.model import User
from forwardauth.users.table import UsersTable
from forwardauth.web.answer_bytes import AnswerBytes
from forwardauth.web.forwarded import get_transport_peer
from forwardauth.web.identity import subject_of, why_outdated
from forwardauth.web.metrics import VERIFICATIONS, Metrics
from forwardauth.web.reading import Reading
from forwardauth.web.readings import Readings
from forwardauth.web.settings import WebSettings
from forwardauth.web.verify_log import are_allows_logged, log_verdict

MAX_PEOPLE: Final = 4096
"""How many of whom it is known how they are told to applications."""

MAX_CASES: Final = 64
"""Of how many cases it is known what the rules say to one of them."""

_SESSION_ID_CHARACTERS: Final = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an answer is made by; the same as on the normal way."""

    adapters: tuple[Adapter, ...]
    settings: WebSettings
    access_control: AccessControl
    users: UsersFile
    metrics: Metrics


class ShortWay:
    """Answers the plain requests to the verify paths of one application."""

    def __init__(self, parts: Parts, glances: SessionGlances | None) -> None:
        """Keep *parts*; without *glances* who has a session goes the normal way."""
        self._settings = parts.settings
        self._cookie_name = parts.settings.cookie_name.encode("ascii")
        self._users = parts.users
        self._glances = glances
        self._metrics = parts.metrics
        self._readings = Readings(parts.adapters, parts.settings, parts.access_control)
        self._nobody = {each: _Person(None, ANONYMOUS, each) for each in parts.adapters}
        self._people: dict[tuple[Adapter, Glance], _Person] = {}

    def tell_crowd(self, *, is_crowded: bool) -> None:
        """Learn whether each request is to be looked at by itself."""
        if self._glances is not None:
            self._glances.is_crowded = is_crowded

    def lookup_peer(self, transport: asyncio.BaseTransport) -> str | None:
        """Return who is connected by *transport*, ``None`` if it is no trusted proxy.

        Who that is does not change as long as the connection lasts.
        """
        try:
            peer = get_transport_peer(transport)
        except UntrustedProxyError:
            return None
        return str(peer) if is_trusted(peer, self._settings.trusted_proxies) else None

    def answer(self, data: bytes, peer: str) -> bytes | None:
        """Return the answer to a request, or ``None`` for the normal way to answer.

        Args:
            data: What has come on a connection on which nothing was under way.
            peer: The address of who is connected: a trusted proxy.
        """
        read = self._readings.read(data, peer)
        if read is None:
            return None
        reading, cookie = read
        try:
            person = self._lookup_person(cookie, reading)
        except (NoGlanceError, UnfitIdentityError):
            return None
        return self._conclude(reading, person, data)

    def _conclude(
        self, reading: Reading, person: "_Person", data: bytes
    ) -> bytes | None:
        """Return the answer to *person*, ``None`` where the normal way has it."""
        decision = person.decisions.get(reading.case) or person.decide(reading)
        outcome = decision.outcome
        if outcome is Outcome.ALLOW:
            if are_allows_logged():
                return None  # The line names the session, which a glance does not know.
            self._metrics.count(*person.allowed_count)
            return person.allowed.now()
        if (
            outcome is Outcome.SIGN_IN
            and person.user is None
            # A program is told more, in a body.
            and reading.kind is RequestKind.NAVIGATION
        ):
            self._log_verdict(reading, decision, data)
            self._metrics.count(VERIFICATIONS, reading.adapter.name, outcome.value)
            return reading.sent_to_portal().now()
        return None

    def _log_verdict(self, reading: Reading, decision: Decision, data: bytes) -> None:
        log_verdict(
            reading.adapter.name,
            decision.outcome.value,
            reading.question.original,
            decision=decision,
            user=ANONYMOUS.username,
            request_id=partial(self._settings.request_ids.find, data),
        )

    def _lookup_person(self, cookie: bytes, reading: Reading) -> "_Person":
        """Return who asks.

        Raises:
            NoGlanceError: That is to be found out the normal way.
            UnfitIdentityError: No header lines can say it.
        """
        presented = self._find_session(cookie)
        adapter = reading.adapter
        if presented is None:
            return self._nobody[adapter]
        if self._glances is None:
            raise NoGlanceError
        glance = self._glances.lookup(presented, domain=reading.domain)
        return self._recognize(glance, adapter)

    def _recognize(self, glance: Glance | None, adapter: Adapter) -> "_Person":
        """Return whose session *glance* is; see ``_lookup_person``."""
        if glance is None:
            return self._nobody[adapter]
        person = self._people.get((adapter, glance))
        if person is not None and person.table is self._users.table:
            return person
        return self._meet(glance, adapter)

    def _find_session(self, cookie: bytes) -> bytes | None:
        """Return the value of our cookie, ``None`` where no cookie is called like it.

        Raises:
            NoGlanceError: The name stands there twice, or not where ours has it.
        """
        name = self._cookie_name
        begin = cookie.find(name)
        if begin < 0:
            return None
        equals = begin + len(name)
        end = equals + 1 + _SESSION_ID_CHARACTERS
        behind = cookie[end : end + 1]
        if (
            cookie.find(name, equals) >= 0
            or (begin and cookie[begin - 2 : begin] != b"; ")
            or cookie[equals : equals + 1] != b"="
            or (behind and behind != b";")
        ):
            raise NoGlanceError
        return cookie[equals + 1 : end]

    def _meet(self, glance: Glance, adapter: Adapter) -> "_Person":
        table = self._users.table
        user = table.get(glance.username)
        if user is None or why_outdated(user, glance.username, glance.stamps):
            raise NoGlanceError  # The session is to be ended.
        if len(self._people) >= MAX_PEOPLE:
            self._people.clear()
        person = _Person(user, subject_of(user, glance.level), adapter, table)
        self._people[adapter, glance] = person
        return person


class _Person:
    """What is told of a user as long as *table* counts; without a user, of nobody."""

    __slots__ = ("allowed", "allowed_count", "decisions", "subject", "table", "user")

    def __init__(
        self,
        user: User | None,
        subject: Subject,
        adapter: Adapter,
        table: UsersTable | None = None,
    ) -> None:
        self.user = user
        self.table = table
        self.subject = subject
        self.allowed = AnswerBytes(adapter.answer(Allowed(subject=subject)))
        self.allowed_count = (VERIFICATIONS, adapter.name, Outcome.ALLOW.value)
        self.decisions: dict[int, Decision] = {}

    def decide(self, reading: Reading) -> Decision:
        """Return what the rules say, once for all questions that they decide alike."""
        if len(self.decisions) >= MAX_CASES:
            self.decisions.clear()
        decision = reading.selection.decide(self.subject)
        self.decisions[reading.case] = decision
        return decision
