"""What the doctor looks at, made from a configuration of a test."""

from collections.abc import Mapping
from pathlib import Path

from forwardauth.clock import Clock
from forwardauth.config.inspection import inspect
from forwardauth.doctor.case import Case
from forwardauth.web.doctor_proof import DoctorProofs
from forwardauth.web.signing import check_key
from tests.support.clock import FakeClock
from tests.support.configuration import COMPLETE, write_config
from tests.support.users import entry, write_users

VERSION = "1.2.3"


def make_case(
    folder: Path,
    text: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    proofs: DoctorProofs | None = None,
    clock: Clock | None = None,
) -> Case:
    """Return the case of ``COMPLETE`` and *text*, with a user, in *folder*."""
    users = folder / "users.yaml"
    if not users.exists():
        write_users(users, entry("alice")).chmod(0o600)
    inspection = inspect(
        write_config(folder, COMPLETE + text), environ or {}, check_key=check_key
    )
    return Case(
        inspection=inspection,
        proofs=proofs,
        clock=clock or FakeClock(),
        version=VERSION,
    )
