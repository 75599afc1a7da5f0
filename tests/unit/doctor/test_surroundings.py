"""Who can read the secrets, and what waits in the journal."""

from datetime import timedelta
from pathlib import Path

from forwardauth.doctor.findings import Outcome
from forwardauth.doctor.surroundings import check_surroundings
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.sessions.pending import PendingRevocation
from forwardauth.web.signing import load_key
from tests.support.cases import make_case
from tests.support.clock import START
from tests.support.stored_sessions import make_live


def run(folder: Path) -> dict[str, tuple[Outcome, str]]:
    """Return outcome and detail of each check."""
    findings = check_surroundings(make_case(folder))
    return {each.check: (each.outcome, each.remedy or each.detail) for each in findings}


def test_service_that_has_run_is_in_order(tmp_path: Path) -> None:
    """Users file, journal and key are for one user alone."""
    RevocationJournal(tmp_path / "revocations.journal").check_writable()
    load_key(tmp_path, None)

    found = run(tmp_path)

    assert set(found) == {"users file", "journal", "signing key"}
    assert {outcome for outcome, _ in found.values()} == {Outcome.OK}


def test_files_that_everybody_reads_are_told(tmp_path: Path) -> None:
    """With the command that mends it."""
    make_case(tmp_path)
    load_key(tmp_path, None)
    for name in ("users.yaml", "secret.key"):
        (tmp_path / name).chmod(0o644)

    found = run(tmp_path)

    for check, name in (("users file", "users.yaml"), ("signing key", "secret.key")):
        assert found[check] == (Outcome.WARN, f"chmod o-rwx {tmp_path / name}")


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """A journal or key that is not there would be the file of whoever looks."""
    found = run(tmp_path)

    assert found["journal"][0] is Outcome.SKIP
    assert "signing key" not in found
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "users.yaml"}


def test_promised_ends_are_counted(tmp_path: Path) -> None:
    """What the store has not confirmed yet is no secret to the operator."""
    live = make_live(now=START)
    journal = RevocationJournal(tmp_path / "revocations.journal")
    journal.check_writable()
    journal.add(
        PendingRevocation(
            digest=live.digest,
            login=live.session.login,
            owner="alice",
            cause="admin",
            until=START + timedelta(days=1),
        )
    )

    found = run(tmp_path)

    assert found["journal"][0] is Outcome.WARN
