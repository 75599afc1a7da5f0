"""Where a browser may be sent after login and logout: one validator for both.

    values ─► one ─► text ─► parts ──────► place ──────────────────────► no loop
                     rule 1  rule 2        rule 3                        rule 4
                     target_url            CookieDomain, AllowedTarget   target_path

Law: what was checked is what is sent. A ``SafeTarget`` is the very text that came in,
and only ``check_target`` makes one, so that an unchecked redirect does not type-check.
A text that two programs could read in two ways is refused, never repaired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NewType
from urllib.parse import unquote

from forwardauth.allowed_targets import AllowedTarget, parse_allowed_target
from forwardauth.domains import CookieDomain, CookieDomains
from forwardauth.errors import UnsafeTargetError
from forwardauth.target_path import is_plain_path, plain_name, plain_names
from forwardauth.target_url import (
    MAX_TARGET_CHARACTERS,
    RefusalReason,
    TargetUrl,
    check_text,
    parse_target_url,
)

__all__ = [
    "LOOP_PATHS",
    "MAX_TARGET_CHARACTERS",
    "AllowedTarget",
    "RefusalReason",
    "SafeTarget",
    "TargetExplanation",
    "TargetPolicy",
    "check_only_target",
    "check_target",
    "explain_target",
    "parse_allowed_target",
]

SafeTarget = NewType("SafeTarget", str)

LOOP_PATHS: Final = (
    "/login",
    "/logout",
    "/signed-out",
    "/link",
    "/api/logout",
    "/api/firstfactor",
)
"""Paths of a portal that are no place to be sent to, and neither is what is below."""

_RULE_1: Final = "rule 1: 1 to 2048 printable ASCII characters, no space, no backslash"
_RULE_2: Final = "rule 2: an absolute https URL with a plain host name"
_RULE_3: Final = "rule 3: at or below a cookie domain, or in logout.allowed_targets"
_RULE_4: Final = "rule 4: no path of ours that signs in or out"

_OriginKey = tuple[str, str, int | None, bool]


@dataclass(frozen=True, kw_only=True)
class TargetPolicy:
    """The places that are allowed, and the paths there that are not.

    Attributes:
        domains: Every cookie domain with its portal.
        allowed: The entries of ``logout.allowed_targets``.
        logout_paths: ``logout.paths``, which sign out on every host of ours.
    """

    domains: CookieDomains
    allowed: tuple[AllowedTarget, ...]
    logout_paths: tuple[str, ...]

    def entries_for(self, url: TargetUrl) -> tuple[AllowedTarget, ...]:
        """Return the entries with the origin of *url*, whatever their path prefix.

        Costs one dictionary look-up for each label of the host.
        """
        found = self._by_origin.get((url.scheme, url.host, url.port, False), ())
        _, _, parent = url.host.partition(".")
        while parent:
            found += self._by_origin.get((url.scheme, parent, url.port, True), ())
            _, _, parent = parent.partition(".")
        return found

    def is_loop(self, host: str, name: str) -> bool:
        """Whether *name*, a plain name of a path, signs in or out on *host*."""
        return name in self._logout_names or any(
            name == ours or name.startswith(ours + "/")
            for ours in self._portal_names.get(host, ())
        )

    @cached_property
    def _by_origin(self) -> dict[_OriginKey, tuple[AllowedTarget, ...]]:
        entries: dict[_OriginKey, tuple[AllowedTarget, ...]] = {}
        for entry in self.allowed:
            key = (entry.scheme, entry.host, entry.port, entry.is_wildcard)
            entries[key] = (*entries.get(key, ()), entry)
        return entries

    @cached_property
    def _logout_names(self) -> frozenset[str]:
        return frozenset(plain_name(unquote(path)) for path in self.logout_paths)

    @cached_property
    def _portal_names(self) -> dict[str, tuple[str, ...]]:
        # By host and not by origin: another port may lead to the same service.
        names: dict[str, tuple[str, ...]] = {}
        for entry in self.domains.entries:
            ours = tuple(plain_name(entry.base_path + path) for path in LOOP_PATHS)
            names[entry.portal.host] = names.get(entry.portal.host, ()) + ours
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetExplanation:
    """What the rules say about one text.

    Attributes:
        accepted: Whether the browser may be sent there.
        rule: For people: the rule that refuses it, or the place that admits it.
        reason: Stable; ``None`` when it is accepted.
        detail: For people; holds nothing of the text itself.
    """

    accepted: bool
    rule: str
    reason: RefusalReason | None
    detail: str


def check_target(raw: str, policy: TargetPolicy) -> SafeTarget:
    r"""Return *raw* as a ``SafeTarget`` when the browser may be sent there.

    Args:
        raw: The parameter as received: any text of any length, not decoded again.
        policy: What is allowed.

    Returns:
        *raw*, unchanged.

    Raises:
        UnsafeTargetError: *reason* is a ``RefusalReason``. The caller takes the next
            destination in its order; it neither shows nor links *raw*.

    Source: WHATWG URL 4.4 (browsers read ``\`` as ``/``); RFC 9700 4.11.
    """
    explanation = explain_target(raw, policy)
    if explanation.reason is not None:
        raise UnsafeTargetError(explanation.reason, explanation.detail)
    return SafeTarget(raw)


def check_only_target(values: Sequence[str], policy: TargetPolicy) -> SafeTarget | None:
    """Return the one target that a request names, ``None`` when it names none.

    Args:
        values: The values of all spellings of the parameter, over query and body. An
            empty one counts as absent.
        policy: What is allowed.

    Raises:
        UnsafeTargetError: The one is refused, or there are several, equal ones too:
            who takes the first and who takes the last would go to different places.
    """
    named = [value for value in values if value]
    if len(named) > 1:
        raise UnsafeTargetError(RefusalReason.DUPLICATE, "is given more than once")
    return check_target(named[0], policy) if named else None


def explain_target(raw: str, policy: TargetPolicy) -> TargetExplanation:
    """Return which rule decides about *raw*, and how; ``check_target`` asks this."""
    rule = _RULE_1
    try:
        check_text(raw)
        rule = _RULE_2
        url = parse_target_url(raw)
        rule = _RULE_3
        place = _find_place(url, policy)
        rule = _RULE_4
        _check_no_loop(url, policy)
    except UnsafeTargetError as error:
        return TargetExplanation(
            accepted=False,
            rule=rule,
            reason=RefusalReason(error.reason),
            detail=str(error).removeprefix(f"{error.reason}: "),
        )
    return TargetExplanation(accepted=True, rule=place, reason=None, detail="")


def _find_place(url: TargetUrl, policy: TargetPolicy) -> str:
    domain = policy.domains.lookup(url.host)
    if domain is not None and _is_served(url, domain):
        return f"cookie domain {domain.name}"
    entries = policy.entries_for(url)
    for entry in entries:
        if not entry.path_prefix:
            return f"logout.allowed_targets: {entry}"
    if not entries:
        raise _fault_of_origin(url, domain)
    # From here on only the path tells an allowed place from one that is not.
    if not is_plain_path(url.path):
        raise UnsafeTargetError(
            RefusalReason.PATH_AMBIGUOUS, "could leave the path prefix of its entry"
        )
    for entry in entries:
        if entry.admits_path(url.path):
            return f"logout.allowed_targets: {entry}"
    raise UnsafeTargetError(
        RefusalReason.PATH_NOT_ALLOWED, "is outside the path prefixes of its host"
    )


def _is_served(url: TargetUrl, domain: CookieDomain) -> bool:
    portal = domain.portal
    if url.scheme == portal.scheme:
        return url.port in (None, portal.port)
    return url.scheme == "https" and url.port is None


def _fault_of_origin(url: TargetUrl, domain: CookieDomain | None) -> UnsafeTargetError:
    if domain is None:
        return UnsafeTargetError(
            RefusalReason.HOST_NOT_ALLOWED,
            "is below no cookie domain, and no entry has its scheme, host and port",
        )
    if url.scheme not in ("https", domain.portal.scheme):
        return UnsafeTargetError(
            RefusalReason.SCHEME_NOT_ALLOWED, "is http where only https is allowed"
        )
    return UnsafeTargetError(
        RefusalReason.PORT_NOT_ALLOWED, "has neither the default port nor the portal's"
    )


def _check_no_loop(url: TargetUrl, policy: TargetPolicy) -> None:
    # A host that is not ours may use any path; ours would sign in or out once more.
    if policy.domains.lookup(url.host) is None:
        return
    for name in plain_names(url.path):
        if policy.is_loop(url.host, name):
            raise UnsafeTargetError(RefusalReason.LOOP, "signs in or out once more")
