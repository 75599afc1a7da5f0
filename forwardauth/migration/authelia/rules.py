"""``access_control`` of Authelia as drafts of rules.

Law: a criterion is carried over, or bounded from inside and outside, never dropped.
``forwardauth.migration.rulebook`` decides what the bounds mean.

Source: https://www.authelia.com/configuration/security/access-control/
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.config.tree import Listing, Node, Scalar, Table
from forwardauth.migration.authelia.domains import Hosts, read_hosts
from forwardauth.migration.authelia.networks import read_networks
from forwardauth.migration.authelia.queries import read_query
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.choices import Choices
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.report import Fate
from forwardauth.migration.resources import Reading, read_resources
from forwardauth.migration.rulebook import Draft
from forwardauth.request import METHODS

_DEFAULT: Final = "access_control.default_policy"
_RULES: Final = "access_control.rules"
_KEYS: Final = frozenset(
    ("domain", "domain_regex", "methods", "networks", "policy", "query", "resources")
) | {"subject"}
_CLIENT: Final = "oauth2:client:"
_QUERY: Final = (
    "resources are looked for in path and query there, and the query is no part of the"
    " path here; write path_regex by hand, or give --any-query for expressions that end"
    " in $"
)
_POLICIES: Final = "write bypass, one_factor, two_factor or deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReader:
    """Reads rules, with what all of them share."""

    source: Source
    choices: Choices
    domains: tuple[str, ...]
    networks: Mapping[str, tuple[str, ...]]

    def read_default(self) -> Policy:
        """Return what applies where no rule matches."""
        node = self.source.lookup(_DEFAULT)
        if node is None:
            self.source.tell(Fate.TAKEN, _DEFAULT, "deny, which is the default there")
            return Policy.DENY
        policy = self._policy(node, _DEFAULT)
        self.source.tell(Fate.TAKEN, _DEFAULT, f"{_DEFAULT}: {policy}")
        return policy

    def read_rules(self) -> tuple[Draft, ...]:
        """Return a draft for each rule that is one."""
        drafts: list[Draft] = []
        for index, node in enumerate(self.source.items(self.source.lookup(_RULES))):
            if isinstance(node, Table):
                drafts.append(self._read_rule(node, f"{_RULES}.{index}"))
            else:
                self.source.refuse(node, "must hold keys", "write them as KEY: VALUE")
        return tuple(drafts)

    def _read_rule(self, rule: Table, key: str) -> Draft:
        found = rule.entries
        items = self.source.items
        hosts = read_hosts(
            self.source,
            items(found.get("domain")),
            items(found.get("domain_regex")),
            domains=self.domains,
        )
        if not {"domain", "domain_regex"} & found.keys():
            self.source.refuse(rule, "names no domain", "add domain")
        paths = self._read_paths(found.get("resources"))
        methods, is_impossible = self._read_methods(found.get("methods"))
        common = Criteria(
            methods=methods,
            query=read_query(self.source, found.get("query")),
            networks=read_networks(self.source, found.get("networks"), self.networks),
            subject=self._read_subject(found.get("subject")),
        )
        unknown = sorted(found.keys() - _KEYS)
        policy = self._read_policy(rule, key, common)
        inside, outside = _bound(common, hosts, paths)
        if is_impossible:
            inside = outside = None
        return Draft(
            policy=policy,
            key=key,
            line=rule.place.line,
            inside=None if unknown else inside,
            outside=outside,
            reasons=(
                *hosts.reasons,
                *_explain_paths(paths),
                *(f"{name} is no criterion that is known here" for name in unknown),
                *(("none of its methods is one that passes here",) * is_impossible),
            ),
            allows_preflight=policy is Policy.BYPASS and "OPTIONS" in methods,
            notes=(f"{key}, line {rule.place.line}", *_quote(found, "resources")),
        )

    def _read_policy(self, rule: Table, key: str, criteria: Criteria) -> Policy:
        node = rule.entries.get("policy")
        if node is None:
            self.source.refuse(rule, "has no policy", _POLICIES)
            return Policy.DENY
        policy = self._policy(node, f"{key}.policy")
        if policy is Policy.BYPASS and criteria.subject:
            self.source.refuse(
                node,
                "is bypass beside subject, which Authelia refuses, too",
                "write one_factor, or take subject out",
            )
        return policy

    def _policy(self, node: Node, key: str) -> Policy:
        text = self.source.text_of(node)
        if text is None:
            return Policy.DENY
        try:
            policy = self.choices.policy_of(text)
        except ValueError:
            self.source.refuse(node, "is not a policy", _POLICIES)
            return Policy.DENY
        if text == Policy.TWO_FACTOR.value:
            remedy = "give --two-factor one_factor where a password is enough"
            if policy is Policy.ONE_FACTOR:
                remedy = "as --two-factor says: this is weaker than the source"
            text = f"two_factor cannot be asked for, {policy} is written; {remedy}"
            self.source.tell(Fate.TO_DO, key, text)
        return policy

    def _read_paths(self, node: Node | None) -> Reading | None:
        texts: list[str] = []
        for text, item in self.source.texts(self.source.items(node)):
            try:
                read_resources([text])
            except ValueError as exc:
                reason = f"is not a regular expression: {exc}"
                self.source.refuse(item, reason, "correct it")
                continue
            texts.append(text)
        if not texts:
            return None
        return read_resources(texts, any_query=self.choices.any_query)

    def _read_methods(self, node: Node | None) -> tuple[tuple[str, ...], bool]:
        """Return the methods, and whether none of those that are given can come."""
        texts = self.source.texts(self.source.items(node))
        methods = [text.upper() for text, _ in texts]
        known = tuple(dict.fromkeys(m for m in methods if m in METHODS))
        return known, bool(methods) and not known

    def _read_subject(self, node: Node | None) -> tuple[tuple[str, ...], ...]:
        found: list[tuple[str, ...]] = []
        for item in self.source.items(node):
            inner = item.items if isinstance(item, Listing) else (item,)
            names = [
                self._subject(text, each) for text, each in self.source.texts(inner)
            ]
            kept = tuple(dict.fromkeys(name for name in names if name))
            if kept:
                found.append(kept)
        return tuple(found)

    def _subject(self, text: str, node: Node) -> str | None:
        prefix, _, name = text.partition(":")
        if text.startswith(_CLIENT):
            # A name that nobody has: who is not signed in is stopped, as before.
            self.source.report.tell(
                Fate.LEFT,
                node.place.key,
                node.place.line,
                "no OAuth 2.0 client asks here; kept as a group that nobody is in",
            )
            return f"group:{text}"
        if not text:
            return None
        if prefix not in {"user", "group"} or not name.strip():
            reason = "is not a subject"
            self.source.refuse(node, reason, "write user:NAME or group:NAME")
            return None
        return f"{prefix}:{name.strip()}"


def _bound(
    common: Criteria, hosts: Hosts, paths: Reading | None
) -> tuple[Criteria | None, Criteria | None]:
    """Return the criteria from inside and from outside."""
    inside = replace(
        common,
        domain=tuple(dict.fromkeys(hosts.inside)),
        domain_regex=tuple(dict.fromkeys(hosts.regexes_inside)),
        path_regex=() if paths is None or paths.is_everything else paths.inside,
    )
    everything = paths is None or ".*" in paths.outside
    if paths is not None and set(paths.inside) == set(paths.outside):
        paths = Reading(inside=paths.inside, outside=paths.inside)
    outside = replace(
        common,
        domain=tuple(dict.fromkeys(hosts.outside)),
        domain_regex=tuple(dict.fromkeys(hosts.regexes_outside)),
        path_regex=() if everything or paths is None else paths.outside,
    )
    has_no_path = paths is not None and not paths.inside
    return (
        None if has_no_path or not (inside.domain or inside.domain_regex) else inside,
        outside if outside.domain or outside.domain_regex else None,
    )


def _explain_paths(paths: Reading | None) -> tuple[str, ...]:
    if paths is None or set(paths.inside) == set(paths.outside):
        return ()
    return (_QUERY,)


def _quote(found: Mapping[str, Node], name: str) -> tuple[str, ...]:
    """Return a comment that shows the expressions as they were."""
    node = found.get(name)
    nodes = node.items if isinstance(node, Listing) else (node,)
    texts = [each.text for each in nodes if isinstance(each, Scalar)]
    return (f"{name}: {', '.join(texts)}",) if texts else ()
