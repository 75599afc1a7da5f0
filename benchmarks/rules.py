"""What a decision costs with 10, a thousand or ten thousand rules for other hosts.

    script/bench rules [--sizes 10,1000,10000] [--decisions 20000]

Prints the median and p99 of ``AccessControl.decide`` for requests of several kinds,
each as a ratio against the fewest rules. A cost that grew with the rules for other
hosts would show as a ratio that grows with them. The last kind is the exception: an
expression for hosts could be for any, so each is tried, and the cost is theirs.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from forwardauth.access_control.criteria import (
    MethodCriterion,
    NetworkCriterion,
    PathCriterion,
)
from forwardauth.access_control.decision import Outcome, Policy
from forwardauth.access_control.matchers import SubjectCriterion, parse_domain_pattern
from forwardauth.access_control.regexes import Regex
from forwardauth.access_control.rule import Rule
from forwardauth.access_control.rules import AccessControl
from forwardauth.request import OriginalRequest, Subject

SIZES: Final = (10, 1_000, 10_000)
DECISIONS: Final = 20_000
ALICE: Final = Subject(username="alice", groups=frozenset({"ops"}), level=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    Attributes:
        title: For the table.
        host: Whom it is for.
        path: Raw.
        outcome: What has to come out, so that the right thing is measured.
        by_regex: Whether the rules for others are expressions.
    """

    title: str
    host: str
    path: str = "/inbox/42"
    outcome: Outcome = Outcome.ALLOW
    by_regex: bool = False


KINDS: Final = (
    Kind(title="host by name", host="app.example.com"),
    Kind(title="host below a wildcard", host="a.b.dev.example.com"),
    Kind(title="path by prefix", host="paths.example.com", path="/api/v1/x%20y"),
    Kind(title="path by expression", host="paths.example.com", path="/img/cat.png"),
    Kind(
        title="ambiguous path",
        host="paths.example.com",
        path="/api/..%2fadmin",
        outcome=Outcome.FORBIDDEN,
    ),
    Kind(title="no rule", host="example.net", outcome=Outcome.FORBIDDEN),
    Kind(title="others by expression", host="app.example.com", by_regex=True),
)


def build_rules(size: int, *, by_regex: bool) -> AccessControl:
    """Return *size* rules for others, one half each by name and by wildcard.

    After them come those that the requests of ``KINDS`` are for.
    """
    rules = [_other(number, by_regex=by_regex) for number in range(size)]
    number = size + 1
    inside = NetworkCriterion(networks=(ip_network("10.0.0.0/8"),), names=("10/8",))
    methods = MethodCriterion(methods=frozenset({"GET", "HEAD"}))
    api = PathCriterion(prefixes=("/api",))
    images = PathCriterion(regexes=(Regex(r"/img/[a-z]+\.png"),))
    rules += [
        _rule(number, "app.example.com", methods=methods, networks=inside),
        _rule(number + 1, "*.dev.example.com", subject=_ops()),
        _rule(number + 2, "paths.example.com", path=api),
        _rule(number + 3, "paths.example.com", path=images),
    ]
    return AccessControl(rules=tuple(rules))


def build_host_rules(hosts: int) -> AccessControl:
    """Return five rules for each of *hosts*, of which the last lets everybody in."""
    rules: list[Rule] = []
    for number in range(hosts):
        for path in ("/admin", "/api", "/metrics", "/debug"):
            criterion = PathCriterion(prefixes=(path,))
            rules.append(
                _rule(len(rules) + 1, f"app{number}.example.com", path=criterion)
            )
        rules.append(_rule(len(rules) + 1, f"app{number}.example.com"))
    return AccessControl(rules=tuple(rules))


def _ops() -> SubjectCriterion:
    return SubjectCriterion(groups=frozenset({"ops"}))


def _other(number: int, *, by_regex: bool) -> Rule:
    if by_regex:
        regex = Regex(rf"other{number}-[0-9]+\.example\.org")
        return Rule(number=number + 1, policy=Policy.DENY, domain_regexes=(regex,))
    star = "*." if number % 2 else ""
    path = PathCriterion(prefixes=("/admin",))
    return _rule(number + 1, f"{star}other{number}.example.org", path=path)


def _rule(
    number: int,
    host: str,
    *,
    methods: MethodCriterion | None = None,
    path: PathCriterion | None = None,
    networks: NetworkCriterion | None = None,
    subject: SubjectCriterion | None = None,
) -> Rule:
    return Rule(
        number=number,
        policy=Policy.ONE_FACTOR,
        domains=(parse_domain_pattern(host),),
        methods=methods,
        path=path,
        networks=networks,
        subject=subject or SubjectCriterion(),
    )


def measure(rules: AccessControl, kind: Kind, decisions: int) -> Sequence[float]:
    """Return the time in microseconds of each of *decisions* in order of size."""
    original = OriginalRequest(
        scheme="https",
        host=kind.host,
        port=None,
        method="GET",
        path=kind.path,
        query=None,
        client=ip_address("10.1.2.3"),
    )
    # The index is built by the first decision.
    if rules.decide(ALICE, original).outcome is not kind.outcome:
        raise RuntimeError(f"{kind.title} came out otherwise")
    times: list[float] = []
    for _ in range(decisions):
        started = time.perf_counter()
        rules.decide(ALICE, original)
        times.append((time.perf_counter() - started) * 1e6)
    return sorted(times)


def run(sizes: Sequence[int], decisions: int) -> None:
    """Measure and print every combination."""
    _print("request", "rules", "median µs", "p99 µs", "ratio")
    for kind in KINDS:
        first: float | None = None
        for size in sizes:
            rules = build_rules(size, by_regex=kind.by_regex)
            # Where each rule is tried, fewer decisions tell as much.
            count = max(20, decisions // size) if kind.by_regex else decisions
            times = measure(rules, kind, count)
            median = statistics.median(times)
            first = first or median
            _print(
                kind.title,
                f"{size:,}",
                f"{median:.1f}",
                f"{times[len(times) * 99 // 100]:.1f}",
                f"{median / first:.2f}",
            )


def _print(*cells: str) -> None:
    widths = zip(cells, (-22, 8, 11, 11, 8), strict=True)
    row = (text.rjust(wide) if wide > 0 else text.ljust(-wide) for text, wide in widths)
    print("  ".join(row).rstrip(), flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    arguments = parser.parse_args()
    run([int(size) for size in arguments.sizes.split(",")], arguments.decisions)


if __name__ == "__main__":
    main()
