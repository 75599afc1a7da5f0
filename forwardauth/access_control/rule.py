"""One rule: whom and what it is for, and what it asks of them.

Law: every criterion of a rule is needed; what cannot be told is met for a rule that
denies, and for no other.
"""

from dataclasses import dataclass, field

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import (
    Criterion,
    Match,
    MethodCriterion,
    NetworkCriterion,
    PathCriterion,
)
from forwardauth.access_control.decision import Policy
from forwardauth.access_control.matchers import DomainPattern, SubjectCriterion
from forwardauth.access_control.queries import QueryCriterion
from forwardauth.access_control.regexes import Regex

EVERYONE = SubjectCriterion()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of ``access_control.rules``; ``None`` stands for "any".

    Attributes:
        number: Its place in the file, from 1.
        policy: What it asks of those it matches.
        domains: Any of them, or of *domain_regexes*, must match the host.
        domain_regexes: Match the whole host.
        methods: The methods meant.
        path: The paths meant.
        query: The queries meant.
        networks: The addresses meant.
        subject: Whom it is for.
        allows_preflight: Whether a CORS preflight passes that the rule matches.
        allows_plain_http: Whether a ``bypass`` rule also lets pass what comes by plain
            ``http``.
        allows_basic: Whether ``Authorization: Basic`` is a way to sign in here.
    """

    number: int
    policy: Policy
    domains: tuple[DomainPattern, ...] = ()
    domain_regexes: tuple[Regex, ...] = ()
    methods: MethodCriterion | None = None
    path: PathCriterion | None = None
    query: QueryCriterion | None = None
    networks: NetworkCriterion | None = None
    subject: SubjectCriterion = EVERYONE
    allows_preflight: bool = False
    allows_plain_http: bool = False
    allows_basic: bool = False
    _criteria: tuple[tuple[str, Criterion], ...] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Tell the criteria that there are from those that are not, once."""
        named: tuple[tuple[str, Criterion | None], ...] = (
            ("methods", self.methods),
            ("path", self.path),
            ("query", self.query),
            ("networks", self.networks),
        )
        criteria = tuple((name, each) for name, each in named if each is not None)
        object.__setattr__(self, "_criteria", criteria)

    @property
    def is_bypass(self) -> bool:
        """Whether it lets everybody in whom it is for."""
        return self.policy is Policy.BYPASS

    def matches_host(self, host: str) -> bool:
        """Whether the rule is for *host*."""
        return any(pattern.matches(host) for pattern in self.domains) or any(
            regex.matches(host) for regex in self.domain_regexes
        )

    def matches_object(self, asked: Asked) -> bool:
        """Whether all criteria but the subject match, for all that can be told.

        What cannot be told (the address of a client that nobody vouches for) is met
        for a rule that denies, and for no other.
        """
        match = self.check_object(asked)
        if match is Match.UNKNOWN:
            return self.policy is Policy.DENY
        return match is Match.YES

    def check_object(self, asked: Asked) -> Match:
        """Return what all criteria but the subject say together."""
        if not self.matches_host(asked.original.host):
            return Match.NO
        return self.check_criteria(asked)

    def check_criteria(self, asked: Asked) -> Match:
        """Return what all criteria but host and subject say together."""
        told = Match.YES
        for _, criterion in self._criteria:
            match = criterion.check(asked)
            if match is Match.NO:
                return Match.NO
            if match is Match.UNKNOWN:
                told = Match.UNKNOWN
        return told

    def criteria(self) -> tuple[tuple[str, Criterion], ...]:
        """Return the criteria beyond host and subject, each with its name."""
        return self._criteria

    @property
    def decides_always(self) -> bool:
        """Whether no rule behind it has a say about a host that it is for."""
        return self.subject.is_for_everyone and not self._criteria

    @property
    def hosts(self) -> str:
        """The hosts as they are written, for explanations."""
        return ", ".join(map(str, (*self.domains, *self.domain_regexes)))
