"""Settings: the values that are made of others."""

from pathlib import Path

from forwardauth.redirects import TargetPolicy
from tests.support.configuration import load_text


def test_the_domains_are_those_of_the_cookies(tmp_path: Path) -> None:
    """The same values, in the same order."""
    settings = load_text(tmp_path, "")

    assert settings.domains.entries == tuple(c.domain for c in settings.cookies)


def test_the_target_policy_holds_every_list(tmp_path: Path) -> None:
    """Login and logout check targets against one policy."""
    text = "logout: {paths: [/bye], allowed_targets: [https://example.net]}\n"

    settings = load_text(tmp_path, text)

    assert settings.target_policy == TargetPolicy(
        domains=settings.domains,
        allowed=settings.logout.allowed_targets,
        logout_paths=("/bye",),
    )
