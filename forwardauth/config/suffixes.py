"""Public suffixes: names below which strangers register names of their own.

A cookie for a public suffix would reach every stranger's site below it, and browsers
refuse it. Both sections of the list count: ``github.io`` is as shared as ``co.uk``.
"""

import pkgutil
import re
from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

SHARED_NAMES: Final = frozenset({"nip.io", "sslip.io", "traefik.me", "localtest.me"})
"""Names that hand a host to everybody and that the list does not have."""

_LIST: Final = "public_suffix_list.dat"


@cache
def _load_rules(top_level: str) -> PublicSuffixList:
    """Return the rules of the shipped list that end in the label *top_level*.

    No other rule can say anything about a name there. A configuration has names below
    one or two of them, and to parse every line would be a third of what a start takes.
    """
    shipped = pkgutil.get_data("publicsuffixlist", _LIST)
    if shipped is None:
        raise RuntimeError(f"publicsuffixlist ships no {_LIST}")
    text = shipped.decode("utf-8")
    if top_level.startswith("xn--"):
        # The list spells these in their own letters.
        return PublicSuffixList(text, only_icann=False)
    rule = re.compile(rf"^(?:\S+\.)?{re.escape(top_level)}(?!\S)", re.MULTILINE)
    return PublicSuffixList(rule.findall(text), only_icann=False)


def is_public_suffix(name: str) -> bool:
    """Whether strangers register names below *name*.

    Args:
        name: A host name in lower case, without leading or trailing dot. An address
            is none of the caller's names: the list would answer nonsense.

    Source: publicsuffix.org, both sections; a name of one label always counts.
    """
    return bool(_load_rules(name.rpartition(".")[2]).is_public(name))
