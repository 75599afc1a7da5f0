"""``logout``: which paths sign out, what is cleared, and where people end."""

import re
from typing import Final

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.schema import LogoutScope
from forwardauth.config.section import Section
from forwardauth.config.session import parse_cookie_name
from forwardauth.config.suffixes import is_public_suffix
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import AllowedTarget, parse_allowed_target

_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?", re.ASCII)
_CLEARABLE: Final = (
    "cache",
    "cookies",
    "storage",
    "executionContexts",
    "clientHints",
    "*",
)
"""Source: W3C Clear Site Data, 3.1."""


def read_paths(section: Section) -> tuple[str, ...]:
    """Return ``logout.paths``, refusing one that is given twice."""
    paths = section.texts("paths", parse_logout_path)
    if len(set(paths)) < len(paths):
        section.refuse("paths", "holds a path twice", "keep one of them")
    return paths


def read_allowed_targets(section: Section) -> tuple[AllowedTarget, ...]:
    """Return ``logout.allowed_targets``."""
    return section.texts("allowed_targets", parse_target_entry)


def read_scope(section: Section) -> LogoutScope:
    """Return ``logout.scope``."""
    return section.text("scope", _parse_scope)


def read_clear_cookies(section: Section, *, own: str) -> tuple[str, ...]:
    """Return ``logout.clear_cookies``; *own* is the session cookie's name."""
    names = section.texts("clear_cookies", parse_cookie_name)
    if own in names:
        section.refuse(
            "clear_cookies",
            f"{own} is our own cookie, which every logout clears",
            "list cookies of your applications only",
        )
    return names


def read_clear_site_data(section: Section) -> tuple[str, ...]:
    """Return ``logout.clear_site_data``, warning where it reaches far."""
    values = section.texts("clear_site_data", _parse_clearable)
    if {"cookies", "*"} & set(values):
        section.warn(
            "clear_site_data",
            "clears the cookies of every host below the registered domain",
            "name them in logout.clear_cookies instead, unless all are meant",
        )
    return values


def parse_logout_path(text: str) -> str:
    """Return *text* when every proxy and browser reads the same path in it.

    Raises:
        RefusedValueError: ``/`` itself, dot segments, empty segments, percent signs,
            a query, or characters other than letters, digits and ``._~-``.
    """
    if text == "/":
        raise RefusedValueError(
            "/ would sign people out on the front page of every application",
            "write a path such as /logout",
        )
    if not _PATH.fullmatch(text):
        raise RefusedValueError(
            f"{quote(text)} is not a plain path",
            "write a path such as /logout, of letters, digits and ._~-",
        )
    return text


def parse_target_entry(text: str) -> AllowedTarget:
    """Return *text* as an entry of the allow-list.

    Raises:
        RefusedValueError: ``*`` or a wildcard that strangers can stand below,
            userinfo, or no origin with an optional path prefix.
    """
    try:
        entry = parse_allowed_target(text)
    except UnsafeTargetError as exc:
        raise RefusedValueError(
            f"{quote(text)} is no allowed target: {exc}",
            "write an origin such as https://app.example.net or"
            " https://*.apps.example.net, with or without a path prefix",
        ) from exc
    if entry.is_wildcard and is_public_suffix(entry.host):
        raise RefusedValueError(
            f"{quote(text)} is a wildcard over a public suffix, below which strangers"
            " have sites",
            "write the name that is registered to you",
        )
    return entry


def _parse_scope(text: str) -> LogoutScope:
    try:
        return LogoutScope(text)
    except ValueError as exc:
        raise RefusedValueError(
            f"{quote(text)} is not a scope",
            "write browser for the sessions of this login, or user for all",
        ) from exc


def _parse_clearable(text: str) -> str:
    value = text.strip('"')
    if value not in _CLEARABLE:
        raise RefusedValueError(
            f"{quote(text)} is not a kind of site data",
            f"choose from {', '.join(_CLEARABLE)}",
        )
    return value
