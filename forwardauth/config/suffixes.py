"""Public suffixes: names below which strangers register names of their own.

A cookie for a public suffix would reach every stranger's site below it, and browsers
refuse it. Both sections of the list count: ``github.io`` is as shared as ``co.uk``.
"""

from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

SHARED_NAMES: Final = frozenset({"nip.io", "sslip.io", "traefik.me", "localtest.me"})
"""Names that hand a host to everybody and that the list does not have."""


@cache
def _load_list() -> PublicSuffixList:
    """Read the list that ships with the package; it takes some 40 ms."""
    return PublicSuffixList(only_icann=False)


def is_public_suffix(name: str) -> bool:
    """Whether strangers register names below *name*.

    Args:
        name: A host name in lower case, without leading or trailing dot. An address
            is none of the caller's names: the list would answer nonsense.

    Source: publicsuffix.org, both sections; a name of one label always counts.
    """
    return bool(_load_list().is_public(name))
