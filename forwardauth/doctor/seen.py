"""What the service says that it sees, by ``/api/doctor``.

Law: only what has the form of that answer is one; everything else is some other
program's, or one of ours that does not know the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from forwardauth.clock import Clock
from forwardauth.doctor.exchange import Exchange, Headers, Reply, Silence
from forwardauth.doctor.findings import Finding, fail, ok, warn
from forwardauth.web.doctor_proof import PROOF_HEADER, DoctorProofs

PATH = "/api/doctor"

_QUIET = timedelta(seconds=2)
_WRONG = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The answer.

    Attributes:
        version: Of the service that runs.
        offset: How far its clock is ahead of ours.
        peer: Who is connected to it.
        is_trusted: Whether that one may speak for clients.
        client: Who it takes the browser to be; ``None`` where it cannot tell.
        headers: What came along, by name.
        trusted_proxies: Those that it runs with.
        portals: Those that it runs with.
        seconds: How long the answer took.
    """

    version: str
    offset: timedelta
    peer: str
    is_trusted: bool
    client: str | None
    headers: Mapping[str, list[str]]
    trusted_proxies: tuple[str, ...]
    portals: tuple[str, ...]
    seconds: float


async def ask(
    exchange: Exchange,
    url: str,
    *,
    proofs: DoctorProofs,
    clock: Clock,
    headers: Headers = (),
) -> tuple[Seen | None, Reply | Silence]:
    """Return what the service at *url* sees, and the answer as it came.

    Args:
        exchange: The way there.
        url: Of the service, with its base path and without a slash at its end.
        proofs: Of its key.
        clock: Ours.
        headers: Sent along, to see what becomes of them.
    """
    start = clock.now()
    lines = ((PROOF_HEADER, proofs.create()), *headers)
    reply = await exchange.send("GET", url + PATH, headers=lines)
    if isinstance(reply, Silence):
        return None, reply
    middle = start + (clock.now() - start) / 2
    return _parse(reply, middle), reply


def clock_finding(where: str, offset: timedelta) -> Finding:
    """Return whether two clocks agree well enough for sessions that expire."""
    check, seconds = f"clock of {where}", offset.total_seconds()
    if abs(offset) <= _QUIET:
        return ok(check, f"within {_QUIET.total_seconds():g} s of this machine's")
    detail = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    remedy = "let both machines keep their time by NTP (timedatectl set-ntp true)"
    return (fail if abs(offset) > _WRONG else warn)(check, detail, remedy)


def _parse(reply: Reply, middle: datetime) -> Seen | None:
    data = reply.data().get("data")
    if reply.status != 200 or not isinstance(data, dict):  # noqa: PLR2004 - a status
        return None
    try:
        return Seen(
            version=str(data["version"]),
            offset=datetime.fromisoformat(data["time"]) - middle,
            peer=str(data["peer"]),
            is_trusted=data["is_trusted"] is True,
            client=None if data["client"] is None else str(data["client"]),
            headers={str(k): [str(v) for v in vs] for k, vs in data["headers"].items()},
            trusted_proxies=tuple(map(str, data["trusted_proxies"])),
            portals=tuple(map(str, data["portals"])),
            seconds=reply.seconds,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
