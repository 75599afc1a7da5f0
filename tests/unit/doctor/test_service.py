"""The listeners, asked past the proxy."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forwardauth.config.addresses import TcpAddress, UnixAddress
from forwardauth.doctor.case import Case
from forwardauth.doctor.findings import Finding, Outcome
from forwardauth.doctor.service import check_service, locate
from forwardauth.web import keys
from forwardauth.web.answers import SERVER_NAME
from forwardauth.web.doctor_proof import DoctorProofs
from tests.support.cases import VERSION, make_case
from tests.support.clock import FakeClock
from tests.support.portal import Portal
from tests.support.processes import free_ports
from tests.support.strangers import stranger


def listening(case: Case, url: str, *, management: str | None = None) -> Case:
    """Return *case* as of a service that listens at *url*."""
    server = replace(
        case.settings.server,
        listen=(_address(url),),
        management=None if management is None else _address(management),
    )
    settings = replace(case.settings, server=server)
    return replace(case, inspection=replace(case.inspection, settings=settings))


def _address(url: str) -> TcpAddress:
    return TcpAddress(host="127.0.0.1", port=urlsplit(url).port or 0)


def outcomes(findings: list[Finding]) -> dict[str, Outcome]:
    """Return how each check went, by its first word."""
    return {each.check.split()[0]: each.outcome for each in findings}


async def test_service_that_runs_is_known(tmp_path: Path, portal: Portal) -> None:
    """Its version and configuration are compared with ours."""
    proofs = portal.app[keys.DOCTOR_PROOFS]
    case = listening(make_case(tmp_path, proofs=proofs), portal.url("/"))

    findings = await check_service(case)

    assert outcomes(findings) == {
        "listener": Outcome.OK,
        # The service is of another version than the case, and of two domains.
        "version": Outcome.WARN,
        "clock": Outcome.OK,
        "configuration": Outcome.WARN,
        "management": Outcome.SKIP,
    }
    told = {each.check.split()[0]: each.detail for each in findings}
    assert VERSION in told["version"]
    assert told["configuration"] == "the service runs with another cookies"


async def test_service_with_another_key_says_nothing(
    tmp_path: Path, portal: Portal
) -> None:
    """It is known for ours, and that is all."""
    proofs = DoctorProofs(b"another key" * 4, FakeClock())
    case = listening(make_case(tmp_path, proofs=proofs), portal.url("/"))

    (finding, _) = await check_service(case)

    assert finding.outcome is Outcome.WARN
    assert "does not know our key" in finding.detail


async def test_without_a_key_health_is_asked(tmp_path: Path, portal: Portal) -> None:
    """Whoever may not read the key learns whether the service is there."""
    case = listening(make_case(tmp_path), portal.url("/"))

    (finding, _) = await check_service(case)

    assert finding.outcome is Outcome.OK


async def test_service_that_is_not_there_has_failed(tmp_path: Path) -> None:
    """The listener and management are told of, each with what to do."""
    main, management = free_ports(2)
    case = listening(
        make_case(tmp_path),
        f"http://127.0.0.1:{main}",
        management=f"http://127.0.0.1:{management}",
    )

    findings = await check_service(case)

    assert [each.outcome for each in findings] == [Outcome.FAIL] * 2
    assert all("start it" in each.remedy for each in findings)


async def test_other_program_on_the_port_is_told(tmp_path: Path) -> None:
    """By its header ``Server``, which is not ours; on the port for probes, too."""
    async with stranger(body=b'{"status": "OK"}') as url:
        case = listening(make_case(tmp_path), url, management=url)
        findings = await check_service(case)

    assert [each.outcome for each in findings] == [Outcome.FAIL] * 2
    assert all("another program" in each.detail for each in findings)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "detail"),
    [
        (200, b'{"status": "OK"}', Outcome.OK, "ready"),
        (503, b'{"status": "KO", "message": "no store"}', Outcome.FAIL, "no store"),
        (500, b"<html>", Outcome.FAIL, "500: no reason"),
    ],
)
async def test_readiness_is_told(
    tmp_path: Path, status: int, body: bytes, outcome: Outcome, detail: str
) -> None:
    """With the reason that the service gives."""
    (port,) = free_ports(1)
    ours = [("Server", SERVER_NAME)]
    async with stranger(status=status, body=body, headers=ours) as url:
        case = listening(
            make_case(tmp_path), f"http://127.0.0.1:{port}", management=url
        )
        (_, finding) = await check_service(case)

    assert finding.outcome is outcome
    assert detail in finding.detail


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:9091"),
        ("0.0.0.0", "http://127.0.0.1:9091"),  # noqa: S104 - what is looked up
        ("::", "http://[::1]:9091"),
        ("192.0.2.1", "http://192.0.2.1:9091"),
    ],
)
def test_listener_on_all_addresses_is_asked_on_this_machine(
    host: str, origin: str
) -> None:
    """Nobody can connect to the address that stands for all."""
    assert locate(TcpAddress(host=host, port=9091)) == (origin, None)


def test_socket_is_asked_by_its_file() -> None:
    """There is no port to go to."""
    path = Path("/run/forwardauth.sock")

    assert locate(UnixAddress(path=path)) == ("http://localhost", path)
