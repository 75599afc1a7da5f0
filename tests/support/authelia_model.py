"""What Authelia answers, by its documentation, for the criteria that rules have.

It is written for tests alone, and from the other side: it knows nothing of how rules
are carried over. Source: https://www.authelia.com/configuration/security/access-control/
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs

import re2

from forwardauth.request import OriginalRequest, Subject

LEVELS = {"bypass": 0, "one_factor": 1, "two_factor": 2, "deny": 3}


def allows(
    rules: Sequence[Mapping[str, Any]],
    default: str,
    subject: Subject,
    original: OriginalRequest,
) -> bool:
    """Whether Authelia lets *subject* through to *original*."""
    for rule in rules:
        if _matches(rule, subject, original):
            policy = rule["policy"]
            break
    else:
        policy = default
    return LEVELS[policy] <= subject.level


def _matches(
    rule: Mapping[str, Any], subject: Subject, original: OriginalRequest
) -> bool:
    target = original.path + (f"?{original.query}" if original.query else "")
    checks = [
        any(_is_host(each, subject, original.host) for each in rule.get("domain", ()))
        or any(re2.search(e, original.host) for e in rule.get("domain_regex", ()))
    ]
    if "resources" in rule:
        checks.append(any(re2.search(each, target) for each in rule["resources"]))
    if "methods" in rule:
        checks.append(original.method in rule["methods"])
    if "networks" in rule:
        networks = [ip_network(each, strict=False) for each in rule["networks"]]
        checks.append(any(original.client in each for each in networks))
    if "query" in rule:
        checks.append(
            any(all(_is_met(t, original) for t in li) for li in rule["query"])
        )
    if "subject" in rule and not subject.is_anonymous:
        checks.append(any(_is_subject(each, subject) for each in rule["subject"]))
    return all(checks)


def _is_host(text: str, subject: Subject, host: str) -> bool:
    if text.startswith("*."):
        return host.endswith(text[1:])
    for name, values in (("{user}", {subject.username}), ("{group}", subject.groups)):
        if text.startswith(name):
            rest = text.removeprefix(name)
            if subject.is_anonymous:
                return host.endswith(rest) and host != rest
            return any(host == f"{value}{rest}" for value in values)
    return host == text


def _is_met(term: Mapping[str, str], original: OriginalRequest) -> bool:
    values = parse_qs(original.query or "", keep_blank_values=True)
    is_there = term["key"] in values
    value = values.get(term["key"], [""])[0]
    match term["operator"]:
        case "present":
            return is_there
        case "absent":
            return not is_there
        case "equal":
            return value == term["value"]
        case "not equal":
            return value != term["value"]
        case "pattern":
            return re2.search(term["value"], value) is not None
        case _:
            return re2.search(term["value"], value) is None


def _is_subject(names: str | Sequence[str], subject: Subject) -> bool:
    together = [names] if isinstance(names, str) else names
    held = {f"user:{subject.username}", *(f"group:{g}" for g in subject.groups)}
    return set(together) <= held
