"""Requests, people, rules and verdicts, each spelled in a few words."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any, Final

from forwardauth.access_control.criteria import (
    MethodCriterion,
    NetworkCriterion,
    PathCriterion,
)
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion, parse_domain_pattern
from forwardauth.access_control.queries import Operator, QueryCriterion, QueryTerm
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.base import (
    Allowed,
    Forbidden,
    Malformed,
    RequestKind,
    SignInNeeded,
    Throttled,
    Unavailable,
    Verdict,
)
from forwardauth.errors import ProxyRequestError
from forwardauth.request import OriginalRequest, Subject

LOGIN_URL: Final = "https://auth.example.com/login?rd=https%3A%2F%2Fapp.example.com%2F"

ALICE: Final = Subject(
    username="alice",
    display_name="Alice Liddell",
    email="alice@example.com",
    groups=frozenset({"ops", "dev"}),
    level=1,
)
BOB: Final = Subject(username="bob", level=1)


def ask(
    host: str = "app.example.com",
    uri: str = "/",
    *,
    method: str = "GET",
    client: str | None = "192.0.2.7",
    is_preflight: bool = False,
    is_plain_http: bool = False,
) -> OriginalRequest:
    """Return a request for *uri* on *host*, which is not checked."""
    path, mark, query = uri.partition("?")
    return OriginalRequest(
        scheme="http" if is_plain_http else "https",
        host=host,
        port=None,
        method="OPTIONS" if is_preflight else method,
        path=path,
        query=query if mark else None,
        client=None if client is None else ip_address(client),
        is_preflight=is_preflight,
        is_plain_http=is_plain_http,
    )


def methods(*names: str) -> MethodCriterion:
    """Return the criterion of these methods."""
    return MethodCriterion(methods=frozenset(names))


def paths(*prefixes: str, regexes: tuple[str, ...] = ()) -> PathCriterion:
    """Return the criterion of these prefixes, or of these expressions."""
    return PathCriterion(
        prefixes=prefixes, regexes=tuple(Regex(text) for text in regexes)
    )


def networks(*names: str) -> NetworkCriterion:
    """Return the criterion of these networks."""
    return NetworkCriterion(
        networks=tuple(ip_network(name) for name in names), names=names
    )


def query(*alternatives: str) -> QueryCriterion:
    """Return the criterion of these lists, each as ``key operator value & ...``."""
    return QueryCriterion(
        alternatives=tuple(
            tuple(_term(text) for text in terms.split(" & ")) for terms in alternatives
        )
    )


def _term(text: str) -> QueryTerm:
    key, _, rest = text.partition(" ")
    for operator in sorted(Operator, key=len, reverse=True):
        if rest.startswith(operator):
            break
    else:
        raise ValueError(text)
    word = rest.removeprefix(operator).strip()
    if operator in {Operator.PRESENT, Operator.ABSENT}:
        return QueryTerm(operator=operator, key=key)
    is_pattern = operator in {Operator.PATTERN, Operator.NOT_PATTERN}
    value = Regex(word) if is_pattern else word
    return QueryTerm(operator=operator, key=key, value=value)


def rule(hosts: str, policy: Policy = Policy.ONE_FACTOR, **criteria: Any) -> Rule:
    """Return rule 1 for hosts (separated by spaces), with more fields by name."""
    domains = tuple(parse_domain_pattern(text) for text in hosts.split())
    return Rule(**{"number": 1, "policy": policy, "domains": domains, **criteria})


def in_order(*rules: Rule, default_policy: Policy = Policy.DENY) -> AccessControl:
    """Return *rules* with their places as numbers."""
    numbered = (replace(each, number=n) for n, each in enumerate(rules, start=1))
    return AccessControl(default_policy=default_policy, rules=tuple(numbered))


def write_rules(
    *entries: tuple[str, Policy] | tuple[str, Policy, SubjectCriterion],
    default_policy: Policy = Policy.DENY,
) -> AccessControl:
    """Return rules of hosts (separated by spaces), policy and perhaps people."""
    rules = (
        Rule(
            number=number,
            policy=entry[1],
            domains=tuple(parse_domain_pattern(text) for text in entry[0].split()),
            subject=entry[2] if len(entry) > 2 else SubjectCriterion(),
        )
        for number, entry in enumerate(entries, start=1)
    )
    return AccessControl(default_policy=default_policy, rules=tuple(rules))


def sign_in_needed(
    kind: RequestKind = RequestKind.NAVIGATION, *, method: str = "GET"
) -> SignInNeeded:
    """Return the verdict on a request of somebody who is not signed in."""
    return SignInNeeded(login_url=LOGIN_URL, kind=kind, method=method)


DENIALS: Final[dict[str, Verdict]] = {
    "navigation": sign_in_needed(),
    "navigation by POST": sign_in_needed(method="POST"),
    "fetch": sign_in_needed(RequestKind.FETCH),
    "forbidden page": Forbidden(page=b"<p>No</p>", content_policy="default-src 'none'"),
    "forbidden program": Forbidden(),
    "malformed": Malformed(
        error=ProxyRequestError("X-Forwarded-Host", "header_missing", "is missing")
    ),
    "throttled": Throttled(retry_after_seconds=9),
    "outage": Unavailable(retry_after_seconds=7),
}
"""One verdict of every kind that does not let a request pass."""

CHALLENGE: Final = SignInNeeded(
    login_url=LOGIN_URL,
    kind=RequestKind.FETCH,
    method="GET",
    challenge='Basic realm="app.example.com", charset="UTF-8"',
)
"""The one verdict that asks a program for credentials."""

PASSES: Final[dict[str, Verdict]] = {
    "somebody": Allowed(subject=ALICE),
    "nobody": Allowed(subject=Subject()),
}
