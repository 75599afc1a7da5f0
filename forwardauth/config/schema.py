"""The settings as frozen values: what the rest of the program is built from.

Only ``config.load`` makes them. Every path is absolute, every redirect target has been
checked, and the values fit each other.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from forwardauth.access_control.rules import AccessControl
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.colours import Colour
from forwardauth.config.addresses import Address, Network, TcpAddress, UnixAddress
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.redirects import AllowedTarget, SafeTarget, TargetPolicy

__all__ = [
    "AuditStream",
    "CookieSettings",
    "FooterLink",
    "LogFormat",
    "LoggingSettings",
    "LogoutScope",
    "LogoutSettings",
    "PortalSettings",
    "SameSite",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "TcpAddress",
    "UnixAddress",
    "UsersSettings",
]


class SameSite(StrEnum):
    """When a browser sends the session cookie along from another site."""

    LAX = "lax"
    STRICT = "strict"


class LogoutScope(StrEnum):
    """Which sessions a logout ends: those of this login, or all of the user's."""

    BROWSER = "browser"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the service listens and whom it believes.

    Attributes:
        listen: At least one.
        base_path: Empty, or starts with ``/`` and does not end with one.
        trusted_proxies: Who may speak for clients.
        workers: Processes, at least one; ``auto`` has been resolved.
        drain: How long requests in hand may take once the service is told to stop.
        management: Where metrics and probes are served; ``None`` for nowhere.
        short_way: Whether plain verify requests are answered before the application.
    """

    listen: tuple[Address, ...]
    base_path: str
    trusted_proxies: tuple[Network, ...]
    workers: int
    drain: timedelta
    management: Address | None
    short_way: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSettings:
    """One parent domain.

    Attributes:
        domain: Its name and its portal.
        default_target: Where a login without a target ends; ``None`` for the portal.
    """

    domain: CookieDomain
    default_target: SafeTarget | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How long sessions live and where they are kept.

    Attributes:
        store: URL of the store; it may hold a password, so it is never shown whole.
        cookie_name: Name of the session cookie.
        same_site: Its ``SameSite`` attribute.
        absolute_timeout: From sign-in, whatever happens.
        idle_timeout: From the last request; not above *absolute_timeout*.
        remember_me: Replaces both for a session that asked for it; ``None`` takes the
            choice away.
        journal: File of revocations that the store has not confirmed yet.
        secret: Signs form tokens and cookies from before a session; at least 32
            characters. ``None``: made at first start, kept beside *journal*.
    """

    store: str = field(repr=False)
    cookie_name: str
    same_site: SameSite
    absolute_timeout: timedelta
    idle_timeout: timedelta
    remember_me: timedelta | None
    journal: Path
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutSettings:
    """What a logout ends, clears and leads to.

    Attributes:
        paths: Taken over on every protected host; exact paths.
        default_target: Where a logout without a usable target ends.
        default_to_login: Whether that place is the login page; *default_target* is
            ``None`` then. With neither, it is the logout page.
        allowed_targets: What may be led to beyond the cookie domains.
        scope: Which sessions end.
        clear_cookies: Cookies of applications on the parent domain.
        clear_site_data: Values of ``Clear-Site-Data``, without quotes.
        notify: URLs of applications that are told of every end; a query may be secret.
    """

    paths: tuple[str, ...]
    default_target: SafeTarget | None
    default_to_login: bool
    allowed_targets: tuple[AllowedTarget, ...]
    scope: LogoutScope
    clear_cookies: tuple[str, ...]
    clear_site_data: tuple[str, ...]
    notify: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersSettings:
    """Where the users are kept, and what they may choose.

    Attributes:
        file: The users file.
        min_password_length: In characters, of a password that a user chooses.
        min_password_score: How hard that has to be to guess, 0 to 4.
    """

    file: Path
    min_password_length: int
    min_password_score: int


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class AuditStream(StrEnum):
    """A stream of the process that audit events may go to."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    """What is written to the log, how and where.

    Attributes:
        format: Of every line.
        level: The least serious lines that are written: ``debug`` to ``error``.
        audit: A place for audit events alone; ``None`` puts them with the rest.
        request_id: The header by which a proxy names a request; ``None`` for none.
    """

    format: LogFormat
    level: str
    audit: AuditStream | Path | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterLink:
    """A link at the foot of every page; *url* is ``https``, ``http`` or ``mailto``."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSettings:
    """How the portal looks.

    Attributes:
        templates: Folder whose files replace the shipped ones; ``None`` for none.
        title: Heading of the login page.
        languages: Tags of what is offered, at least one; the first is the fallback.
        logo: An image in place of the mark; ``None`` for the mark.
        accent: The colour of what one acts on; ``None`` for the shipped one.
        footer: Links at the foot of every page.
    """

    templates: Path | None
    title: str
    languages: tuple[str, ...]
    logo: Path | None
    accent: Colour | None
    footer: tuple[FooterLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration; *source* is its file, ``None`` without one."""

    server: ServerSettings
    cookies: tuple[CookieSettings, ...]
    session: SessionSettings
    logout: LogoutSettings
    users: UsersSettings
    headers: IdentityHeaders
    access_control: AccessControl
    logging: LoggingSettings
    portal: PortalSettings
    source: Path | None

    @property
    def domains(self) -> CookieDomains:
        """The parent domains; made anew, so keep it where it is asked often."""
        return CookieDomains(entries=tuple(entry.domain for entry in self.cookies))

    @property
    def target_policy(self) -> TargetPolicy:
        """Where browsers may be sent after login and logout; made anew."""
        return TargetPolicy(
            domains=self.domains,
            allowed=self.logout.allowed_targets,
            logout_paths=self.logout.paths,
        )
