"""The service itself, asked past the proxy: each listener, and management."""

from pathlib import Path
from typing import Final

from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.doctor.case import Case
from forwardauth.doctor.exchange import Exchange, Reach, Reply, Silence
from forwardauth.doctor.findings import Finding, fail, ok, skip, warn
from forwardauth.doctor.seen import Seen, ask, clock_finding
from forwardauth.web.answers import SERVER_NAME

_OK: Final = 200
_NO_PLACE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up
_START: Final = "start it (forwardauth serve), or see its log for why it stopped"


async def check_service(case: Case) -> list[Finding]:
    """Return how the listeners and management answer."""
    findings: list[Finding] = []
    for address in case.settings.server.listen:
        findings += await _check_listener(case, address)
    findings.append(await _check_management(case))
    return findings


def locate(address: Address) -> tuple[str, Path | None]:
    """Return the origin of a listener, and the socket file that leads there."""
    match address:
        case UnixAddress(path=path):
            return "http://localhost", path
        case TcpAddress(host=host, port=port):
            host = _NO_PLACE.get(host, host)
            return f"http://{f'[{host}]' if ':' in host else host}:{port}", None


async def _check_listener(case: Case, address: Address) -> list[Finding]:
    origin, socket_file = locate(address)
    url = origin + case.settings.server.base_path
    async with Exchange(Reach(), socket_file=socket_file) as exchange:
        if case.proofs is None:
            reply = await exchange.send("GET", f"{url}/api/health")
            return [_judge_stranger(address, reply)]
        seen, reply = await ask(exchange, url, proofs=case.proofs, clock=case.clock)
    if seen is None:
        return [_judge_stranger(address, reply)]
    return _judge(case, address, seen)


def _judge(case: Case, address: Address, seen: Seen) -> list[Finding]:
    check = f"listener {address}"
    findings = [ok(check, f"answers in {seen.seconds * 1000:.0f} ms")]
    if seen.version == case.version:
        findings.append(ok(f"version at {address}", f"{seen.version}, as this command"))
    else:
        detail = f"the service is {seen.version}, this command {case.version}"
        remedy = "restart the service after an update, or use its own command"
        findings.append(warn(f"version at {address}", detail, remedy))
    findings.append(clock_finding(str(address), seen.offset))
    findings.append(_judge_configuration(case, address, seen))
    return findings


def _judge_configuration(case: Case, address: Address, seen: Seen) -> Finding:
    check, settings = f"configuration at {address}", case.settings
    mine = {
        "server.trusted_proxies": tuple(map(str, settings.server.trusted_proxies)),
        "cookies": tuple(each.portal_url("") for each in settings.domains.entries),
    }
    theirs = {"server.trusted_proxies": seen.trusted_proxies, "cookies": seen.portals}
    changed = [key for key, value in mine.items() if theirs[key] != value]
    if not changed:
        return ok(check, "the service runs with this file")
    return warn(
        check,
        f"the service runs with another {' and '.join(changed)}",
        "restart it with this configuration, or name its own with --config",
    )


def _judge_stranger(address: Address, reply: Reply | Silence) -> Finding:
    check = f"listener {address}"
    if isinstance(reply, Silence) or not _is_ours(reply):
        return _judge_absence(check, reply, "server.listen")
    if reply.status == _OK:
        return ok(check, f"answers in {reply.seconds * 1000:.0f} ms")
    return warn(
        check,
        "answers, and does not know our key: it has another session.secret or key"
        " file, or is an older release",
        "run this command with the configuration and as the user of the service",
    )


def _is_ours(reply: Reply) -> bool:
    return reply.header("Server") == SERVER_NAME


def _judge_absence(check: str, reply: Reply | Silence, key: str) -> Finding:
    """Return what is wrong with an address at which the service does not answer."""
    if isinstance(reply, Silence):
        return fail(check, f"does not answer: {reply.reason}", _START)
    detail = f"another program answers there, with status {reply.status}"
    return fail(check, detail, f"choose another address in {key}")


async def _check_management(case: Case) -> Finding:
    address = case.settings.server.management
    if address is None:
        return skip(
            "management",
            "there is no listener for it",
            f"set {case.place_of('server.management')} to have /readyz and /metrics",
        )
    origin, socket_file = locate(address)
    async with Exchange(Reach(), socket_file=socket_file) as exchange:
        reply = await exchange.send("GET", f"{origin}/readyz")
    check = f"management {address}"
    if isinstance(reply, Silence) or not _is_ours(reply):
        return _judge_absence(check, reply, "server.management")
    if reply.status == _OK:
        return ok(check, f"/readyz says ready in {reply.seconds * 1000:.0f} ms")
    said = str(reply.data().get("message", "")) or "no reason"
    detail = f"/readyz says {reply.status}: {said[:200]}"
    return fail(
        check, detail, "see to what it names; verify refuses everybody until then"
    )
