"""The pages of somebody who is signed in: sessions, their end, and the account.

Law: a page that leads to an end names what would end, and says that nothing has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from forwardauth.clock import Clock
from forwardauth.users.policy import PasswordPolicy
from forwardauth.web.devices import Device
from forwardauth.web.frame import Frame
from forwardauth.web.language_switch import Place
from forwardauth.web.notices import Notice
from forwardauth.web.page_content import SessionRow, round_up


class EndChoice(StrEnum):
    """What a user can end."""

    ONE = "one"
    OTHERS = "others"
    ALL = "all"


class PasswordFailure(StrEnum):
    """Why a password was not changed."""

    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    MISMATCH = "mismatch"
    UNCHANGED = "unchanged"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_EASY = "too_easy"
    CONFLICT = "conflict"
    NOT_WRITTEN = "not_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRow:
    """One line of the recent sign-ins.

    Attributes:
        at: When, aware.
        is_success: Whether the password was right.
        address: The client's; empty when it is not known.
        device: What it said to be, for people.
    """

    at: datetime
    is_success: bool
    address: str
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in, as the pages show it.

    Attributes:
        username: As the users file spells it.
        display_name: Empty when there is none.
        csrf_token: For every form of theirs.
    """

    username: str
    display_name: str
    csrf_token: str


class AccountPages:
    """The part of ``Pages`` that is for somebody who is signed in.

    They need these paths of the portal: ``/``, ``/account``, ``/logout``,
    ``/sessions/end`` with ``end``, and ``POST /sessions`` with ``csrf_token`` and
    ``end``: a session's handle, or ``others``, or ``all``.
    """

    _frame: Frame
    _clock: Clock

    def home(
        self,
        *,
        language: str,
        person: Person,
        sessions: Sequence[SessionRow],
        notice: Notice | None,
        logout_action: str,
        account_url: str,
    ) -> str:
        """Return "my sessions", with the form that signs out.

        Args:
            language: See ``Pages``.
            person: Whose they are.
            sessions: One for each login.
            notice: What has just happened, if anything has.
            logout_action: Absolute URL of the portal's ``/logout``.
            account_url: Of the account page, at home.
        """
        end = self._frame.path("/sessions/end")
        return self._frame.render(
            "sessions.html",
            language,
            here=Place(path="/"),
            person=person,
            sessions=sessions,
            notice=notice,
            end_url=lambda what: f"{end}?{urlencode({'end': what})}",
            logout_action=logout_action,
            account_url=account_url,
            now=self._clock.now(),
        )

    def confirm_end(
        self,
        *,
        language: str,
        csrf_token: str,
        choice: EndChoice,
        wanted: str,
        sessions: Sequence[SessionRow],
    ) -> str:
        """Return the page whose one button ends sessions; nothing has ended yet.

        Args:
            language: See ``Pages``.
            csrf_token: For the form.
            choice: What would end.
            wanted: The same as the form has it: a handle, or the choice itself.
            sessions: What would end, as far as it is known.
        """
        return self._frame.render(
            "end_sessions.html",
            language,
            csrf_token=csrf_token,
            sessions_action=self._frame.path("/sessions"),
            choice=choice,
            wanted=wanted,
            sessions=sessions,
            now=self._clock.now(),
        )

    def account(
        self,
        *,
        language: str,
        person: Person,
        policy: PasswordPolicy,
        is_writable: bool,
        sign_ins: Sequence[SignInRow],
        notice: Notice | None,
        failure: PasswordFailure | None,
        retry_after: timedelta | None = None,
    ) -> str:
        """Return the account page, with the form that changes the password.

        Args:
            language: See ``Pages``.
            person: Whose account it is.
            policy: What is asked of a new password.
            is_writable: Whether the users file can be; without, there is no form.
            sign_ins: The last ones, the last one first.
            notice: What has just happened, if anything has.
            failure: Why the form is shown again, ``None`` at first.
            retry_after: With ``THROTTLED``: the wait; it is rounded up, never down.
        """
        return self._frame.render(
            "account.html",
            language,
            here=Place(path="/account"),
            person=person,
            logout_action=self._frame.path("/logout"),
            password_action=self._frame.path("/account/password"),
            strength_url=self._frame.path("/account/strength"),
            min_length=policy.min_length,
            is_writable=is_writable,
            sign_ins=sign_ins,
            now=self._clock.now(),
            notice=notice,
            failure=failure,
            wait=None if retry_after is None else round_up(retry_after),
        )

    def password_changed(self, *, language: str) -> str:
        """Return the page for 503: the new password counts, and nobody is signed in."""
        return self._frame.render(
            "password_changed.html", language, login_url=self._frame.path("/login")
        )
