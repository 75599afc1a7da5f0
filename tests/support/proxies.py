"""The proxies of ``deploy/``, run as shipped: only ports and paths are substituted.

Law: every substitution must find its text. A file of ``deploy/`` that changes breaks
the tests that stand on it, and cannot drift away from them.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

from forwardauth.demo.addresses import DemoError
from forwardauth.demo.traefik import find_traefik
from tests.support.binaries import require_binary
from tests.support.certificates import Certificates
from tests.support.client import Client
from tests.support.processes import Process, free_ports, wait_for

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
SITES: Final = ("www", "app1", "app2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """The ports that stand behind a proxy, all on loopback.

    Attributes:
        services: One port for each instance of forwardauth. Traefik and Caddy show the
            portal of the first and ask the last; the others take them in turn.
        sites: Port of each sample application, by its name in ``deploy/``.
    """

    services: tuple[int, ...]
    sites: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A proxy that runs, and where it listens."""

    name: str
    process: Process
    port: int
    plain_port: int
    base_path: str = ""

    def url(self, site: str, path: str = "/", *, domain: str = "example.com") -> str:
        """Return the HTTPS address of *path* on ``<site>.<domain>``."""
        return f"https://{site}.{domain}:{self.port}{path}"

    def start(self, authority: Path) -> Self:
        """Start the proxy and return when it serves the portal.

        Traefik listens before it has read its routes and certificates.
        """
        self.process.start()
        try:
            wait_for(
                lambda: self.serves_portal(authority),
                f"{self.name} serves the portal; see {self.process.log}",
            )
        except BaseException:
            self.process.kill()
            raise
        return self

    def serves_portal(self, authority: Path) -> bool:
        """Whether the portal answers through the proxy."""
        url = self.url("auth", f"{self.base_path}/api/health")
        try:
            reply = Client(authority=authority).send("GET", url)
        except OSError:
            return False
        return reply.status == HTTPStatus.OK


Edit = Callable[[str, str], str]
"""From the name and the text of a shipped file to the text to be used instead."""


def as_shipped(_: str, text: str) -> str:
    """Return *text*: the edit that changes nothing."""
    return text


def substitute(text: str, table: Mapping[str, str]) -> str:
    """Return *text* with each pattern of *table* replaced, longest file path first.

    Fails:
        A pattern that matches nothing: the shipped file and the tests have parted.
    """
    for pattern, replacement in table.items():
        text, count = re.subn(pattern, replacement, text)
        assert count, f"nothing to substitute for {pattern!r}"
    return text


def prepare_nginx(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: tuple[int, int],
    edit: Edit = as_shipped,
) -> Process:
    """Write ``deploy/nginx`` into *folder* and return nginx, not yet started."""
    port, plain_port = ports
    binary = require_binary("nginx")
    _copy_certificates(folder, certificates)
    table = {
        "nginx.conf": {
            r"(listen +)443\b": rf"\g<1>127.0.0.1:{port}",
            r"(listen +)80\b": rf"\g<1>127.0.0.1:{plain_port}",
            r"/etc/nginx/(certificates|forwardauth-)": rf"{folder}/\g<1>",
            r"/run/nginx.pid": f"{folder}/nginx.pid",
            r"http \{": "http {\n" + _temporary_folders(folder),
            **_site_table(backends),
        },
        "forwardauth-http.conf": {
            r"server forwardauth:9091;": "\n".join(
                f"server 127.0.0.1:{service};" for service in backends.services
            )
        },
        "forwardauth-server.conf": {r"/etc/nginx/": f"{folder}/"},
        "forwardauth-location.conf": {},
        "forwardauth-portal.conf": {},
    }
    _write(folder, "nginx", table, edit)
    # The compiled-in user may not read a folder of the tests.
    more = ("-g", "daemon off;" + (" user root;" if os.geteuid() == 0 else ""))
    return Process(
        "nginx",
        [binary, "-c", folder / "nginx.conf", "-p", folder, "-e", "stderr", *more],
        log=folder / "nginx.log",
        ports=ports,
    )


