"""One installation that ``forwardauth doctor`` looks at, behind altered proxies.

The service and the applications are started once; what is wrong is the proxy's.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner

from forwardauth.cli.main import main
from tests.support.certificates import Certificates
from tests.support.client import Client
from tests.support.installation import prepare_applications
from tests.support.processes import Process, free_ports, wait_for
from tests.support.proxies import SITES, Backends, Edit, as_shipped, prepare_gateway
from tests.support.service import CONFIG, PASSWORD, prepare_service, write_users

USER: Final = "alice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the doctor said.

    Attributes:
        status: Of the command.
        checks: Each of its findings, as JSON has them.
    """

    status: int
    checks: tuple[Mapping[str, Any], ...]

    def of(self, *outcomes: str) -> list[Mapping[str, Any]]:
        """Return the findings with one of *outcomes*."""
        return [each for each in self.checks if each["outcome"] in outcomes]

    def blames(self, check: str, line: str) -> bool:
        """Whether *check* has failed, and *line* is what is to be changed."""
        return any(
            check in each["check"] and line in each["remedy"]
            for each in self.of("fail")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Where a proxy is started and looked at.

    Attributes:
        folder: For the files of the proxies, one folder each.
        certificates: What the proxies show.
        backends: The ports behind the proxy.
        ports: Where every proxy listens, for HTTPS and for HTTP.
        service: The one instance of forwardauth.
    """

    folder: Path
    certificates: Certificates
    backends: Backends
    ports: tuple[int, int]
    service: Process

    def url(self, site: str) -> str:
        """Return the address of a site."""
        return f"https://{site}.example.com:{self.ports[0]}/"

    def look(
        self,
        proxy: str,
        edit: Edit = as_shipped,
        *,
        sites: tuple[str, ...] = ("app1", "www"),
        urls: tuple[str, ...] = (),
        is_signing_in: bool = False,
        password: str = PASSWORD,
        trust: tuple[str, ...] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Report:
        """Return what the doctor says while *proxy* runs, its files edited by *edit*.

        Args:
            proxy: Name of a folder of ``deploy/``.
            edit: Of its files as shipped.
            sites: What it is to ask for.
            urls: And what else.
            is_signing_in: Whether it is lent a password.
            password: Which one that is.
            trust: Options about certificates; the authority of the tests by default.
            settings: What the doctor reads otherwise than the service.
        """
        gateway = prepare_gateway(
            proxy,
            self.folder / f"{proxy}-{len(list(self.folder.iterdir()))}",
            self.certificates,
            self.backends,
            edit=edit,
            ports=self.ports,
        )
        with gateway.process:
            wait_for(self._has_routes, f"{proxy} has its routes; {gateway.process.log}")
            return self.ask(
                *("--proxy", proxy),
                *(p for url in (*map(self.url, sites), *urls) for p in ("--url", url)),
                *(self._signing_in(password) if is_signing_in else ()),
                trust=trust,
                settings=settings,
            )

    def ask(
        self,
        *arguments: str,
        settings: Mapping[str, str] | None = None,
        trust: tuple[str, ...] | None = None,
    ) -> Report:
        """Run the command itself, as on the machine of the service."""
        authority = ("--ca", str(self.certificates.authority))
        result = CliRunner().invoke(
            main,
            [
                *("doctor", "--json", "--config", str(CONFIG)),
                *(p for n in self.ports for p in ("--resolve", f"*:{n}:127.0.0.1")),
                *(authority if trust is None else trust),
                *arguments,
            ],
            env={**self.service.environment, **(settings or {})},
        )
        assert result.exit_code in {0, 1}, result.output
        content = json.loads(result.stdout)
        assert content["ok"] is (result.exit_code == 0)
        return Report(status=result.exit_code, checks=tuple(content["checks"]))

    def _has_routes(self) -> bool:
        """Whether the proxy knows a site: Traefik listens before it does."""
        client = Client(authority=self.certificates.authority)
        try:
            reply = client.send("GET", self.url("app2"))
        except OSError:
            return False
        # That of the service comes from a proxy that asks it at a wrong address.
        return reply.status != HTTPStatus.NOT_FOUND or b"not_found" in reply.body

    def _signing_in(self, password: str) -> tuple[str, ...]:
        file = self.folder.parent / "password"
        file.write_text(f"{password}\n")
        return ("--user", USER, "--password-file", str(file))


@contextmanager
def clinic(folder: Path, certificates: Certificates) -> Iterator[Clinic]:
    """Run the service and the applications as long as the context lasts."""
    port, management, *site_ports = free_ports(2 + len(SITES))
    ports = free_ports(2)
    service = prepare_service(
        folder / "service",
        port=port,
        portal=f"https://auth.example.com:{ports[0]}",
        users=write_users(folder),
        settings={"FORWARDAUTH_SERVER__MANAGEMENT": f"127.0.0.1:{management}"},
    )
    sites = dict(zip(SITES, site_ports, strict=True))
    proxies = folder / "proxies"
    proxies.mkdir()
    with ExitStack() as stack:
        for process in (prepare_applications(folder, sites), service):
            stack.enter_context(process)
        yield Clinic(
            folder=proxies,
            certificates=certificates,
            backends=Backends(services=(port,), sites=sites),
            ports=(ports[0], ports[1]),
            service=service,
        )
