"""Requests, people, rules and verdicts, each spelled in a few words."""

from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import SubjectCriterion, parse_domain_pattern
from forwardauth.access_control.rules import AccessControl, Rule
from forwardauth.adapters.base import (
    Allowed,
    Forbidden,
    Malformed,
    RequestKind,
    SignInNeeded,
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


def ask(host: str = "app.example.com", *, method: str = "GET") -> OriginalRequest:
    """Return a request for the root of *host*."""
    return OriginalRequest(
        scheme="https", host=host, port=None, method=method, path="/", query=None
    )


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
    "outage": Unavailable(retry_after_seconds=7),
}
"""One verdict of every kind that does not let a request pass."""

PASSES: Final[dict[str, Verdict]] = {
    "somebody": Allowed(subject=ALICE),
    "nobody": Allowed(subject=Subject()),
}
