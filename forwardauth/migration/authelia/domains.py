"""The hosts of a rule: names, wildcards, ``{user}`` and ``{group}``, expressions.

Law: a host that no request can have here is left out. One that depends on who asks has
nothing inside, and every host that it could mean outside.

Source: https://www.authelia.com/configuration/security/access-control/#domain
"""

import re
from dataclasses import dataclass, field
from typing import Final

from forwardauth.access_control.matchers import DomainPattern, parse_domain_pattern
from forwardauth.access_control.regexes import Regex
from forwardauth.config.suffixes import is_public_suffix
from forwardauth.config.tree import Node
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.resources import search_whole

_SUBJECTS: Final = ("{user}", "{group}")
_GROUP: Final = re.compile(r"\(\?P?<(?:User|Group)>")


@dataclass(slots=True, kw_only=True)
class Hosts:
    """What a rule says about hosts.

    Attributes:
        inside: Names and wildcards that are meant whoever asks.
        outside: Those, and all that could be meant for somebody.
        regexes_inside: The same as expressions.
        regexes_outside: The same as expressions.
        reasons: Why the two differ, or why something was left out.
    """

    inside: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    regexes_inside: list[str] = field(default_factory=list)
    regexes_outside: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def read_hosts(
    source: Source,
    names: tuple[Node, ...],
    regexes: tuple[Node, ...],
    *,
    domains: tuple[str, ...],
) -> Hosts:
    """Return the hosts that *names* and *regexes* of one rule mean.

    Args:
        source: Where mistakes go.
        names: The values of ``domain``.
        regexes: The values of ``domain_regex``.
        domains: The cookie domains; a host elsewhere is never asked about.
    """
    hosts = Hosts()
    for text, _ in source.texts(names):
        _add_name(hosts, text.lower(), domains)
    for text, node in source.texts(regexes):
        try:
            _add_regex(hosts, text)
        except ValueError as exc:
            source.refuse(node, f"is not a regular expression: {exc}", "correct it")
    return hosts


def _add_name(hosts: Hosts, text: str, domains: tuple[str, ...]) -> None:
    subject = next((each for each in _SUBJECTS if text.startswith(each)), None)
    if subject is not None:
        _add_subject(hosts, subject, text.removeprefix(subject), domains)
        return
    try:
        pattern = parse_domain_pattern(text)
    except ValueError:
        hosts.reasons.append(f"{text!a} is no host that a request can have")
        return
    found = _below(pattern, domains)
    if not found:
        hosts.reasons.append(f"{text} is below no cookie domain")
    hosts.inside += found
    hosts.outside += found


def _add_subject(
    hosts: Hosts, subject: str, rest: str, domains: tuple[str, ...]
) -> None:
    hosts.reasons.append(
        f"{subject}{rest} depends on who asks: write a rule for each of them"
    )
    try:
        pattern = parse_domain_pattern(f"*{rest}")
    except ValueError:
        # Such as {user}-app.example.com, which no wildcard says.
        hosts.regexes_outside.append(f".+{re.escape(rest)}")
        return
    hosts.outside += _below(pattern, domains)


def _below(pattern: DomainPattern, domains: tuple[str, ...]) -> list[str]:
    """Return *pattern* as far as it can be met at or below *domains*."""
    if not pattern.is_wildcard:
        is_ours = any(_is_at_or_below(pattern.name, domain) for domain in domains)
        return [str(pattern)] if is_ours else []
    if any(_is_at_or_below(pattern.name, domain) for domain in domains):
        return [str(pattern)]
    wider = [domain for domain in domains if pattern.matches(domain)]
    if wider and not is_public_suffix(pattern.name):
        return [str(pattern)]
    return [name for domain in wider for name in (domain, f"*.{domain}")]


def _is_at_or_below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _add_regex(hosts: Hosts, text: str) -> None:
    is_about_subject = Regex(text).names_subject
    whole = search_whole(_GROUP.sub("(?:", text))
    if any(letter.isupper() for letter in text):
        # Hosts are compared in lower case here, by expressions that ignore case.
        whole = f"(?-i:{whole})"
    Regex(whole)
    hosts.regexes_outside.append(whole)
    if is_about_subject:
        hosts.reasons.append(
            f"{text!a} depends on who asks: write a rule for each of them"
        )
    else:
        hosts.regexes_inside.append(whole)
