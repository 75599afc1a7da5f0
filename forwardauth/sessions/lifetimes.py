"""How long sessions live, and what one is made of."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from forwardauth.sessions.model import Session

_TOUCHES_PER_IDLE_TIMEOUT: Final = 10


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

    @property
    def touch_interval(self) -> timedelta:
        """How long the recorded use of a session is good enough."""
        return self.idle / _TOUCHES_PER_IDLE_TIMEOUT


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
