"""Every adapter that is served: a new proxy adds its line here."""

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.caddy import CaddyAdapter
from forwardauth.adapters.envoy import EnvoyAdapter
from forwardauth.adapters.haproxy import HaproxyAdapter
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.nginx import NginxAdapter
from forwardauth.adapters.traefik import TraefikAdapter


def create_adapters(identity: IdentityHeaders) -> tuple[Adapter, ...]:
    """Return one adapter for each proxy, which answers with the names of *identity*."""
    return (
        NginxAdapter(identity),
        TraefikAdapter(identity),
        CaddyAdapter(identity),
        HaproxyAdapter(identity),
        EnvoyAdapter(identity),
    )
