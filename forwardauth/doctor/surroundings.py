"""The files of the service: who can read the secrets, and what waits in the journal.

That they can be used at all has been looked at with the configuration.
"""

import stat
from pathlib import Path

from forwardauth.doctor.case import Case
from forwardauth.doctor.findings import Finding, fail, ok, skip, warn
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.web.signing import KEY_FILE


def check_surroundings(case: Case) -> list[Finding]:
    """Return who can read what, and whether a promised end is still to come."""
    settings = case.settings
    users = len(case.inspection.users.users)
    findings = [
        _judge_readers("users file", settings.users.file, f"{users} users"),
        _judge_journal(settings.session.journal),
    ]
    key = settings.session.journal.parent / KEY_FILE
    if settings.session.secret is None and key.exists():
        findings.append(_judge_readers("signing key", key, "made by the service"))
    return findings


def _judge_journal(journal: Path) -> Finding:
    if not journal.exists():
        detail = f"{journal} is not there: no service has run with this file here"
        return skip("journal", detail, "run this where the service runs")
    try:
        waiting = len(RevocationJournal(journal).list_pending())
    except OSError as exc:
        return fail("journal", f"{journal}: {exc}", f"let the service read {journal}")
    if not waiting:
        return ok("journal", f"{journal} can be written, and nothing waits in it")
    return warn(
        "journal",
        f"{waiting} promised ends wait for the store to answer",
        "see to the store; the service carries them out by itself",
    )


def _judge_readers(check: str, path: Path, detail: str) -> Finding:
    if path.stat().st_mode & stat.S_IROTH:
        detail = f"everybody on this machine can read {path}"
        return warn(check, detail, f"chmod o-rwx {path}")
    return ok(check, f"{path}, {detail}")
