"""Pages in every state, from as few arguments as a test wants to name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from forwardauth.domains import Origin
from forwardauth.sessions.ids import Handle
from forwardauth.sessions.model import to_ms
from forwardauth.users.policy import PasswordPolicy
from forwardauth.web.account_pages import EndChoice, PasswordFailure, Person, SignInRow
from forwardauth.web.assets import Assets
from forwardauth.web.devices import parse_user_agent
from forwardauth.web.notices import Notice
from forwardauth.web.page_content import SessionRow
from forwardauth.web.pages import (
    EndedScope,
    ErrorKind,
    LoginFailure,
    Pages,
    Visitor,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FixedClock:
    """Holds the time still."""

    def now(self) -> datetime:
        return NOW

    def now_ms(self) -> int:
        return to_ms(NOW)


def create_pages(**changes: object) -> Pages:
    options: dict[str, object] = {
        "title": "Sign in",
        "templates": None,
        "base_path": "/",
        "assets": Assets(),
        "remember_me": timedelta(days=30),
        "clock": FixedClock(),
    }
    return Pages(**{**options, **changes})  # type: ignore[arg-type]  # by name, in tests


def create_row(**changes: object) -> SessionRow:
    options: dict[str, object] = {
        "handle": Handle("a" * 32),
        "created": NOW - timedelta(hours=3),
        "seen": NOW - timedelta(minutes=5),
        "address": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
        "domains": ("example.com",),
        "is_current": False,
        "remembered": False,
        **changes,
    }
    options["device"] = parse_user_agent(str(options["user_agent"]))
    return SessionRow(**options)  # type: ignore[arg-type]  # likewise


PAGES = create_pages()
PORTAL = Origin(scheme="https", host="auth.example.com")


def login(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "csrf_token": "token",
        "target": None,
        "method": None,
        "username": "",
        "failure": None,
        "retry_after": None,
        "destination_host": None,
    }
    return pages.login(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def confirm(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "csrf_token": "token",
        "target": None,
        "action": "https://auth.example.com/logout",
        "username": "ada",
    }
    return pages.confirm_logout(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def create_person(**changes: object) -> Person:
    options: dict[str, object] = {
        "username": "ada",
        "display_name": "Ada Lovelace",
        "csrf_token": "token",
    }
    return Person(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def home(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "person": create_person(),
        "sessions": [
            create_row(is_current=True, domains=("example.com", "example.org")),
            create_row(handle=Handle("b" * 32), user_agent="curl/8", remembered=True),
        ],
        "notice": None,
        "logout_action": "https://auth.example.com/logout",
        "account_url": "https://auth.example.com/account",
    }
    return pages.home(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def confirm_end(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "csrf_token": "token",
        "choice": EndChoice.ONE,
        "wanted": "b" * 32,
        "sessions": [create_row(handle=Handle("b" * 32))],
    }
    return pages.confirm_end(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def create_sign_in(
    *,
    is_success: bool = True,
    address: str = "192.0.2.1",
    user_agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
) -> SignInRow:
    return SignInRow(
        at=NOW - timedelta(hours=3),
        is_success=is_success,
        address=address,
        device=parse_user_agent(user_agent),
    )


def account(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "person": create_person(),
        "policy": PasswordPolicy(),
        "is_writable": True,
        "sign_ins": [
            create_sign_in(is_success=False, user_agent="curl/8"),
            create_sign_in(address="", user_agent=""),
            create_sign_in(),
        ],
        "notice": None,
        "failure": None,
    }
    return pages.account(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def forbidden(pages: Pages = PAGES, **changes: object) -> str:
    options: dict[str, object] = {
        "language": "en",
        "username": "ada",
        "host": "app.example.com",
        "logout_action": "https://auth.example.com/logout",
        "switch_url": "https://auth.example.com/logout?rd=https%3A%2F%2Fapp.example.com%2F",
        "csrf_token": None,
    }
    return pages.forbidden(**{**options, **changes})  # type: ignore[arg-type]  # likewise


def signed_out(
    pages: Pages = PAGES,
    language: str = "en",
    ended: str = "browser",
    everywhere_url: str | None = "https://auth.example.com/login?rd=x",
) -> str:
    return pages.signed_out(
        language=language,
        ended=EndedScope(ended),
        login_url="/login",
        everywhere_url=everywhere_url,
    )


VISITOR = Visitor(
    username="alice",
    logout_url="https://auth.example.com/logout",
    switch_url="https://auth.example.com/logout?rd=https%3A%2F%2Fauth.example.com%2F",
)


def error(
    kind: ErrorKind,
    pages: Pages = PAGES,
    language: str = "en",
    visitor: Visitor | None = None,
) -> str:
    return pages.error(
        language=language,
        status=404 if kind is ErrorKind.NOT_FOUND else 400,
        kind=kind,
        reference="7f3a",
        visitor=visitor,
    )


# Every page in every state, as a function of who renders it and in which language.
STATES: dict[str, Callable[[Pages, str], str]] = {
    "login": lambda pages, tag: login(pages, language=tag),
    "login on the way": lambda pages, tag: login(
        pages, language=tag, destination_host="grafana.example.com"
    ),
    **{
        f"login {failure}": lambda pages, tag, failure=failure: login(  # type: ignore[misc]  # bound early
            pages,
            language=tag,
            failure=failure,
            username="ada",
            retry_after=timedelta(seconds=100),
            target="https://app.example.com/",
            method="POST",
            destination_host="app.example.com",
            remembered=True,
        )
        for failure in LoginFailure
    },
    **{
        f"logout {ended}": lambda pages, tag, ended=ended: signed_out(pages, tag, ended)  # type: ignore[misc]  # bound early
        for ended in EndedScope
    },
    "confirm": lambda pages, tag: confirm(pages, language=tag, target="https://a.b/"),
    "confirm unknown": lambda pages, tag: confirm(pages, language=tag, username=None),
    "pending": lambda pages, tag: pages.logout_pending(language=tag),
    "home": lambda pages, tag: home(pages, language=tag),
    **{
        f"home {notice}": lambda pages, tag, notice=notice: home(  # type: ignore[misc]  # bound early
            pages, language=tag, notice=notice
        )
        for notice in Notice
    },
    **{
        f"end {choice}": lambda pages, tag, choice=choice: confirm_end(  # type: ignore[misc]  # bound early
            pages, language=tag, choice=choice
        )
        for choice in EndChoice
    },
    "account": lambda pages, tag: account(
        pages, language=tag, notice=Notice.PASSWORD_CHANGED
    ),
    **{
        f"account {failure}": lambda pages, tag, failure=failure: account(  # type: ignore[misc]  # bound early
            pages, language=tag, failure=failure, retry_after=timedelta(seconds=100)
        )
        for failure in PasswordFailure
    },
    "account read-only": lambda pages, tag: account(
        pages, language=tag, is_writable=False, sign_ins=[]
    ),
    "password changed": lambda pages, tag: pages.password_changed(language=tag),
    "end all unseen": lambda pages, tag: confirm_end(
        pages, language=tag, choice=EndChoice.ALL, sessions=[]
    ),
    "home alone": lambda pages, tag: home(
        pages,
        language=tag,
        person=create_person(display_name=""),
        sessions=[create_row(is_current=True, user_agent="")],
    ),
    "go on": lambda pages, tag: pages.go_on(language=tag, url="https://a.example/"),
    "go on failed": lambda pages, tag: pages.go_on(
        language=tag, url="https://a.example/", has_failed=True
    ),
    "forbidden": lambda pages, tag: forbidden(pages, language=tag),
    "forbidden nobody": lambda pages, tag: forbidden(
        pages, language=tag, username="", reference="7f3a"
    ),
    "forbidden form": lambda pages, tag: forbidden(pages, language=tag, csrf_token="t"),
    **{
        f"error {kind}": lambda pages, tag, kind=kind: error(kind, pages, tag)  # type: ignore[misc]  # bound early
        for kind in ErrorKind
    },
    "error to a visitor": lambda pages, tag: error(
        ErrorKind.NOT_FOUND, pages, tag, VISITOR
    ),
}

OTHER_WORDS = {
    *(f"error {kind}" for kind in ErrorKind if kind is not ErrorKind.INTERNAL),
    *(f"account {name}" for name in ("unchanged", "too_short", "too_long")),
    *(f"account {name}" for name in ("conflict", "not_written")),
}
"""States that differ from another one of their page in their texts alone."""
