"""``headers``: names that can say who asks, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.config.headers import parse_header_name
from forwardauth.config.problems import RefusedValueError
from tests.support.configuration import (
    COOKIES,
    Mistake,
    load_text,
    problems_in,
    write_config,
)


def mistake(text: str, name: str, keyword: str) -> Mistake:
    """Return a mistake in ``headers``, on its second line."""
    return Mistake(
        text=f"headers:\n  {text}", key=f"headers.{name}", line=2, keyword=keyword
    )


MISTAKES = {
    "underscore": mistake("user: Remote_User", "user", "reads alike"),
    "empty": mistake("groups:", "groups", "is empty"),
    "taken": mistake("email: Cookie", "email", "holds sessions"),
    "list": mistake("name: [A, B]", "name", "must be one value"),
    "unknown": mistake("users: Remote-User", "users", "is not a key"),
    "default of another": mistake("name: remote-user", "name", "headers.user, too"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


def test_names_are_those_that_applications_know(tmp_path: Path) -> None:
    """An existing installation needs no word of this (V-26)."""
    headers = load_text(tmp_path, "").headers

    assert headers == IdentityHeaders(
        user="Remote-User",
        groups="Remote-Groups",
        name="Remote-Name",
        email="Remote-Email",
    )


def test_each_name_can_be_set(tmp_path: Path) -> None:
    """The file and the environment say the same, and the case is kept (V-26)."""
    names = {"user": "X-User", "groups": "x-groups", "name": "X-Name", "email": "X-9"}
    lines = "".join(f"  {key}: {name}\n" for key, name in names.items())
    variables = {f"FORWARDAUTH_HEADERS__{k.upper()}": v for k, v in names.items()}

    in_file = load_text(tmp_path, "headers:\n" + lines)
    in_environment = load_text(tmp_path, "", variables)

    assert in_file.headers == in_environment.headers == IdentityHeaders(**names)


def test_every_double_name_is_told(tmp_path: Path) -> None:
    """Each of them is compared with the first that has the name, whatever the case."""
    text = "headers: {user: X-Who, groups: x-who, name: X-WHO, email: X-Mail}\n"
    path = write_config(tmp_path, f"users: {{file: u}}\n{text}{COOKIES}")

    found = problems_in(path)

    assert [problem.place.key for problem in found] == [
        "headers.groups",
        "headers.name",
    ]
    assert all("headers.user, too" in problem.reason for problem in found)


@pytest.mark.parametrize(
    "name", ["Remote-User", "X-WebAuth-User", "user", "Tailscale-User-Login", "X" * 64]
)
def test_plain_name_is_kept_as_it_is(name: str) -> None:
    """Letters, digits and single hyphens are read alike everywhere."""
    assert parse_header_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Remote_User",
        "Remote.User",
        "Remote User",
        "Remote-User:",
        "Rémote",
        "X-\r\nA",
        "-User",
        "User-",
        "Remote--User",
        "9-User",
        "$http_user",
        "X" * 66,
        "Remote~User",
    ],
    ids=ascii,
)
def test_name_that_two_programs_read_differently_is_refused(name: str) -> None:
    """Some would fold it with another, some could not send it."""
    with pytest.raises(RefusedValueError, match="reads alike"):
        parse_header_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"),
        *("Proxy-Authorization", "Proxy-Connection", "Content-Length", "Content-Type"),
        *("Host", "Expect", "Cookie", "Set-Cookie", "Authorization", "Accept"),
        *("X-Forwarded-User", "X-Forwarded-For", "x-forwarded", "X-Original-URL"),
        *(
            "X-Rewrite-URL",
            "X-Real-IP",
            "Forwarded",
            "Origin",
            "Referer",
            "Sec-Purpose",
        ),
        *("X-Requested-With", "Access-Control-Request-Method", "User-Agent"),
        *("Location", "Cache-Control", "Vary", "X-Content-Type-Options", "Server"),
        *("Retry-After", "WWW-Authenticate", "Content-Security-Policy", "Date"),
        *("Referrer-Policy", "Clear-Site-Data", "Forwardauth-Request-Kind"),
    ],
)
def test_name_that_means_something_else_is_refused(name: str) -> None:
    """It would be believed, dropped, or sent twice (V-26)."""
    with pytest.raises(RefusedValueError, match="is a header"):
        parse_header_name(name)


def test_name_that_only_begins_like_another_is_kept() -> None:
    """Families are told by whole words."""
    assert parse_header_name("Secret-User") == "Secret-User"
    assert parse_header_name("X-Forwardedness") == "X-Forwardedness"
