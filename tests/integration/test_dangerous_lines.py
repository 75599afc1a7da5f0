"""HAProxy and Envoy without a line that keeps a door shut, to see the door open.

The shipped files and ``docs/proxies`` warn of these lines. A warning that nobody can
confirm would be believed by nobody, and one that is wrong would cost the others their
weight: each is shown here, on the real proxy.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.certificates import Certificates, create_certificates
from tests.support.installation import Installation
from tests.support.processes import Process, free_ports
from tests.support.proxies import DEPLOY, SITES, Backends, prepare_gateway
from tests.support.service import prepare_service, write_users


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What stands behind every proxy: started once, since it is never altered."""

    folder: Path
    certificates: Certificates
    service: Process
    backends: Backends

    @contextmanager
    def proxy(
        self, name: str, changes: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Installation]:
        """Run the proxy *name* with *changes* to its files."""
        gateway = prepare_gateway(
            name,
            self.folder / f"{name}-{len(list(self.folder.iterdir()))}",
            self.certificates,
            self.backends,
            changes={name: changes},
        )
        try:
            yield Installation(
                gateway=gateway.start(self.certificates.authority),
                services=(self.service,),
                certificates=self.certificates,
            )
        finally:
            gateway.process.kill()


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Run the service and the applications."""
    folder = tmp_path_factory.mktemp("dangerous-lines")
    port, *numbers = free_ports(1 + len(SITES))
    sites = dict(zip(SITES, numbers, strict=True))
    service = prepare_service(
        folder / "service",
        port=port,
        portal="https://auth.example.com",
        users=write_users(folder),
    )
    pairs = [f"{name}={number}" for name, number in sites.items()]
    applications = Process(
        "sample applications",
        [sys.executable, "-m", "tests.support.sample_app", *pairs],
        log=folder / "applications.log",
        ports=numbers,
    )
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    with applications, service:
        yield Behind(
            folder=folder,
            certificates=certificates,
            service=service,
            backends=Backends(services=(port,), sites=sites),
        )


def passes_while_the_service_is_gone(site: Installation) -> bool:
    """Whether somebody who never signed in sees app2 when nobody can be asked."""
    (service,) = site.services
    service.stop()
    try:
        return site.client().navigate(site.url("app2")).status == 200
    finally:
        service.start()


def passes_without_an_answer(site: Installation) -> bool:
    """Whether somebody who never signed in sees app2."""
    return site.client().navigate(site.url("app2")).status == 200


def reaches(header: str) -> Callable[[Installation], bool]:
    """Return whether *header* of a client reaches the application behind www."""

    def has_reached(site: Installation) -> bool:
        reply = site.client().navigate(site.url("www"), headers=[(header, "mallory")])
        return "mallory" in reply.reached(header)

    return has_reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A line, and who gets in without it.

    Attributes:
        proxy: Name of the folder of ``deploy``.
        file: In that folder.
        without: Pattern of the line, and what stands in its place.
        is_open: Whether it shows; false with the line.
        besides: What else has to be wrong for the line to matter, by another file.
    """

    proxy: str
    file: str
    without: Mapping[str, str]
    is_open: Callable[[Installation], bool]
    besides: Mapping[str, Mapping[str, str]]


def door(
    proxy: str,
    file: str,
    pattern: str,
    is_open: Callable[[Installation], bool],
    *,
    instead: str = "",
    besides: Mapping[str, Mapping[str, str]] | None = None,
) -> Door:
    """Return the door that the line *pattern* keeps shut."""
    return Door(
        proxy=proxy,
        file=file,
        without={pattern: instead},
        is_open=is_open,
        besides=besides or {},
    )


_BROKEN_SCRIPT = {
    "forwardauth.lua": {
        r"local answer = core\.httpclient": r'error("broken")\n    \g<0>'
    }
}

DOORS = {
    "haproxy: deny what was not passed": door(
        "haproxy",
        "haproxy.cfg",
        r"    http-request deny deny_status 503 unless is_portal or .*\n",
        passes_without_an_answer,
        besides=_BROKEN_SCRIPT,
    ),
    "haproxy: del-header with a mark": door(
        "haproxy",
        "haproxy.cfg",
        r"    http-request del-header \[\^A-Za-z0-9-\] -m reg\n",
        reaches("Remote_User"),
    ),
    "haproxy: del-header x-forwarded-": door(
        "haproxy",
        "haproxy.cfg",
        r"    http-request del-header x-forwarded- -m beg\n",
        reaches("X-Forwarded-Prefix"),
    ),
    "haproxy: del-header remote-": door(
        "haproxy",
        "haproxy.cfg",
        r"    http-request del-header remote-      -m beg\n",
        reaches("Remote-Roles"),
    ),
    "envoy: failure_mode_allow": door(
        "envoy",
        "envoy.yaml",
        r"failure_mode_allow: false",
        passes_while_the_service_is_gone,
        instead="failure_mode_allow: true",
    ),
    "envoy: remove names with a mark": door(
        "envoy",
        "envoy.yaml",
        r" +- remove_on_match: \{key_matcher: \{safe_regex: .*\n",
        reaches("Remote.User"),
    ),
    "envoy: remove x-forwarded-": door(
        "envoy",
        "envoy.yaml",
        r" +- remove_on_match: \{key_matcher: \{prefix: x-forwarded-\}\}\n",
        reaches("X-Forwarded-Prefix"),
    ),
    "envoy: remove remote-": door(
        "envoy",
        "envoy.yaml",
        r" +- remove_on_match: \{key_matcher: \{prefix: remote-\}\}\n",
        reaches("Remote-Roles"),
    ),
}


@pytest.mark.parametrize("name", DOORS)
def test_without_the_line_the_door_is_open(behind: Behind, name: str) -> None:
    """What the warning says happens, happens."""
    found = DOORS[name]
    changes = {found.file: found.without, **found.besides}

    with behind.proxy(found.proxy, changes) as site:
        is_open = found.is_open(site)

    assert is_open


@pytest.mark.parametrize("proxy", ["haproxy", "envoy"])
def test_with_every_line_all_doors_are_shut(behind: Behind, proxy: str) -> None:
    """The same visitors get nowhere when the files are as shipped (V-2, V-26)."""
    with behind.proxy(proxy, {}) as site:
        open_doors = [
            name
            for name, found in DOORS.items()
            if found.proxy == proxy
            if found.is_open(site)
        ]

    assert open_doors == []


@pytest.mark.parametrize("name", DOORS)
def test_the_shipped_file_warns(name: str) -> None:
    """Who is about to delete the line reads what it costs, right above it."""
    found = DOORS[name]
    text = (DEPLOY / found.proxy / found.file).read_text("utf-8")
    (pattern,) = found.without
    match = re.search(pattern, text)

    assert match is not None
    assert "DANGER" in "".join(text[: match.start()].splitlines()[-16:])
