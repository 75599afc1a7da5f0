"""All checks, in the order in which a request meets what they look at.

configuration ─► files ─► store ─► service ─► proxy and portals ─► protected addresses
"""

from collections.abc import Callable

from forwardauth.doctor.case import Case
from forwardauth.doctor.exchange import Exchange
from forwardauth.doctor.findings import Finding, ok, skip, warn
from forwardauth.doctor.portal import check_portal
from forwardauth.doctor.seen import Seen
from forwardauth.doctor.service import check_service
from forwardauth.doctor.sign_in import Person, check_sign_in
from forwardauth.doctor.site import check_site
from forwardauth.doctor.store import check_store
from forwardauth.doctor.surroundings import check_surroundings


async def examine(
    case: Case,
    person: Person | None = None,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Finding, ...]:
    """Return what was found.

    Args:
        case: What is looked at.
        person: Who signs in, if anybody lent a password.
        tell: Called with what is looked at next.
    """
    tell("the configuration")
    findings = [_judge_configuration(case)]
    findings += (
        warn("configuration", f"{each.place}: {each.reason}", each.remedy)
        for each in case.inspection.warnings
    )
    if case.proofs is None:
        findings.append(
            skip(
                "signing key",
                "is not to be read here, so the service does not tell what it sees",
                "run this where the service runs and as its user, or set the same"
                " session.secret",
            )
        )
    findings += check_surroundings(case)
    tell("the store")
    findings += await check_store(case)
    tell("the service")
    findings += await check_service(case)
    return (*findings, *await _examine_proxy(case, person, tell))


async def _examine_proxy(
    case: Case, person: Person | None, tell: Callable[[str], None]
) -> list[Finding]:
    """Return what was found by requests that come in as those of browsers do."""
    findings: list[Finding] = []
    seen: dict[str, Seen | None] = {}
    domains = case.settings.domains
    async with Exchange(case.reach) as exchange:
        for domain in domains.entries:
            tell(f"the portal {domain.portal}")
            found, seen[domain.name] = await check_portal(case, exchange, domain)
            findings += found
        for url in case.urls:
            tell(url)
            findings += await check_site(case, exchange, url, seen)
        if person is None:
            return findings
        for domain in domains.entries:
            tell(f"a sign-in at {domain.portal}")
            findings += await check_sign_in(
                case, exchange, domain, seen[domain.name], person
            )
    return findings


def _judge_configuration(case: Case) -> Finding:
    source = case.settings.source or "environment"
    return ok("configuration", f"{source} can be started with")
