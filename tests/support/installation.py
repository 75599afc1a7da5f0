"""A whole installation: proxy, service and sites, each a process of its own."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.certificates import Certificates
from tests.support.client import Client
from tests.support.processes import Process, free_ports
from tests.support.proxies import (
    SITES,
    Backends,
    Changes,
    Gateway,
    prepare_gateway,
)
from tests.support.service import PASSWORD, prepare_service, write_users

COOKIE: Final = "forwardauth_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the scenarios run against.

    Attributes:
        gateway: The proxy, through which everything goes.
        services: The instances of forwardauth behind it.
        certificates: What the gateway shows, and who vouches for it.
    """

    gateway: Gateway
    services: tuple[Process, ...]
    certificates: Certificates

    def url(self, site: str, path: str = "/", *, domain: str = "example.com") -> str:
        """Return the address of *path* on ``<site>.<domain>``."""
        return self.gateway.url(site, path, domain=domain)

    def client(self) -> Client:
        """Return a browser without cookies."""
        return Client(authority=self.certificates.authority)

    def signed_in(self, username: str) -> Client:
        """Return a browser in which *username* has just signed in."""
        client = self.client()
        reply = client.post_json(
            self.url("auth", f"{self.gateway.base_path}/api/firstfactor"),
            {"username": username, "password": PASSWORD},
        )
        assert reply.status == 200, reply
        return client

    def holding(self, token: str) -> Client:
        """Return a browser that somebody put the session cookie *token* into."""
        client = self.client()
        line = f"{COOKIE}={token}; Domain=example.com; Path=/"
        client.jar.update("auth.example.com", [line])
        return client


def prepare_applications(folder: Path, sites: Mapping[str, int]) -> Process:
    """Return the sample applications on the ports of *sites*, not yet started."""
    names = [f"{name}={port}" for name, port in sites.items()]
    return Process(
        "sample applications",
        [sys.executable, "-m", "tests.support.sample_app", *names],
        log=folder / "applications.log",
        ports=list(sites.values()),
    )


@contextmanager
def installation(
    proxy: str,
    folder: Path,
    certificates: Certificates,
    *,
    stores: tuple[str | None, ...] = (None,),
    settings: Mapping[str, str] | None = None,
    changes: Changes | None = None,
) -> Iterator[Installation]:
    """Run everything behind *proxy* as long as the context lasts.

    Args:
        proxy: Name of a folder of ``deploy/``.
        folder: An empty one for all files.
        certificates: For ``*.example.com``.
        stores: One store URL for each instance of the service; ``None`` is SQLite.
        settings: Further variables for each instance; ``{port}`` in one is replaced by
            the port of the proxy.
        changes: To the proxy's files.
    """
    settings = settings or {}
    ports = free_ports(len(SITES) + len(stores))
    sites = dict(zip(SITES, ports, strict=False))
    services = ports[len(SITES) :]
    gateway = prepare_gateway(
        proxy,
        folder / proxy,
        certificates,
        Backends(services=services, sites=sites),
        changes=changes,
        base_path=settings.get("FORWARDAUTH_SERVER__BASE_PATH", ""),
    )
    users = write_users(folder)
    instances = tuple(
        prepare_service(
            folder / f"service-{number}",
            port=port,
            portal=gateway.url("auth", ""),
            users=users,
            store=store,
            settings={
                name: value.replace("{port}", str(gateway.port))
                for name, value in settings.items()
            },
        )
        for number, (port, store) in enumerate(zip(services, stores, strict=True))
    )
    with ExitStack() as stack:
        for process in (prepare_applications(folder, sites), *instances):
            stack.enter_context(process)
        stack.callback(gateway.process.close)
        gateway.start(certificates.authority)
        yield Installation(
            gateway=gateway, services=instances, certificates=certificates
        )
