"""Programs that read paths, started so that each tells how it has read one.

Law: each answers 204, and tells the path in ``X-Read``, in brackets. What a rule of its
own for ``/admin`` and below matches, it marks by ``X-Routed``.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.binaries import require_binary
from tests.support.path_applications import APPLICATIONS
from tests.support.processes import Process

_NGINX: Final = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        add_header X-Read "[$uri]" always;
        add_header X-Routed $marked always;
        location / {{ set $marked ""; return 204; }}
        location = /admin {{ set $marked admin; return 204; }}
        location /admin/ {{ set $marked admin; return 204; }}
    }}
}}
"""
_CADDY: Final = """\
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    header X-Read "[{{path}}]"
    @admin path_regexp ^/admin(/|$)
    header @admin X-Routed admin
    respond 204
}}
"""
_TRAEFIK: Final = """\
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
entryPoints: {{web: {{address: "127.0.0.1:{port}"}}}}
providers: {{file: {{filename: {folder}/routes.yaml}}}}
experimental: {{localPlugins: {{tell: {{moduleName: example.com/tell}}}}}}
"""
_TRAEFIK_ROUTES: Final = """\
http:
  middlewares:
    tell: {plugin: {tell: {}}}
    mark: {headers: {customResponseHeaders: {X-Routed: admin}}}
  routers:
    other:
      rule: PathPrefix(`/`)
      middlewares: [tell]
      service: noop@internal
    admin:
      rule: Path(`/admin`) || PathPrefix(`/admin/`)
      middlewares: [mark, tell]
      service: noop@internal
"""
_TRAEFIK_PLUGIN: Final = {
    "go.mod": "module example.com/tell\n",
    ".traefik.yml": "displayName: Tell\ntype: middleware\nimport: example.com/tell\n"
    "summary: Tells how a path was read.\ntestData: {}\n",
    "tell.go": """\
package tell

import (
	"context"
	"net/http"
)

type Config struct{}

func CreateConfig() *Config { return &Config{} }

func New(
	_ context.Context, _ http.Handler, _ *Config, _ string,
) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Read", "["+r.URL.Path+"]")
		w.WriteHeader(http.StatusNoContent)
	}), nil
}
""",
}
"""What Go programs call the path, which is what Traefik's own middlewares look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one program has read one target.

    Attributes:
        status: Of its answer.
        path: Decoded; empty when it told none.
        is_admin: Whether its own rule for ``/admin`` matched.
    """

    status: int
    path: str
    is_admin: bool


Start = Callable[[Path, int], Process]


def _nginx(folder: Path, port: int) -> Process:
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port))
    command = [require_binary("nginx"), "-c", str(config), "-e", "stderr"]
    return Process("nginx", command, log=folder / "log", ports=[port])


def _caddy(folder: Path, port: int) -> Process:
    config = folder / "Caddyfile"
    config.write_text(_CADDY.format(port=port))
    return Process(
        "caddy",
        [require_binary("caddy"), "run", "--adapter", "caddyfile", "--config", config],
        log=folder / "log",
        ports=[port],
        environment={"HOME": str(folder), "XDG_DATA_HOME": str(folder)},
    )


def _traefik(folder: Path, port: int) -> Process:
    config = folder / "traefik.yaml"
    config.write_text(_TRAEFIK.format(folder=folder, port=port))
    (folder / "routes.yaml").write_text(_TRAEFIK_ROUTES)
    plugin = folder / "plugins-local/src/example.com/tell"
    plugin.mkdir(parents=True)
    for name, text in _TRAEFIK_PLUGIN.items():
        (plugin / name).write_text(text)
    # Plugins lie below the folder that Traefik is started in.
    command = [
        "env",
        "-C",
        str(folder),
        require_binary("traefik"),
        f"--configFile={config}",
    ]
    return Process("traefik", command, log=folder / "log", ports=[port])


def _application(name: str) -> Start:
    def start(folder: Path, port: int) -> Process:
        return Process(
            name,
            [sys.executable, "-m", "tests.support.path_applications", name, str(port)],
            log=folder / "log",
            ports=[port],
        )

    return start


READERS: Final[Mapping[str, Start]] = {
    "nginx": _nginx,
    "caddy": _caddy,
    "traefik": _traefik,
    **{name: _application(name) for name in APPLICATIONS},
}
"""Each program by its name; what is returned has not been started yet."""


def parse_answer(answer: bytes) -> Reading:
    """Return what a reader has told in *answer*, an HTTP response with its head."""
    first, *lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.decode().partition(":") for line in lines)
    }
    read = fields.get("x-read", "[]")
    return Reading(
        status=int(first.split()[1]),
        path=read.removeprefix("[").removesuffix("]"),
        is_admin=fields.get("x-routed") == "admin",
    )
