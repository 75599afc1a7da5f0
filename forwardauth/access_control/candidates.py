"""The rules that could decide about a request, found once for many requests.

An application is asked for thousands of paths by the same few methods and addresses.
What a rule says about host, method and address is the same for all of them, so rules
that are out by those are left out once, and only what looks at the path is left to ask.

Law: what is left out decides about no request of that host, method and address.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from forwardauth.access_control.asked import Asked
from forwardauth.access_control.criteria import Criterion, Match, check_all
from forwardauth.access_control.index import HostIndex
from forwardauth.access_control.rule import Rule
from forwardauth.request import OriginalRequest

MAX_HOSTS: Final = 256
"""Of how many hosts the rules are known, once they have been looked for."""

MAX_SENDERS: Final = 1024
"""Of how many methods and addresses it is known what rules say about them."""

MAX_KEPT: Final = 65_536
"""How many rules are kept for these in all: a megabyte."""


class Candidate(NamedTuple):
    """A rule that could decide.

    Attributes:
        rule: The rule.
        said: What its criteria about method and address say: not ``NO``.
        criteria: Those that are still to be asked.
    """

    rule: Rule
    said: Match
    criteria: tuple[Criterion, ...]

    def check(self, asked: Asked) -> Match:
        """Return what all criteria but host and subject say together."""
        return check_all(self.criteria, asked, told=self.said)


_Sender = tuple[str, str, IPv4Address | IPv6Address | None]


class Candidates:
    """Finds the rules for requests among all of them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Keep *rules*, which are in order."""
        self._index = HostIndex(rules)
        self._by_host: dict[str, _OfHost] = {}
        self._by_sender: dict[_Sender, tuple[Candidate, ...]] = {}
        self._kept = 0

    def find(self, original: OriginalRequest) -> tuple[Candidate, ...]:
        """Return those that could decide about *original*, in order.

        None follows one that always decides.
        """
        of_host = self._by_host.get(original.host) or self._add_host(original.host)
        if of_host.is_same_for_all:
            return of_host.candidates
        # Addresses are many, and most hosts have no rule about them.
        client = original.client if of_host.looks_at_client else None
        sender = original.host, original.method, client
        found = self._by_sender.get(sender)
        return self._add_sender(sender, of_host, original) if found is None else found

    def _add_host(self, host: str) -> "_OfHost":
        rules: list[Rule] = []
        for rule in self._index.candidates(host):
            if rule.matches_host(host) and (not rules or rules[-1] is not rule):
                rules.append(rule)
                if rule.decides_always:
                    break
        if len(self._by_host) >= MAX_HOSTS:
            self._by_host.clear()
        of_host = self._by_host[host] = _OfHost(rules)
        return of_host

    def _add_sender(
        self, sender: _Sender, of_host: "_OfHost", original: OriginalRequest
    ) -> tuple[Candidate, ...]:
        found = of_host.narrow(original)
        if len(found) > MAX_KEPT:
            return found
        self._kept += len(found)
        if len(self._by_sender) >= MAX_SENDERS or self._kept > MAX_KEPT:
            self._by_sender.clear()
            self._kept = len(found)
        self._by_sender[sender] = found
        return found


class _OfHost:
    """The rules for one host."""

    __slots__ = ("candidates", "is_same_for_all", "looks_at_client")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.candidates = tuple(
            [Candidate(rule, Match.YES, rule.target_criteria) for rule in rules]
        )
        self.looks_at_client = any(rule.networks is not None for rule in rules)
        self.is_same_for_all = not self.looks_at_client and all(
            rule.methods is None for rule in rules
        )

    def narrow(self, original: OriginalRequest) -> tuple[Candidate, ...]:
        """Return those that could decide about requests like *original*."""
        asked = Asked(original)
        found: list[Candidate] = []
        for candidate in self.candidates:
            rule = candidate.rule
            said = rule.check_sender(asked)
            # Where it cannot be told, a rule lets nobody in.
            if said is Match.NO or (said is Match.UNKNOWN and rule.is_bypass):
                continue
            found.append(candidate._replace(said=said))
            if rule.subject.is_for_everyone and not candidate.criteria:
                break
        return tuple(found)
