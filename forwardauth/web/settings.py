"""What the web layer needs to know, as values that ``app`` makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from forwardauth.adapters.base import Adapter
from forwardauth.adapters.headers import IPNetwork
from forwardauth.domains import CookieDomains
from forwardauth.redirects import SafeTarget, TargetPolicy
from forwardauth.users.policy import PasswordPolicy
from forwardauth.web.request_ids import RequestIds


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutSettings:
    """How logout behaves.

    Attributes:
        paths: Exact paths that are taken over on every protected host.
        default_target: Where to go without a valid target; ``None`` for a page of ours.
        default_to_login: Whether that page is the login page.
        is_for_user: Whether a logout ends every session of the user.
        clear_cookies: Names of application cookies to expire as well.
        clear_site_data: Values of ``Clear-Site-Data``, without quotes.
    """

    paths: frozenset[str]
    default_target: SafeTarget | None
    default_to_login: bool
    is_for_user: bool
    clear_cookies: tuple[str, ...]
    clear_site_data: tuple[str, ...]

    def paths_taken_over(self, adapter: Adapter) -> frozenset[str]:
        """Return the paths that *adapter* answers itself, whatever the rules say."""
        return self.paths if adapter.takes_over_logout else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Everything configured that a handler may ask for.

    Attributes:
        domains: The cookie domains with their portals.
        targets: What ``check_target`` compares with.
        default_targets: For each cookie domain by name, where a login without target
            leads; a domain that is missing here leads to the portal's ``/``.
        trusted_proxies: Who may speak for clients.
        base_path: Empty, or starts with ``/`` and does not end with one.
        cookie_name: Name of the session cookie.
        same_site: ``Lax`` or ``Strict``.
        remember_me: How long a remembered login lasts; ``None`` without the checkbox.
        password_policy: What is asked of a password that a user chooses.
        logout: How logout behaves.
        request_ids: What trusted proxies call requests.
    """

    domains: CookieDomains
    targets: TargetPolicy
    default_targets: Mapping[str, SafeTarget]
    trusted_proxies: tuple[IPNetwork, ...]
    base_path: str
    cookie_name: str
    same_site: str
    remember_me: timedelta | None
    password_policy: PasswordPolicy
    logout: LogoutSettings
    request_ids: RequestIds
