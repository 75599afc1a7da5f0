"""Public suffixes: both sections of the list."""

import pytest

from forwardauth.config.suffixes import is_public_suffix


@pytest.mark.parametrize(
    "name",
    [
        "com",
        "co.uk",
        "github.io",
        "duckdns.org",
        "pages.dev",
        "ts.net",
        "synology.me",
        "dedyn.io",
        "kawasaki.jp",
        "foo.ck",
        "localhost",
        "lan",
        "home.arpa",
    ],
)
def test_names_that_strangers_share_are_public(name: str) -> None:
    """Registries and private owners alike hand out names below these."""
    assert is_public_suffix(name)


@pytest.mark.parametrize(
    "name",
    [
        "example.co.uk",
        "foo.github.io",
        "my.duckdns.org",
        "www.ck",
        "city.kawasaki.jp",
        "example.localhost",
        "homelab.lan",
        "mine.home.arpa",
    ],
)
def test_names_that_somebody_owns_are_not(name: str) -> None:
    """Exceptions of the list and unknown top-level domains count as owned."""
    assert not is_public_suffix(name)
