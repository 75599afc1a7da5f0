"""Networks of clients are read by address or by name, or refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.access_control.criteria import NetworkCriterion
from tests.support import access
from tests.support.configuration import Mistake, load_text

RULE = """\
  rules:
    - domain: app.example.com
      policy: one_factor
"""


def in_rule(value: str, name: str, keyword: str) -> Mistake:
    """Return a mistake in the rule's networks, beside the name ``internal``."""
    text = "access_control:\n  networks: [{name: internal, networks: 10.0.0.0/8}]\n"
    return Mistake(
        text=f"{text}{RULE}      networks: {value}",
        key=f"access_control.rules.0.{name}",
        line=6,
        keyword=keyword,
    )


def in_names(value: str, name: str, keyword: str) -> Mistake:
    """Return a mistake in the names."""
    return Mistake(
        text=f"access_control:\n  networks: {value}",
        key=f"access_control.networks{name}",
        line=2,
        keyword=keyword,
    )


MISTAKES = {
    "empty": in_rule("[]", "networks", "names no network"),
    "null": in_rule("", "networks", "is empty"),
    "misspelt": in_rule("[internals]", "networks.0", "defines"),
    "no address": in_rule("10.0.0", "networks", "not a network"),
    "prefix too long": in_rule("10.0.0.0/33", "networks", "not a network"),
    "bits beyond": in_rule("10.0.0.1/8", "networks", "bits set"),
    "mapped": in_rule('"::ffff:10.0.0.0/104"', "networks", "written as IPv6"),
    "name missing": in_names("[{networks: 10.0.0.0/8}]", ".0.name", "is missing"),
    "networks missing": in_names("[{name: a}]", ".0.networks", "is missing"),
    "networks empty": in_names(
        "[{name: a, networks: []}]", ".0.networks", "names no network"
    ),
    "network broken": in_names(
        "[{name: a, networks: [x]}]", ".0.networks.0", "not a network"
    ),
    "name of a name": in_names(
        "[{name: a, networks: 10.0.0.0/8}, {name: b, networks: a}]",
        ".1.networks",
        "not a network",
    ),
    "twice": in_names(
        "[{name: a, networks: 10.0.0.0/8}, {name: a, networks: 10.0.0.0/8}]",
        ".1.name",
        "defined twice",
    ),
    "name like an address": in_names(
        "[{name: 10.0.0.0, networks: 10.0.0.0/8}]", ".0.name", "reads like an address"
    ),
    "no mapping": in_names("[internal]", ".0", "must hold keys"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """V-22: one problem with key, line, reason and remedy, and never a wider rule."""
    check_mistake(wrong)


def test_a_name_stands_for_its_networks(tmp_path: Path) -> None:
    """Names and addresses may be mixed; an explanation quotes what was written."""
    text = f"""\
access_control:
{RULE}      networks: [internal, "2001:db8::1", 0.0.0.0/0]
  networks:
    - name: internal
      networks: [10.0.0.0/8, 192.168.0.0/16]
    - name: unused
      networks: 192.0.2.0/24
"""

    (only,) = load_text(tmp_path, text).access_control.rules

    meant = access.networks("10.0.0.0/8", "192.168.0.0/16", "2001:db8::1", "0.0.0.0/0")
    assert only.networks == NetworkCriterion(
        networks=meant.networks, names=("internal", "2001:db8::1", "0.0.0.0/0")
    )
