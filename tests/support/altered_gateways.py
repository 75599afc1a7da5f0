"""One service and its applications, behind one altered proxy after the other.

Starting the service takes longer than starting a proxy, so it is done once; every proxy
listens on the same ports, and so has the same portal.
"""

import contextlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.certificates import Certificates
from tests.support.consequences import Consequence, observe
from tests.support.inspections import OFFICE
from tests.support.installation import COOKIE, Installation, prepare_applications
from tests.support.processes import (
    Process,
    ProcessEndedError,
    free_ports,
    wait_for,
)
from tests.support.proxies import (
    SITES,
    Backends,
    Edit,
    Gateway,
    as_shipped,
    prepare_gateway,
)
from tests.support.service import CONFIG, prepare_service, write_users
from tests.support.visits import ADDRESS, Visit

_SETTLE_SECONDS: Final = 2.0
"""How long a proxy may take until its routes count; some never come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where a proxy is altered, started and looked at.

    Attributes:
        folder: For the files of the proxies, one folder each.
        certificates: What the proxies show.
        service: The one instance of forwardauth.
        backends: The ports behind the proxy.
        ports: Where every proxy listens, for HTTPS and for HTTP.
        sessions: Filled at the first visit: who has signed in, and the session.
    """

    folder: Path
    certificates: Certificates
    service: Process
    backends: Backends
    ports: tuple[int, int]
    sessions: dict[str, str]

    def consequence(
        self,
        proxy: str,
        edit: Edit = as_shipped,
        *,
        tolerated: frozenset[Consequence] = frozenset(),
    ) -> Consequence:
        """Return what comes of running *proxy* with its files edited by *edit*.

        What is *tolerated* shows with the shipped files as well, and is not looked at.
        """
        folder = self.folder / f"{proxy}-{len(list(self.folder.iterdir()))}"
        gateway = prepare_gateway(
            proxy,
            folder,
            self.certificates,
            self.backends,
            edit=edit,
            ports=self.ports,
        )
        try:
            gateway.process.start()
        except ProcessEndedError:
            return Consequence.REFUSED_BY_PROXY
        try:
            self._settle(gateway)
            return observe(self._visit(gateway), tolerated=tolerated)
        finally:
            gateway.process.kill()

    def _settle(self, gateway: Gateway) -> None:
        with contextlib.suppress(AssertionError):
            wait_for(
                lambda: gateway.serves_portal(self.certificates.authority),
                "the portal is served",
                seconds=_SETTLE_SECONDS,
            )

    def _visit(self, gateway: Gateway) -> Visit:
        site = Installation(
            gateway=gateway, services=(self.service,), certificates=self.certificates
        )
        if not self.sessions:
            for name in ("alice", "bob"):
                self.sessions[name] = site.signed_in(name).jar.value(COOKIE)
        return Visit(site=site, sessions=self.sessions)


@contextmanager
def workshop(folder: Path, certificates: Certificates) -> Iterator[Workshop]:
    """Run the service and the applications as long as the context lasts."""
    port, *site_ports = free_ports(1 + len(SITES))
    ports = free_ports(2)
    service = prepare_service(
        folder / "service",
        port=port,
        portal=f"https://auth.example.com:{ports[0]}",
        users=write_users(folder),
        settings={"FORWARDAUTH_ACCESS_CONTROL__RULES": json.dumps(_rules())},
    )
    sites = dict(zip(SITES, site_ports, strict=True))
    proxies = folder / "proxies"
    proxies.mkdir()
    with ExitStack() as stack:
        for process in (prepare_applications(folder, sites), service):
            stack.enter_context(process)
        yield Workshop(
            folder=proxies,
            certificates=certificates,
            service=service,
            backends=Backends(services=(port,), sites=sites),
            ports=(ports[0], ports[1]),
            sessions={},
        )


def _rules() -> list[Any]:
    """Return the shipped rules, after two that go by the client's address."""
    by_address = [
        {
            "domain": "app2.example.com",
            "path": path,
            "networks": [f"{address}/32"],
            "policy": "bypass",
        }
        for path, address in (("/office", OFFICE), ("/desk", ADDRESS))
    ]
    shipped = yaml.safe_load(CONFIG.read_text())["access_control"]["rules"]
    return [*by_address, *shipped]
