"""Networks of Authelia: by name since 4.39 and before, and by address."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Outcome
from forwardauth.errors import ConfigError
from tests.support.access import ask
from tests.support.migration import AUTHELIA, import_authelia, import_rules

RULE = "{domain: a.example.com, policy: bypass, networks: [%s]}"


def is_open(written_to: Path, text: str, client: str) -> bool:
    """Return whether *client* gets in."""
    written = import_authelia(written_to, text)
    return written.outcome(ask("a.example.com", client=client)) is Outcome.ALLOW


@pytest.mark.parametrize("name", ["lan", "10-lan"])
@pytest.mark.parametrize(
    "definition",
    [
        "definitions: {network: {%s: [10.0.0.0/8]}}\naccess_control:\n",
        "access_control:\n  networks: [{name: %s, networks: [10.0.0.0/8]}]\n",
    ],
    ids=["4.39", "4.38"],
)
def test_names_stand_for_their_networks(
    tmp_path: Path, definition: str, name: str
) -> None:
    """A name that could be read as an address here is written out."""
    text = f"{AUTHELIA}{definition % name}  rules:\n    - {RULE % name}\n"

    assert is_open(tmp_path, text, "10.1.2.3")
    assert not is_open(tmp_path, text, "192.0.2.7")


NETWORKS = {
    "bits": ("192.168.2.5/24", "192.168.2.200", "192.168.3.1"),
    "address": ("203.0.113.9", "203.0.113.9", "203.0.113.8"),
    "mapped": ("'::ffff:10.0.0.0/104'", "10.1.1.1", "11.1.1.1"),
    "IPv6": ("'2001:db8::/32'", "2001:db8::7", "2001:db9::7"),
}


@pytest.mark.parametrize(
    ("network", "inside", "outside"), NETWORKS.values(), ids=NETWORKS
)
def test_addresses_are_read_as_go_reads_them(
    tmp_path: Path, network: str, inside: str, outside: str
) -> None:
    """Bits beyond the prefix count for nothing; mapped IPv4 is IPv4."""
    text = f"{AUTHELIA}access_control:\n  rules:\n    - {RULE % network}\n"

    assert is_open(tmp_path, text, inside)
    assert not is_open(tmp_path, text, outside)


@pytest.mark.parametrize(
    "rules",
    [
        "rules:\n  - " + RULE % "nowhere",
        "networks: [{name: lan, networks: []}]\nrules:\n  - " + RULE % "lan",
        "networks: [{networks: [10.0.0.0/8]}]",
        "networks: [lan]",
    ],
    ids=["undefined", "empty", "nameless", "a word"],
)
def test_a_criterion_without_a_network_is_refused(tmp_path: Path, rules: str) -> None:
    """Without it the rule would be one for everybody."""
    with pytest.raises(ConfigError) as caught:
        import_rules(tmp_path, rules)

    assert "configuration.yml:" in str(caught.value.problems[0])
