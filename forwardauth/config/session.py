"""``session``: lifetimes, the cookie, and where sessions are kept."""

import re
from pathlib import Path
from typing import Final

from forwardauth.config.durations import format_duration, parse_duration
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import SameSite, SessionSettings
from forwardauth.config.section import Section
from forwardauth.sessions.stores.factory import check_store_url

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
"""Source: RFC 6265bis 4.1.1, ``cookie-name = token``; RFC 9110 5.6.2."""

SQLITE: Final = "sqlite:"
_MEMORY: Final = "memory:"
_REDIS: Final = "redis"
_REPLACEABLE: Final = ("+sentinel", "+cluster")
"""How the schemes end whose primaries are replaced when they are lost."""

_MIN_SECRET: Final = 32
_TIMEOUTS: Final = ("absolute_timeout", "idle_timeout", "remember_me")


def read_session(section: Section, *, is_secure: bool, workers: int) -> SessionSettings:
    """Return the settings of ``session``, noting what is wrong with them.

    Args:
        section: The mapping itself.
        is_secure: Whether every portal is https, so that cookies carry ``Secure``.
        workers: How many processes will share the store.
    """
    folder = section.folder("store")
    settings = SessionSettings(
        store=section.text("store", lambda text: parse_store(text, folder=folder)),
        cookie_name=section.text("cookie_name", parse_cookie_name),
        same_site=section.text("same_site", _parse_same_site),
        absolute_timeout=section.text("absolute_timeout", parse_duration),
        idle_timeout=section.text("idle_timeout", parse_duration),
        remember_me=section.optional("remember_me", parse_duration),
        journal=section.path("journal") or Path(),
        secret=section.optional("secret", _parse_secret),
    )
    _check_store(section, settings, workers)
    _check_timeouts(section, settings)
    _check_prefix(section, settings.cookie_name, is_secure=is_secure)
    return settings


def parse_store(text: str, *, folder: Path) -> str:
    """Return the URL of the store, a path in it made absolute from *folder*.

    Raises:
        RefusedValueError: No store that is known. The text is never repeated, since
            it may hold a password.
    """
    if text == "memory":
        # YAML without quotes cannot end in a colon: "store: memory:" is a mapping.
        text = "memory:"
    try:
        check_store_url(text)
    except ValueError as exc:
        remedy = "see session.store in docs/configuration.md"
        raise RefusedValueError(str(exc), remedy) from exc
    if text.startswith(SQLITE):
        return f"{SQLITE}{folder / text.removeprefix(SQLITE)}"
    return text


def parse_cookie_name(text: str) -> str:
    """Return *text* when it can name a cookie that several hosts share.

    Raises:
        RefusedValueError: No token of at most 100 characters, or a name that starts
            with ``__Host-``.
    """
    if not _TOKEN.fullmatch(text):
        raise RefusedValueError(
            f"{quote(text)} is not a cookie name",
            "write letters, digits, hyphens and underscores, at most 100",
        )
    if text.lower().startswith("__host-"):
        raise RefusedValueError(
            "a __Host- cookie reaches one host, never its parent domain",
            "write __Secure- instead, or no prefix",
        )
    return text


def _parse_same_site(text: str) -> SameSite:
    if text.lower() == "none":
        raise RefusedValueError(
            "none would send the session along with requests from every other site",
            "write lax or strict",
        )
    try:
        return SameSite(text)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(text)} is not a SameSite value", "write lax or strict"
        ) from exc


def _parse_secret(text: str) -> str:
    if len(text) < _MIN_SECRET:
        raise RefusedValueError(
            f"has {len(text)} characters of at least {_MIN_SECRET}",
            "make one with: openssl rand -base64 48",
        )
    return text


def _check_store(section: Section, settings: SessionSettings, workers: int) -> None:
    if not section.is_sound("store"):
        return
    if settings.store == _MEMORY and workers > 1:
        section.refuse(
            "store",
            f"memory: cannot be shared by the {workers} processes of server.workers",
            "use a sqlite: or redis:// store, or a single worker",
        )
    if settings.store.startswith(_REDIS) and not section.is_written("secret"):
        section.warn(
            "secret",
            "is not set, so each machine that shares this store makes its own",
            "set one secret for all machines, unless there is only one",
        )
    scheme, _, rest = settings.store.partition(":")
    if scheme.endswith(_REPLACEABLE) and "replicas=" not in rest.partition("?")[2]:
        section.warn(
            "store",
            "a logout is told as done before a replica knows of it, and is undone for"
            " some seconds if the primary is lost at that moment",
            "add ?replicas=1 to wait for one replica, or ?replicas=0 to accept that",
        )


def _check_timeouts(section: Section, settings: SessionSettings) -> None:
    if not section.is_sound(*_TIMEOUTS):
        return
    absolute = settings.absolute_timeout
    if settings.idle_timeout > absolute:
        section.refuse(
            "idle_timeout",
            f"{format_duration(settings.idle_timeout)} is longer than absolute_timeout"
            f" {format_duration(absolute)}, so it would never end a session",
            "shorten it, or lengthen session.absolute_timeout",
        )
    if settings.remember_me is not None and settings.remember_me < absolute:
        section.warn(
            "remember_me",
            f"{format_duration(settings.remember_me)} is shorter than absolute_timeout"
            f" {format_duration(absolute)}",
            "lengthen it, or write null to take the choice away",
        )


def _check_prefix(section: Section, name: str, *, is_secure: bool) -> None:
    """Refuse a name that promises ``Secure`` where a portal is plain http."""
    if name.lower().startswith(("__secure-", "__http-")) and not is_secure:
        section.refuse(
            "cookie_name",
            f"browsers drop {name} where the portal is not https",
            "leave the prefix out while a portal is http",
        )
