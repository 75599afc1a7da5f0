"""The default targets: each must pass the check that every redirect passes.

A default that the check refuses would be dropped at every logout, without anybody
seeing why.
"""

from typing import Final

from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section
from forwardauth.domains import CookieDomains
from forwardauth.errors import UnsafeTargetError
from forwardauth.redirects import (
    AllowedTarget,
    RefusalReason,
    SafeTarget,
    TargetPolicy,
    check_target,
)

LOGIN: Final = "login"
"""The value of ``logout.default_target`` that stands for the login page."""

_KEY: Final = "default_target"
_NOT_LISTED: Final = frozenset(
    {
        RefusalReason.HOST_NOT_ALLOWED,
        RefusalReason.PATH_NOT_ALLOWED,
        RefusalReason.PORT_NOT_ALLOWED,
        RefusalReason.SCHEME_NOT_ALLOWED,
    }
)
"""Refusals that a list entry with a problem of its own may be the cause of."""


class DefaultTargets:
    """Checks default targets against the domains and the allow-list."""

    def __init__(
        self,
        *,
        domains: CookieDomains,
        allowed: tuple[AllowedTarget, ...],
        logout_paths: tuple[str, ...],
        is_whole: bool,
    ) -> None:
        """Keep the lists; unless *is_whole*, an entry with a problem is missing."""
        self._policy = TargetPolicy(
            domains=domains, allowed=allowed, logout_paths=logout_paths
        )
        self._is_whole = is_whole

    def read(self, section: Section) -> SafeTarget | None:
        """Return ``default_target`` of *section*; ``None`` when null or refused."""
        return section.optional(_KEY, self._parse)

    def read_or_login(self, section: Section) -> tuple[SafeTarget | None, bool]:
        """Return the same for ``logout``, and whether it is the login page."""
        value = section.optional(
            _KEY, lambda text: LOGIN if text == LOGIN else self._parse(text)
        )
        if value is None or value == LOGIN:
            return None, value == LOGIN
        return SafeTarget(value), False

    def _parse(self, text: str) -> SafeTarget | None:
        try:
            return check_target(text, self._policy)
        except UnsafeTargetError as exc:
            if not self._is_whole and exc.reason in _NOT_LISTED:
                return None
            raise RefusedValueError(
                f"{quote(text)} would be refused as a target: {exc}",
                "write an https URL below a cookie domain or in logout.allowed_targets",
            ) from exc
