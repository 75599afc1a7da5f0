"""The access controls of one application of tinyauth, as drafts of rules.

tinyauth asks, in this order: is the address one that needs no sign-in; is the path one
that needs none; is the address allowed; is the user.

Law: an expression about paths is bounded as everywhere else, since tinyauth looks for
it in path and query.

Source: https://tinyauth.app/docs/guides/access-controls
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from forwardauth.access_control.decision import Policy
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.lines import split_list
from forwardauth.migration.resources import read_resources
from forwardauth.migration.rulebook import Draft
from forwardauth.migration.tinyauth_people import People

_QUERY = (
    "tinyauth looks for the expression in path and query, here the path is compared"
)


@dataclass(slots=True, kw_only=True)
class App:
    """One application.

    Attributes:
        name: The first label of its host, in lower case.
        line: Where it is mentioned first.
        values: What is said about it, by the end of the variable.
    """

    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is called in the report."""
        return f"TINYAUTH_APPS_{self.name.upper()}"


def draft_app(
    app: App,
    *,
    domain: str,
    usernames: Iterable[str],
    ip_allow: tuple[str, ...],
    ip_block: tuple[str, ...],
    any_query: bool,
    denies: bool = False,
) -> tuple[Draft, ...]:
    """Return the drafts for *app*, in the order in which tinyauth asks.

    Args:
        app: What is said about it.
        domain: The parent domain of all applications.
        usernames: Everybody there is, for expressions about names.
        ip_allow: Networks that are allowed everywhere.
        ip_block: Networks that are blocked everywhere.
        any_query: As ``read_resources`` takes it.
        denies: Whether who is not allowed by name is kept out.

    Raises:
        ValueError: An expression is none.
    """
    hosts = _hosts_of(app, domain)
    drafts: list[Draft] = []
    bypass = split_list(app.values.get("IP_BYPASS", ""))
    if bypass:
        drafts.append(_exact(app, Policy.BYPASS, replace(hosts, networks=bypass)))
    drafts += _draft_open_paths(app, hosts, any_query=any_query)
    protected, is_partly_open = _protected(app, hosts)
    blocked = (*ip_block, *split_list(app.values.get("IP_BLOCK", "")))
    if blocked:
        drafts.append(_exact(app, Policy.DENY, replace(protected, networks=blocked)))
    allowed = (*ip_allow, *split_list(app.values.get("IP_ALLOW", "")))
    people = People(said=app.values, usernames=tuple(usernames), denies=denies)
    drafts += _draft_people(app, people, replace(protected, networks=allowed))
    if not drafts or drafts[-1].outside != protected:
        drafts.append(_exact(app, Policy.DENY, protected))
    if is_partly_open:
        drafts.append(_exact(app, Policy.BYPASS, hosts))
    return tuple(drafts)


def _hosts_of(app: App, domain: str) -> Criteria:
    """Return the host that is named, and those whose first label is the name."""
    named = app.values.get("CONFIG_DOMAIN", "").lower()
    parent = re.escape(domain)
    # A host elsewhere is never asked about.
    is_ours = named == domain or named.endswith(f".{domain}")
    names = ([named] if is_ours else []) + [f"{app.name}.{domain}"]
    return Criteria(
        domain=tuple(dict.fromkeys(names)),
        domain_regex=(rf"{re.escape(app.name)}\..+\.{parent}",),
    )


def _draft_open_paths(app: App, hosts: Criteria, *, any_query: bool) -> list[Draft]:
    text = app.values.get("PATH_ALLOW", "")
    if not text:
        return []
    reading = read_resources([text], any_query=any_query)
    if reading.is_everything:
        return [_exact(app, Policy.BYPASS, hosts)]
    inside = replace(hosts, path_regex=reading.inside) if reading.inside else None
    outside = replace(hosts, path_regex=reading.outside)
    return [
        Draft(
            policy=Policy.BYPASS,
            key=f"{app.key}_PATH_ALLOW",
            line=app.line,
            inside=inside,
            outside=outside,
            reasons=() if inside == outside else (_QUERY,),
            notes=(f"{app.key}_PATH_ALLOW={text}",),
        )
    ]


def _protected(app: App, hosts: Criteria) -> tuple[Criteria, bool]:
    """Return what is protected, and whether the rest of the hosts is open."""
    text = app.values.get("PATH_BLOCK", "")
    if not text:
        return hosts, False
    outside = read_resources([text]).outside
    if ".*" in outside:
        return hosts, False
    return replace(hosts, path_regex=outside), True


def _draft_people(app: App, people: People, criteria: Criteria) -> list[Draft]:
    drafts: list[Draft] = []
    if people.blocked:
        everywhere = replace(criteria, networks=(), subject=people.blocked)
        drafts.append(_exact(app, Policy.DENY, everywhere))
    allowed = people.allowed
    if allowed is None:
        drafts.append(_exact(app, Policy.ONE_FACTOR, criteria))
    elif allowed:
        limited = replace(criteria, subject=allowed)
        drafts.append(_exact(app, Policy.ONE_FACTOR, limited))
    return drafts


def _exact(app: App, policy: Policy, criteria: Criteria) -> Draft:
    return Draft(
        policy=policy,
        key=app.key,
        line=app.line,
        inside=criteria,
        outside=criteria,
        notes=(app.key,),
    )
