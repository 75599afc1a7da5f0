"""What opens the answer of the doctor: made with the key, and a short time ago."""

from datetime import timedelta

import pytest

from forwardauth.web.doctor_proof import DoctorProofs
from tests.support.clock import FakeClock

KEY = b"k" * 32


def test_proof_of_the_same_key_is_valid() -> None:
    """Two processes with one key believe each other."""
    clock = FakeClock()

    assert DoctorProofs(KEY, clock).is_valid(DoctorProofs(KEY, clock).create())


def test_two_proofs_differ() -> None:
    """None tells of another one."""
    proofs = DoctorProofs(KEY, FakeClock())

    assert proofs.create() != proofs.create()


def test_proof_of_another_key_is_none() -> None:
    """Who does not hold the key is told nothing."""
    clock = FakeClock()

    assert not DoctorProofs(KEY, clock).is_valid(
        DoctorProofs(b"x" * 32, clock).create()
    )


@pytest.mark.parametrize(
    ("minutes", "is_valid"), [(-11, False), (-9, True), (9, True), (11, False)]
)
def test_proof_counts_for_ten_minutes(minutes: int, is_valid: bool) -> None:
    """In both directions, since one of the two clocks may be wrong."""
    clock = FakeClock()
    proof = DoctorProofs(KEY, clock).create()
    clock.advance(timedelta(minutes=minutes))

    assert DoctorProofs(KEY, clock).is_valid(proof) is is_valid


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "1.2.3", "x" * 500, "1767225600.aa.é", "\ud800.a.b"],
    ids=["empty", "dot", "dots", "numbers", "long", "letter", "surrogate"],
)
def test_junk_is_no_proof(text: str) -> None:
    """Whatever is sent is judged, and raises nothing."""
    assert not DoctorProofs(KEY, FakeClock()).is_valid(text)


def test_changed_proof_is_none() -> None:
    """Neither its time nor its name can be another."""
    proofs = DoctorProofs(KEY, FakeClock())
    issued, name, mac = proofs.create().split(".")

    assert not proofs.is_valid(f"{int(issued) + 1}.{name}.{mac}")
    assert not proofs.is_valid(f"{issued}.{name[::-1]}.{mac}")
