"""What each line of the files of ``deploy/`` is good for, one module for each proxy."""

from collections.abc import Mapping
from typing import Final

from tests.support.lines.caddy import CADDY
from tests.support.lines.envoy import ENVOY
from tests.support.lines.haproxy import HAPROXY
from tests.support.lines.nginx import NGINX
from tests.support.lines.traefik import TRAEFIK
from tests.support.shipped_lines import ShippedLines

SHIPPED_LINES: Final[Mapping[str, ShippedLines]] = {
    lines.proxy: lines for lines in (NGINX, TRAEFIK, CADDY, HAPROXY, ENVOY)
}
"""By proxy."""
