"""Everything that a run of ``verify`` starts, each on the core that it belongs on.

Law: what is measured has ``SERVER_CORE`` for itself. The client, and what the server
asks in turn (Redis, or the proxy in front), run on ``CLIENT_CORE``.
"""

import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.workload import DOMAIN, Workload, rules, write_users
from tests.support.processes import Process, free_ports

_CORES: Final = tuple(sorted(os.sched_getaffinity(0)))
AS_INSTALLED: Final = {"PYTHONDONTWRITEBYTECODE": ""}
"""Lets Python keep byte code, wherever it may be forbidden: what pip installs has it.
A process that compiles its modules starts late and takes more memory."""

SERVER_CORE: Final = _CORES[0]
CLIENT_CORE: Final = _CORES[-1]

_NGINX: Final = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{inside}
}}
"""
_EMPTY: Final = """\
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 204; }}
    }}
"""
# `return` runs before auth_request, so the one page is a picture of a pixel.
_FRONT: Final = """\
    upstream auth {{
        server 127.0.0.1:{auth};
        keepalive 32;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            auth_request /_verify;
            empty_gif;
        }}
        location = /_verify {{
            internal;
            proxy_pass http://auth/verify/nginx;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Original-URL https://$host$request_uri;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
    }}
"""


def pinned(core: int | Sequence[int], *command: str | Path) -> list[str | Path]:
    """Return *command* such that it runs on *core*, or on several, alone."""
    cores = [core] if isinstance(core, int) else core
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def _nginx(name: str, folder: Path, core: int, inside: str, port: int) -> Process:
    folder = folder / name
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, inside=inside), encoding="utf-8")
    return Process(
        name,
        pinned(core, "nginx", "-p", folder, "-c", config),
        log=folder / "log",
        ports=[port],
    )


def empty_nginx(folder: Path) -> Process:
    """Return the nginx that answers 204 to everything: what everything is held to."""
    (port,) = free_ports(1)
    inside = _EMPTY.format(port=port)
    return _nginx("nginx-204", folder, SERVER_CORE, inside, port)


def front_nginx(folder: Path, name: str, auth: int) -> Process:
    """Return an nginx on the client's core that asks the server on port *auth*."""
    (port,) = free_ports(1)
    inside = _FRONT.format(port=port, auth=auth)
    return _nginx(f"nginx-before-{name}", folder, CLIENT_CORE, inside, port)


def plain_app(
    folder: Path, workload: Workload, *, port: int, core: int = SERVER_CORE
) -> Process:
    """Return the plain aiohttp application for *workload*; several share a *port*."""
    tokens = folder / "tokens"
    tokens.write_text("\n".join(workload.tokens), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.plain_app", str(port), tokens]
    return Process(
        f"plain-{port}-{core}",
        pinned(core, *map(str, command)),
        log=folder / f"plain-{port}-{core}.log",
        ports=[port],
    )


def write_config(
    folder: Path, workload: Workload, store: str, *, workers: int = 1
) -> int:
    """Write users and a configuration into *folder*; return the port it will serve."""
    port, management = free_ports(2)
    write_users(folder / "users.yaml", workload)
    text = f"""\
server:
  listen: 127.0.0.1:{port}
  management: 127.0.0.1:{management}
  workers: {workers}
cookies:
  - domain: {DOMAIN}
    portal: https://auth.{DOMAIN}
users:
  file: users.yaml
session:
  store: "{store}"
{rules()}"""
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return port


def service(
    folder: Path,
    workload: Workload,
    store: str,
    *,
    workers: int = 1,
    profile: Path | None = None,
) -> Process:
    """Return the service on *store*, with all that it keeps in *folder*.

    Args:
        folder: A new one.
        workload: Whose users it knows; the memory store is filled with its sessions.
        store: URL of the session store.
        workers: Processes; the second and later ones take the client's core as well.
        profile: Where the functions that it called are written when it ends.
    """
    folder.mkdir()
    port = write_config(folder, workload, store, workers=workers)
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.service"]
    command.append(folder / "config.yaml")
    if store == "memory:":
        seed = folder / "seed"
        seed.write_bytes(pickle.dumps(list(workload.entries())))
        command += ["--seed", seed]
    if profile is not None:
        command += ["--profile", profile]
    cores = [SERVER_CORE] if workers == 1 else [SERVER_CORE, CLIENT_CORE]
    return Process(
        folder.name,
        pinned(cores, *command),
        log=folder / "log",
        ports=[port],
        environment=AS_INSTALLED,
    )


def redis(folder: Path) -> Process:
    """Return a Redis on the client's core, which keeps nothing on the disk."""
    (port,) = free_ports(1)
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    return Process(
        "redis", pinned(CLIENT_CORE, *command), log=folder / "redis.log", ports=[port]
    )