def prepare_traefik(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: tuple[int, int],
    edit: Edit = as_shipped,
) -> Process:
    """Write ``deploy/traefik`` into *folder* and return Traefik, not yet started."""
    port, plain_port = ports
    binary = _traefik()
    _copy_certificates(folder, certificates)
    table = {
        "traefik.yaml": {
            r'":443"': f'"127.0.0.1:{port}"',
            r'":80"': f'"127.0.0.1:{plain_port}"',
            r"/etc/traefik/": f"{folder}/",
        },
        "dynamic/routes.yaml": {
            r"forwardauth:9091/verify": f"127.0.0.1:{backends.services[-1]}/verify",
            r"forwardauth:9091\n": f"127.0.0.1:{backends.services[0]}\n",
            **_site_table(backends),
        },
        "dynamic/tls.yaml": {r"/etc/traefik/": f"{folder}/"},
    }
    _write(folder, "traefik", table, edit)
    return Process(
        "traefik",
        [binary, f"--configFile={folder / 'traefik.yaml'}"],
        log=folder / "traefik.log",
        ports=ports,
    )


def prepare_caddy(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: tuple[int, int],
    edit: Edit = as_shipped,
) -> Process:
    """Write ``deploy/caddy`` into *folder* and return Caddy, not yet started."""
    port, plain_port = ports
    binary = require_binary("caddy")
    _copy_certificates(folder, certificates)
    table = {
        "Caddyfile": {
            r"(https_port +)443\b": rf"\g<1>{port}",
            r"(http_port +)80\b": rf"default_bind 127.0.0.1\n\t\g<1>{plain_port}",
            r"/etc/caddy/": f"{folder}/",
            r"(forward_auth) forwardauth:9091": (
                rf"\g<1> 127.0.0.1:{backends.services[-1]}"
            ),
            r"(reverse_proxy) forwardauth:9091": (
                rf"\g<1> 127.0.0.1:{backends.services[0]}"
            ),
            **_site_table(backends),
        }
    }
    _write(folder, "caddy", table, edit)
    return Process(
        "caddy",
        [binary, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
        log=folder / "caddy.log",
        ports=ports,
        # Where Caddy keeps what it writes by itself.
        environment={"HOME": str(folder)},
    )


def prepare_haproxy(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: tuple[int, int],
    edit: Edit = as_shipped,
) -> Process:
    """Write ``deploy/haproxy`` into *folder* and return HAProxy, not yet started."""
    port, plain_port = ports
    binary = require_binary("haproxy")
    _copy_certificates(folder, certificates)
    table = {
        "haproxy.cfg": {
            r"bind :443\b": f"bind 127.0.0.1:{port}",
            r"bind :80\b": f"bind 127.0.0.1:{plain_port}",
            # The machine has one name space for these.
            r"abns@forwardauth\b": f"abns@forwardauth-{port}",
            r"/usr/local/etc/haproxy/": f"{folder}/",
            r"server forwardauth1 forwardauth:9091": "\n    ".join(
                f"server forwardauth{number} 127.0.0.1:{service}"
                for number, service in enumerate(backends.services, start=1)
            ),
            **{
                rf"(server {site}1?) {site}:80\b": rf"\g<1> 127.0.0.1:{number}"
                for site, number in backends.sites.items()
            },
        },
        "forwardauth.lua": {},
    }
    _write(folder, "haproxy", table, edit)
    return Process(
        "haproxy",
        [binary, "-db", "-f", folder / "haproxy.cfg"],
        log=folder / "haproxy.log",
        ports=ports,
    )


def prepare_envoy(
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    ports: tuple[int, int],
    edit: Edit = as_shipped,
) -> Process:
    """Write ``deploy/envoy`` into *folder* and return Envoy, not yet started."""
    port, plain_port = ports
    binary = require_binary("envoy")
    _copy_certificates(folder, certificates)
    table = {
        "envoy.yaml": {
            r"0\.0\.0\.0, port_value: 443\b": f"127.0.0.1, port_value: {port}",
            r"0\.0\.0\.0, port_value: 80\b": f"127.0.0.1, port_value: {plain_port}",
            r"/etc/envoy/": f"{folder}/",
            r"( +)(- endpoint: .*)address: forwardauth, port_value: 9091": "\n".join(
                rf"\g<1>\g<2>address: 127.0.0.1, port_value: {service}}}}}}}"
                for service in backends.services
            ).removesuffix("}}}"),
            **{
                rf"address: {site}, port_value: 80\b": (
                    f"address: 127.0.0.1, port_value: {number}"
                )
                for site, number in backends.sites.items()
            },
        }
    }
    _write(folder, "envoy", table, edit)
    return Process(
        "envoy",
        # Without a memory that other Envoys of this machine share.
        [binary, "-c", folder / "envoy.yaml", "--disable-hot-restart"],
        log=folder / "envoy.log",
        ports=ports,
    )


Changes = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Proxy, file, pattern, replacement: what a scenario has otherwise than shipped."""

Prepare = Callable[[Path, Certificates, Backends, tuple[int, int], Edit], Process]

PROXIES: Final[Mapping[str, Prepare]] = {
    "nginx": prepare_nginx,
    "traefik": prepare_traefik,
    "caddy": prepare_caddy,
    "haproxy": prepare_haproxy,
    "envoy": prepare_envoy,
}
"""Each proxy that the scenarios run against, by the name of its folder."""


def prepare_gateway(
    name: str,
    folder: Path,
    certificates: Certificates,
    backends: Backends,
    *,
    changes: Changes | None = None,
    edit: Edit = as_shipped,
    ports: tuple[int, int] | None = None,
    base_path: str = "",
) -> Gateway:
    """Return the gateway *name*, its process not yet started.

    Args:
        name: Of ``PROXIES``.
        folder: For its files.
        certificates: What it shows.
        backends: What stands behind it.
        changes: To its files, beside ports and paths.
        edit: Of its files as shipped, before ports and paths are substituted.
        ports: For HTTPS and for HTTP; free ones when left out.
        base_path: ``server.base_path`` of the service, without slash at its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, plain_port = ports or free_ports(2)
    process = PROXIES[name](folder, certificates, backends, (port, plain_port), edit)
    for file, table in (changes or {}).get(name, {}).items():
        path = folder / file
        path.write_text(substitute(path.read_text(), table))
    return Gateway(
        name=name,
        process=process,
        port=port,
        plain_port=plain_port,
        base_path=base_path,
    )


def _traefik() -> str:
    """Return the program of the extra ``demo``, which need not be on the path."""
    try:
        return str(find_traefik())
    except DemoError:
        return require_binary("traefik")


def _site_table(backends: Backends) -> dict[str, str]:
    return {
        rf"http://{site}:80\b": f"http://127.0.0.1:{backends.sites[site]}"
        for site in SITES
    }


def _temporary_folders(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def _copy_certificates(folder: Path, certificates: Certificates) -> None:
    target = folder / "certificates"
    target.mkdir()
    for file in (certificates.certificate, certificates.key):
        shutil.copy(file, target)


def _write(
    folder: Path, proxy: str, table: Mapping[str, Mapping[str, str]], edit: Edit
) -> None:
    for name, changes in table.items():
        shipped = (DEPLOY / proxy / name).read_text()
        substituted = substitute(shipped, changes)
        edited = edit(name, shipped)
        if edited != shipped:
            # The edit may have taken away what some pattern is there for.
            found = {p: r for p, r in changes.items() if re.search(p, edited)}
            substituted = substitute(edited, found)
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(substituted)
