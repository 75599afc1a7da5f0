"""The self-test at start: requests that must not pass, put to adapters and rules.

Each of them is a way round that some product had. They go through the very functions
that answer verify, with the rules as configured, and nobody has signed in.

Law: pure and quick, and never wider than the fixed table. It proves no rule right; it
keeps a service from starting in which a lock does not close.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.headers import (
    HOST,
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PROTO,
    X_FORWARDED_URI,
    X_ORIGINAL_METHOD,
    X_ORIGINAL_URL,
)
from forwardauth.domains import CookieDomains
from forwardauth.errors import ForwardAuthError, ProxyRequestError
from forwardauth.request import ANONYMOUS
from forwardauth.web.question import read_question

_MAX_HOSTS: Final = 8
_BELOW: Final = "selftest"

_TRAVERSALS: Final = (
    *("/../admin", "/..%2fadmin", "/%2e%2e/admin", "/..;/admin", "/.%00/admin"),
    *("//admin", "/%252e%252e/admin", "/%5cadmin", "/;x"),
)
"""Behind a path that is open, each leads somewhere else in some program."""


class SelfTestError(ForwardAuthError):
    """A request passed that must not; the service does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A request by one way round, as every proxy would hand it on."""

    name: str
    scheme: str = "https"
    host: str
    method: str = "GET"
    uri: str = "/"
    is_repeated: bool = False


class _Lines:
    """Header lines without a server; a ``HeaderSource``."""

    def __init__(self, lines: Mapping[str, str], count: int) -> None:
        """Have each of *lines* *count* times."""
        self._names, self._count = tuple(lines), count
        self._values = {name.lower(): value for name, value in lines.items()}

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of *key*, else *default*."""
        value = self._values.get(key.lower())
        return default if value is None else [value] * self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)


def check_refusals(
    access_control: AccessControl, adapters: Sequence[Adapter], domains: CookieDomains
) -> None:
    """Return when nothing of the table passes.

    Raises:
        SelfTestError: Something would; names adapter and request.
    """
    for attempt in _attempts(access_control, domains):
        request = _request_of(attempt)
        for adapter in adapters:
            if _passes(request, adapter, access_control, domains):
                raise SelfTestError(
                    f"the self-test failed: by the adapter {adapter.name},"
                    f" {attempt.method} {attempt.scheme}://{attempt.host}{attempt.uri}"
                    f" passes ({attempt.name}); do not run this version with these"
                    " rules, and report it"
                )


def _passes(
    request: ProxyRequest,
    adapter: Adapter,
    access_control: AccessControl,
    domains: CookieDomains,
) -> bool:
    try:
        question = read_question(adapter, request, domains)
    except ProxyRequestError:
        return False
    decision = access_control.decide(ANONYMOUS, question.original)
    return decision.outcome is Outcome.ALLOW


def _attempts(
    access_control: AccessControl, domains: CookieDomains
) -> Iterator[_Attempt]:
    """Yield the table, for hosts that are open first of all."""
    hosts = {entry.portal.host: None for entry in domains.entries}
    opened = (rule for rule in access_control.rules if rule.policy is Policy.BYPASS)
    for rule in islice(opened, _MAX_HOSTS):
        hosts.update(dict.fromkeys(_hosts_of(rule)))
        yield from _traversals(rule)
    for host in islice(hosts, _MAX_HOSTS):
        yield from _malformed(host)
        if access_control.looks_at_path(host):
            for path in _TRAVERSALS:
                yield _Attempt(name="ambiguous path", host=host, uri=path)
    yield _Attempt(name="host of nobody", host="selftest.invalid")


def _hosts_of(rule: Rule) -> Iterator[str]:
    for pattern in rule.domains:
        yield f"{_BELOW}.{pattern.name}" if pattern.is_wildcard else pattern.name


def _traversals(rule: Rule) -> Iterator[_Attempt]:
    if rule.path is None:
        return
    for host in islice(_hosts_of(rule), 1):
        for prefix in islice(rule.path.prefixes, 1):
            for path in _TRAVERSALS:
                yield _Attempt(
                    name="way out of an open path", host=host, uri=prefix + path
                )


def _malformed(host: str) -> Iterator[_Attempt]:
    yield _Attempt(name="repeated header", host=host, is_repeated=True)
    yield _Attempt(name="method in lower case", host=host, method="get")
    yield _Attempt(name="unknown method", host=host, method="SELFTEST")
    yield _Attempt(name="scheme in upper case", host=host, scheme="HTTPS")
    yield _Attempt(name="unknown scheme", host=host, scheme="ftp")
    yield _Attempt(name="host with a dot behind", host=f"{host}.")
    yield _Attempt(name="user before the host", host=f"a@{host}")
    yield _Attempt(name="two hosts", host=f"{host},{host}")
    yield _Attempt(name="absolute form", host=host, uri=f"https://{host}/")
    yield _Attempt(name="fragment", host=host, uri="/#x")
    yield _Attempt(name="backslash", host=host, uri="/\\x")
    yield _Attempt(name="space", host=host, uri="/ x")
    yield _Attempt(name="broken escape", host=host, uri="/%zz")


def _request_of(attempt: _Attempt) -> ProxyRequest:
    """Return the request in the words of every family of headers at once."""
    url = f"{attempt.scheme}://{attempt.host}{attempt.uri}"
    lines = {
        X_FORWARDED_METHOD: attempt.method,
        X_FORWARDED_PROTO: attempt.scheme,
        X_FORWARDED_HOST: attempt.host,
        X_FORWARDED_URI: attempt.uri,
        X_ORIGINAL_URL: url,
        X_ORIGINAL_METHOD: attempt.method,
        HOST: attempt.host,
    }
    return ProxyRequest(
        method=attempt.method,
        target=attempt.uri,
        headers=_Lines(lines, 2 if attempt.is_repeated else 1),
        client=None,
    )
