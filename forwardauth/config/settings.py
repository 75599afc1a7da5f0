"""The sections put together, and what one of them asks of another."""

from pathlib import Path

from forwardauth.config.cookies import read_domains
from forwardauth.config.headers import read_headers
from forwardauth.config.logout import (
    read_allowed_targets,
    read_clear_cookies,
    read_clear_site_data,
    read_paths,
    read_scope,
)
from forwardauth.config.logs import check_audit, read_logging
from forwardauth.config.notify import read_notify
from forwardauth.config.portal import read_portal
from forwardauth.config.rules import read_access_control
from forwardauth.config.schema import (
    CookieSettings,
    LogoutSettings,
    Settings,
)
from forwardauth.config.section import Section
from forwardauth.config.server import read_server
from forwardauth.config.session import SQLITE, read_session
from forwardauth.config.targets import DefaultTargets
from forwardauth.config.users import read_users
from forwardauth.domains import CookieDomain, CookieDomains

Found = tuple[tuple[Section, CookieDomain], ...]


def read_settings(root: Section, *, source: Path | None) -> Settings:
    """Return the settings below *root*, noting everything that is wrong with them.

    With a problem noted the result is of the right type and otherwise meaningless.
    """
    server = read_server(root.section("server"))
    entries = root.entries("cookies")
    if not entries and root.is_sound("cookies"):
        root.refuse("cookies", "names no domain", "add an entry with domain and portal")
    found = read_domains(entries, base_path=server.base_path)
    domains = CookieDomains(entries=tuple(domain for _, domain in found))
    is_whole = root.is_sound("cookies") and len(found) == len(entries)
    session = read_session(
        root.section("session"),
        is_secure=all(domain.is_secure for domain in domains.entries),
        workers=server.workers,
    )
    logout, targets = _read_logout(
        root.section("logout"),
        domains=domains,
        is_whole=is_whole,
        cookie_name=session.cookie_name,
    )
    users = read_users(root.section("users"))
    section = root.section("logging")
    logging = read_logging(section)
    files = {
        "session.journal": session.journal,
        "session.store": Path(session.store.removeprefix(SQLITE)),
        "users.file": users.file,
        "the configuration": None if source is None else source.absolute(),
    }
    check_audit(section, logging, files)
    return Settings(
        server=server,
        cookies=tuple(
            CookieSettings(domain=domain, default_target=targets.read(entry))
            for entry, domain in found
        ),
        session=session,
        logout=logout,
        users=users,
        headers=read_headers(root.section("headers")),
        access_control=read_access_control(
            root.section("access_control"), domains=domains if is_whole else None
        ),
        logging=logging,
        portal=read_portal(root.section("portal")),
        source=source,
    )


def _read_logout(
    section: Section, *, domains: CookieDomains, is_whole: bool, cookie_name: str
) -> tuple[LogoutSettings, DefaultTargets]:
    paths = read_paths(section)
    allowed = read_allowed_targets(section)
    targets = DefaultTargets(
        domains=domains,
        allowed=allowed,
        logout_paths=paths,
        is_whole=is_whole and section.is_sound("allowed_targets"),
    )
    default_target, default_to_login = targets.read_or_login(section)
    settings = LogoutSettings(
        paths=paths,
        default_target=default_target,
        default_to_login=default_to_login,
        allowed_targets=allowed,
        scope=read_scope(section),
        clear_cookies=read_clear_cookies(section, own=cookie_name),
        clear_site_data=read_clear_site_data(section),
        notify=read_notify(section),
    )
    return settings, targets
