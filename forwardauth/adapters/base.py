"""What all adapters share: the values they read from and answer with.

An adapter is one proxy's dialect. It reads one family of headers into an
``OriginalRequest`` and turns a ``Verdict`` into the status and headers that its proxy
understands. It decides nothing.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from forwardauth.adapters.headers import HeaderSource, IPAddress
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.errors import ProxyRequestError
from forwardauth.request import OriginalRequest, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRequest:
    """A verify request as the proxy sent it.

    Attributes:
        method: Method of the verify request itself.
        target: Its raw request target behind the path that the adapter listens on,
            empty if there is none. Only an adapter with ``appends_target`` reads it:
            some other proxies append the client's query.
        headers: Its header fields.
        client: The browser's address as far as trusted proxies vouch for it.
        logout_paths: As ``parse_uri`` takes them; empty for an adapter that takes no
            logout over.
    """

    method: str
    target: str
    headers: HeaderSource
    client: IPAddress | None
    logout_paths: frozenset[str] = frozenset()


class RequestKind(StrEnum):
    """Who waits for the answer: a person's browser window, or a program."""

    NAVIGATION = "navigation"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The request may pass; *subject* tells the application who asks."""

    subject: Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInNeeded:
    """Nobody is signed in, or with too few factors; *login_url* is absolute.

    *challenge* is a value for ``WWW-Authenticate``; empty wherever a browser could make
    a dialogue of it.
    """

    login_url: str
    kind: RequestKind
    method: str
    challenge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Signing in would not help.

    *page* is HTML for a browser, with the ``Content-Security-Policy`` it needs; both
    are empty for a program, which is told *message*, a constant.
    """

    page: bytes = b""
    content_policy: str = ""
    message: str = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """The proxy's request cannot be read; *error* names the header."""

    error: ProxyRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """The store did not answer, so nobody can tell: fail closed."""

    retry_after_seconds: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Nobody has looked at the password that came along: too many came before."""

    retry_after_seconds: int


Verdict = Allowed | SignInNeeded | Forbidden | Malformed | Throttled | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, header lines and body for the proxy; header names may repeat."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Adapter(Protocol):
    """One proxy's dialect.

    Attributes:
        name: The word in ``/verify/<name>``, in logs and in metrics.
        paths: Where it listens, below the base path.
        appends_target: Whether its proxy puts the original target behind our path, so
            that everything below ``paths`` is the adapter's too.
        takes_over_logout: Whether its proxy passes a denial with cookies on to the
            browser, so that a logout on a protected host can be answered by verify.
        header_names: The headers that it reads, and the only ones.
    """

    name: str
    paths: tuple[str, ...]
    appends_target: bool
    takes_over_logout: bool
    header_names: tuple[str, ...]

    def read(self, request: ProxyRequest) -> OriginalRequest:
        """Return what the browser asked the proxy for.

        Raises:
            ProxyRequestError: A needed header is missing, repeated or malformed, or
                another one could be taken for it.
        """
        ...

    def answer(self, verdict: Verdict) -> Answer:
        """Return *verdict* in the dialect of the proxy; 2xx only for ``Allowed``.

        Raises:
            UnfitIdentityError: Header lines cannot say who passes, so nobody does: the
                caller answers ``Forbidden``.
        """
        ...


SAFE_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("Vary", "Cookie, Authorization"),
    ("X-Content-Type-Options", "nosniff"),
)
"""On every answer: nothing in between may keep a verdict for another request."""

_BODILESS_METHODS: Final = frozenset({"GET", "HEAD"})


def answer_allowed(subject: Subject, identity: IdentityHeaders) -> Answer:
    """Return exactly 200 with all four identity headers, empty when unknown.

    Raises:
        UnfitIdentityError: They cannot say who *subject* is.
    """
    return Answer(status=200, headers=(*identity.lines(subject), *SAFE_HEADERS))


def answer_forbidden(verdict: Forbidden) -> Answer:
    """Return 403: the page under its policy, or JSON."""
    if not verdict.page:
        return answer_json(403, verdict.message)
    headers = (
        *SAFE_HEADERS,
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", verdict.content_policy),
        ("Referrer-Policy", "no-referrer"),
    )
    return Answer(status=403, headers=headers, body=verdict.page)


def answer_json(status: int, message: str, *, redirect: str | None = None) -> Answer:
    """Return ``{"status": "KO", …}`` for a program, with the login URL if there is."""
    content: dict[str, object] = {"status": "KO", "message": message}
    if redirect is not None:
        content["data"] = {"redirect": redirect}
    return Answer(
        status=status,
        headers=(*SAFE_HEADERS, ("Content-Type", "application/json")),
        body=json.dumps(content).encode(),
    )


def answer_unavailable(verdict: Unavailable) -> Answer:
    """Return 503 with ``Retry-After``: an outage is never "signed out"."""
    answer = answer_json(503, "the session store does not answer")
    retry_after = ("Retry-After", str(verdict.retry_after_seconds))
    return Answer(status=503, headers=(*answer.headers, retry_after), body=answer.body)


def answer_throttled(verdict: Throttled, *, status: int = 429) -> Answer:
    """Return *status* with ``Retry-After``, which is not 2xx."""
    answer = answer_json(status, "too many attempts")
    retry_after = ("Retry-After", str(verdict.retry_after_seconds))
    headers = (*answer.headers, retry_after)
    return Answer(status=status, headers=headers, body=answer.body)


def challenge_lines(verdict: SignInNeeded) -> tuple[tuple[str, str], ...]:
    """Return the header line that asks a program for credentials, if it is to be."""
    if not verdict.challenge:
        return ()
    return (("WWW-Authenticate", verdict.challenge),)


def _answer_sign_in(verdict: SignInNeeded) -> Answer:
    if verdict.kind is RequestKind.NAVIGATION:
        status = 302 if verdict.method in _BODILESS_METHODS else 303
        location = ("Location", verdict.login_url)
        return Answer(status=status, headers=(location, *SAFE_HEADERS))
    answer = answer_json(401, "sign-in needed", redirect=verdict.login_url)
    headers = (*challenge_lines(verdict), *answer.headers)
    return Answer(status=401, headers=headers, body=answer.body)


def answer_forwarded(verdict: Verdict, identity: IdentityHeaders) -> Answer:
    """Return *verdict* for a proxy that passes our denial on to the browser.

    Traefik, Caddy, HAProxy and Envoy do. A navigation is sent to the portal: 302 for
    GET and HEAD, 303 after anything else, so that no browser repeats the body there.

    Raises:
        UnfitIdentityError: As in ``answer_allowed``.
    """
    match verdict:
        case Allowed():
            return answer_allowed(verdict.subject, identity)
        case SignInNeeded():
            return _answer_sign_in(verdict)
        case Forbidden():
            return answer_forbidden(verdict)
        case Malformed():
            return answer_json(400, str(verdict.error))
        case Throttled():
            return answer_throttled(verdict)
        case Unavailable():  # pragma: no branch - mypy proves it the last
            return answer_unavailable(verdict)
