"""The self-test: silent where all locks close, and an error where one does not."""

from dataclasses import replace
from typing import Final

import pytest

from forwardauth.access_control.decision import Decision, Policy
from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.nginx import NginxAdapter
from forwardauth.adapters.registry import create_adapters
from forwardauth.adapters.traefik import TraefikAdapter
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.request import OriginalRequest, Subject
from forwardauth.web.self_test import SelfTestError, check_refusals
from tests.support.access import in_order, paths, rule
from tests.support.headers import FakeHeaders
from tests.support.targets import DOMAINS

NAMES: Final = IdentityHeaders()
ADAPTERS: Final = create_adapters(NAMES)
OPEN: Final = rule("www.example.com *.pub.example.com", Policy.BYPASS)
OPEN_BELOW: Final = rule("app.example.com", Policy.BYPASS, path=paths("/public"))


@pytest.mark.parametrize(
    "rules",
    [
        in_order(),
        in_order(OPEN, OPEN_BELOW, rule("*.example.com")),
        in_order(rule("*.example.com", Policy.BYPASS)),
        in_order(rule("app.example.com", Policy.BYPASS, path=paths("", "/x"))),
        in_order(*(rule(f"h{n}.example.com", Policy.BYPASS) for n in range(1000))),
        in_order(default_policy=Policy.BYPASS),
    ],
    ids=["none", "usual", "wildcard", "every path", "many", "open by default"],
)
def test_nothing_of_the_table_passes(rules: AccessControl) -> None:
    """However open the rules are, no way round leads in (V-51)."""
    check_refusals(rules, ADAPTERS, DOMAINS)


class FirstWins(TraefikAdapter):
    """Takes the first of several header lines."""

    def read(self, request: ProxyRequest) -> OriginalRequest:
        first: dict[str, tuple[str, str]] = {}
        for name in request.headers:
            values = request.headers.getall(name, [])
            first.setdefault(name.lower(), (name, values[0]))
        headers = FakeHeaders(*first.values())
        return super().read(replace(request, headers=headers))


class AnyCase(NginxAdapter):
    """Takes a method in lower case for the one in upper case."""

    def read(self, request: ProxyRequest) -> OriginalRequest:
        method = request.headers.getall("X-Original-Method", [""])[0].upper()
        lines = [
            (name, method if name == "X-Original-Method" else value)
            for name in dict.fromkeys(request.headers)
            for value in request.headers.getall(name, [])
        ]
        return super().read(replace(request, headers=FakeHeaders(*lines)))


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (FirstWins(NAMES), "repeated header"),
        (AnyCase(NAMES), "method in lower case"),
    ],
    ids=["first wins", "any case"],
)
def test_adapter_that_believes_too_much_is_found(broken: Adapter, name: str) -> None:
    """The error names it and the request that got through (V-13, V-17, V-51)."""
    rules = in_order(OPEN)

    with pytest.raises(SelfTestError) as caught:
        check_refusals(rules, (*ADAPTERS, broken), DOMAINS)

    assert name in str(caught.value)
    assert f"adapter {broken.name}" in str(caught.value)


class BeginsWith(AccessControl):
    """Compares the beginning of the raw path, and no more of it."""

    def decide(self, subject: Subject, original: OriginalRequest) -> Decision:
        if original.path.startswith("/public"):
            original = replace(original, path="/public")
        return super().decide(subject, original)


def test_rules_that_are_walked_past_are_found() -> None:
    """An open path that leads out of itself keeps the service from starting (V-51)."""
    rules = BeginsWith(rules=(OPEN_BELOW,))

    with pytest.raises(SelfTestError) as caught:
        check_refusals(rules, ADAPTERS, DOMAINS)

    assert "way out of an open path" in str(caught.value)
    assert "/public/../admin" in str(caught.value)


class Everywhere(CookieDomains):
    """Takes every host for one below the first domain."""

    def lookup(self, host: str) -> CookieDomain | None:
        return super().lookup(host) or self.home


def test_host_of_nobody_is_found() -> None:
    """A host that nobody configured must not meet a default that is open (V-51)."""
    rules = in_order(default_policy=Policy.BYPASS)

    with pytest.raises(SelfTestError) as caught:
        check_refusals(rules, ADAPTERS, Everywhere(entries=DOMAINS.entries))

    assert "selftest.invalid" in str(caught.value)
