"""The options of traefik-forward-auth, by whichever of their spellings."""

import pytest

from forwardauth.migration.traefik_forward_auth_keys import (
    LEFT,
    LISTS,
    READ,
    RULE,
    canonical,
)


@pytest.mark.parametrize(
    "name",
    ["providers.google.client-id", "PROVIDERS_GOOGLE_CLIENT_ID"],
)
def test_variables_and_keys_have_one_spelling(name: str) -> None:
    """Flags have it, too, without their hyphens."""
    assert canonical(name) == "providers-google-client-id"


def test_every_option_that_is_read_is_explained() -> None:
    """And none of them is explained as left out besides."""
    assert set(READ.values()) == set(LISTS)
    assert not [n for n in READ if any(n.startswith(start) for start, _ in LEFT)]


def test_a_rule_is_named_in_its_option() -> None:
    """With what is said about it."""
    match = RULE.fullmatch("rule.1.whitelist")

    assert match is not None
    assert (match["name"], match["key"]) == ("1", "whitelist")
    assert RULE.fullmatch("rule.1.hours") is None
