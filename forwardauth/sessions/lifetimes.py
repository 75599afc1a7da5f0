"""How long sessions live, and what one is made of."""

from dataclasses import dataclass
from datetime import timedelta

from forwardauth.sessions.model import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long sessions live.

    Attributes:
        absolute: From sign-in on, whatever happens.
        idle: Unused.
        remember_me: Replaces both for a session that is remembered; ``None`` when
            nobody can ask for that.
    """

    absolute: timedelta
    idle: timedelta
    remember_me: timedelta | None

    @property
    def longest(self) -> timedelta:
        """The longest that any session can live."""
        return max(self.absolute, self.remember_me or timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a user has proven, and where: the making of a session.

    Attributes are those of ``Session``; *linked_to* is the session on another cookie
    domain that this one continues, with which it ends.
    """

    username: str
    domain: str
    credential: tuple[str, ...]
    methods: tuple[str, ...]
    remembered: bool
    address: str
    user_agent: str
    level: int = 1
    linked_to: Session | None = None
