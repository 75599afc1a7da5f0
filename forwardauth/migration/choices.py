"""What an operator decides about an import, since the source does not say it."""

from dataclasses import dataclass
from pathlib import Path

from forwardauth.access_control.decision import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of ``forwardauth import``.

    Attributes:
        two_factor: What a rule asks for that asked for a second factor: ``deny``, or
            ``one_factor`` where somebody has decided that this is enough.
        any_query: Whether an expression that ends in ``$`` is one for the path alone.
        portal: Where people sign in, for a source that does not say it.
        domain: The parent domain, for a source that does not say it.
        trusted_proxies: Networks of the proxies; without them the service listens on
            loopback, whatever the source says.
        users_file: The users file to name; ``None`` for the one of the source.
        folder: Where the configuration will lie; relative paths in it start there.
    """

    two_factor: Policy = Policy.DENY
    any_query: bool = False
    portal: str | None = None
    domain: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    users_file: Path | None = None
    folder: Path

    def policy_of(self, text: str) -> Policy:
        """Return the policy that is written for the one that a source calls *text*.

        Raises:
            ValueError: It is none.
        """
        policy = Policy(text)
        return self.two_factor if policy is Policy.TWO_FACTOR else policy
