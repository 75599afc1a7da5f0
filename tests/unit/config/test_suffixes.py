"""Public suffixes: both sections of the list."""

import pytest
from publicsuffixlist import PublicSuffixList

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


def test_part_of_the_list_answers_as_all_of_it_does() -> None:
    """What is left out of the list when it is read says nothing about the name."""
    whole = PublicSuffixList(only_icann=False)
    tops = ("uk", "io", "ck", "jp", "no", "xn--p1ai", "xn--j6w193g", "invalid")
    labels = ("co", "github", "www", "kawasaki", "xn--55qx5d", "city.kobe", "mine")
    names = [
        f"{below}{label}.{top}"
        for top in tops
        for label in labels
        for below in ("", "x.")
    ]

    different = [n for n in names if is_public_suffix(n) != whole.is_public(n)]

    assert not different
