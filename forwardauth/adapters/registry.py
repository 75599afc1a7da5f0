"""Every adapter that is served: a new proxy adds its line here."""

from typing import Final

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.caddy import CaddyAdapter
from forwardauth.adapters.envoy import EnvoyAdapter
from forwardauth.adapters.haproxy import HaproxyAdapter
from forwardauth.adapters.nginx import NginxAdapter
from forwardauth.adapters.traefik import TraefikAdapter

ADAPTERS: Final[tuple[Adapter, ...]] = (
    NginxAdapter(),
    TraefikAdapter(),
    CaddyAdapter(),
    HaproxyAdapter(),
    EnvoyAdapter(),
)
