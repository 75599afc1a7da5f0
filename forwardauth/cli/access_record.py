"""Which rule decides, for programs: the steps of ``access explain`` as one record.

Law: it says what the text says. ``outcome`` is that of the decision, or ``refused`` and
``sign_out`` where no rule is asked.
"""

from dataclasses import replace

from forwardauth.access_control.explain import Explanation, explain
from forwardauth.config.schema import Settings
from forwardauth.request import OriginalRequest, Subject


def access_record(
    settings: Settings, subject: Subject, original: OriginalRequest
) -> dict[str, object]:
    """Return what becomes of *original* when *subject* asks, with each step."""
    asked: dict[str, object] = {
        "method": original.method,
        "url": original.url,
        "user": None if subject.is_anonymous else subject.username,
        "groups": sorted(subject.groups),
    }
    domain = settings.domains.lookup(original.host)
    if domain is None:
        return {**asked, "outcome": "refused", "reason": "no_cookie_domain"}
    is_plain_http = domain.is_secure and original.scheme != "https"
    if original.path in settings.logout.paths:
        outcome = "to_portal" if is_plain_http else "sign_out"
        return {**asked, "outcome": outcome, "reason": "logout_path"}
    if is_plain_http:
        original = replace(original, is_plain_http=True)
    return {**asked, **_tell(explain(settings.access_control, subject, original))}


def _tell(explanation: Explanation) -> dict[str, object]:
    decision = explanation.decision
    return {
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "rule": decision.rule,
        "policy": decision.policy.value,
        "allows_basic": decision.allows_basic,
        "steps": [
            {
                "rule": step.rule,
                "policy": step.policy.value,
                "decides": step.is_deciding,
                "checks": [
                    {
                        "criterion": check.name,
                        "match": check.match.value,
                        "wanted": check.wanted,
                    }
                    for check in step.checks
                ],
            }
            for step in explanation.steps
        ],
    }
