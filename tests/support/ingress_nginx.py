"""What ingress-nginx makes of our Ingress objects: a configuration of nginx.

The controller runs nowhere but in a cluster, so its part is played here, from its
template (``rootfs/etc/nginx/template/nginx.tmpl``): the locations, header names and
variables are those that it writes, as far as they have to do with asking. Lua, which it
finds the pods with, is left out, and so is everything that no annotation of ours sets.
"""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.support.manifests import Manifest

_PREFIX: Final = "nginx.ingress.kubernetes.io/"
_KNOWN: Final = frozenset(
    {"auth-url", "auth-signin", "auth-response-headers", "proxy-buffer-size"}
)
_MODULES: Final = Path("/usr/lib/nginx/modules")
MODULES: Final = (
    _MODULES / "ndk_http_module.so",
    _MODULES / "ngx_http_set_misc_module.so",
)
"""What has ``set_escape_uri``, by which the controller encodes ``rd``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """What differs between a cluster and a test.

    Attributes:
        folder: For everything that nginx writes, and the certificate.
        ports: Where it listens, for HTTPS and for HTTP.
        backends: Address of each Service, by its name.
        settings: Of the controller: ``data`` of its ConfigMap.
        headers: What ``proxy-set-headers`` sets in each request to a backend.
        user: The line that says whose rights its workers have.
    """

    folder: Path
    ports: tuple[int, int]
    backends: Mapping[str, str]
    settings: Mapping[str, str]
    headers: Mapping[str, str]
    user: str


def render(ingresses: list[Manifest], nginx: Nginx) -> str:
    """Return the whole ``nginx.conf``: a server for each host, whoever names it."""
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for ingress in ingresses:
        annotations = _annotations(ingress)
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                paths[rule["host"]].append(_location(path, annotations, nginx))
    settings = nginx.settings
    handshake = "on" if settings["ssl-reject-handshake"] == "true" else "off"
    servers = [_server(host, found, nginx) for host, found in paths.items()]
    modules = "\n".join(f"load_module {module};" for module in MODULES)
    temporary = "\n    ".join(
        f"{kind}_temp_path {nginx.folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
{modules}
{nginx.user}
pid {nginx.folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    {temporary}
    access_log off;
    underscores_in_headers {_switch(settings, "enable-underscores-in-headers")};
    ignore_invalid_headers {_switch(settings, "ignore-invalid-headers")};
    large_client_header_buffers {settings["large-client-header-buffers"]};
    ssl_certificate {nginx.folder}/certificates/example.com.crt;
    ssl_certificate_key {nginx.folder}/certificates/example.com.key;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    {settings.get("http-snippet", "")}
    server {{
        listen 127.0.0.1:{nginx.ports[0]} ssl default_server;
        listen 127.0.0.1:{nginx.ports[1]} default_server;
        ssl_reject_handshake {handshake};
        location / {{ return 404; }}
    }}
    {"".join(servers)}
}}
"""


def _switch(settings: Mapping[str, str], key: str) -> str:
    return "on" if settings[key] == "true" else "off"


def _annotations(ingress: Manifest) -> dict[str, str]:
    """Return our annotations; one that is not played here would prove nothing."""
    found = {
        name.removeprefix(_PREFIX): value
        for name, value in ingress["metadata"].get("annotations", {}).items()
    }
    assert found.keys() <= _KNOWN, found.keys() - _KNOWN
    return found


def _server(host: str, locations: list[str], nginx: Nginx) -> str:
    return f"""
    server {{
        listen 127.0.0.1:{nginx.ports[1]};
        server_name {host};
        return 308 https://$host$request_uri;
    }}
    server {{
        listen 127.0.0.1:{nginx.ports[0]} ssl;
        server_name {host};
        {nginx.settings.get("server-snippet", "")}
        {"".join(locations)}
    }}
"""


def _location(path: Any, annotations: Mapping[str, str], nginx: Nginx) -> str:
    """Return the location of one path, after those that it asks with."""
    size = annotations.get("proxy-buffer-size", "4k")
    buffers = f"proxy_buffer_size {size}; proxy_buffers 4 {size};"
    mark = "= " if path["pathType"] == "Exact" else ""
    before, asking = "", ""
    if "auth-url" in annotations:
        before, asking = _asking(path, annotations, buffers)
    backend = nginx.backends[path["backend"]["service"]["name"]]
    custom = "\n            ".join(
        f'proxy_set_header {name} "{value}";' for name, value in nginx.headers.items()
    )
    return f"""{before}
        location {mark}{path["path"]} {{
            set $pass_access_scheme $scheme;
            set $best_http_host $http_host;
            {asking}
            client_max_body_size 1m;
            proxy_set_header Host $best_http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $best_http_host;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_set_header X-Forwarded-Proto $pass_access_scheme;
            proxy_set_header X-Forwarded-Scheme $pass_access_scheme;
            proxy_set_header X-Scheme $pass_access_scheme;
            proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
            proxy_set_header Proxy "";
            {custom}
            {buffers}
            proxy_http_version 1.1;
            proxy_pass http://{backend};
            proxy_redirect off;
        }}
"""


def _asking(path: Any, annotations: Mapping[str, str], buffers: str) -> tuple[str, str]:
    """Return the locations that ask and send away, and what uses them."""
    encoded = urlsafe_b64encode(path["path"].encode()).decode().replace("=", "")
    question = f"/_external-auth-{encoded}-{path['pathType']}"
    signin = annotations["auth-signin"]
    away = "@" + sha256(f"{path['path']}{signin}".encode()).hexdigest()
    copied = "\n            ".join(
        f"auth_request_set $authHeader{number} "
        f"$upstream_http_{name.lower().replace('-', '_')};\n"
        f"            proxy_set_header '{name}' $authHeader{number};"
        for number, name in enumerate(annotations["auth-response-headers"].split(","))
    )
    before = f"""
        location = {question} {{
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Forwarded-Proto "";
            proxy_set_header Host {annotations["auth-url"].split("/")[2]};
            proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Sent-From "nginx-ingress-controller";
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Auth-Request-Redirect $request_uri;
            {buffers}
            proxy_pass_request_headers on;
            proxy_http_version 1.1;
            set $target {annotations["auth-url"]};
            proxy_pass $target;
        }}
        location {away} {{
            internal;
            add_header Set-Cookie $auth_cookie;
            return 302 {signin}?rd=$pass_access_scheme://$http_host$escaped_request_uri;
        }}
"""
    asking = f"""
            auth_request {question};
            auth_request_set $auth_cookie $upstream_http_set_cookie;
            add_header Set-Cookie $auth_cookie;
            {copied}
            set_escape_uri $escaped_request_uri $request_uri;
            error_page 401 = {away};
"""
    return before, asking
