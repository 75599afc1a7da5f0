"""What a client sends to be taken for somebody else."""

from forwardauth.doctor.forgery import Forgery, forge, forge_aliases

NAMES = ("Remote-User", "X-Auth-Request-Groups", "Fullname", "Remote-Email")


def test_every_name_in_use_is_claimed_twice_in_another_case() -> None:
    """Whoever removes one line of two, or one spelling, is found."""
    forgery = forge(NAMES)

    claims = [line for line in forgery.lines() if line[1].startswith("forged")]

    assert [name for name, _ in claims] == [*map(str.upper, NAMES)] * 2
    assert len({value for _, value in claims}) == len(claims)
    assert forgery.names_in(repr(claims).encode()) == [*map(str.upper, NAMES)]


def test_aliases_are_what_applications_read_alike() -> None:
    """CGI and WSGI make underscores of whatever mark there is."""
    aliases = forge_aliases(NAMES)

    assert aliases.names == (
        "Remote_User",
        "Remote.User",
        "X_Auth_Request_Groups",
        "X_Auth-Request-Groups",
        "X.Auth.Request.Groups",
        "Remote_Email",
        "Remote.Email",
    )


def test_name_without_a_hyphen_has_no_alias() -> None:
    """Nothing is claimed where nothing could be taken for it."""
    assert forge_aliases(("Fullname",)).names == ()


def test_each_line_that_came_through_is_told_apart() -> None:
    """The eleventh is not taken for the first."""
    forgery = Forgery(names=tuple(f"N{number}" for number in range(12)))
    lines = dict(forgery.lines())

    shown = f"x: {lines['N1']}\ny: {lines['N11']}".encode()

    assert forgery.names_in(shown) == ["N1", "N11"]
    assert not forgery.is_shown(shown)
    assert forgery.names_in(b"") == []


def test_another_request_is_not_taken_for_this_one() -> None:
    """An application may show what it was asked before."""
    forgery, earlier = forge(NAMES), forge(NAMES)
    body = repr(list(earlier.lines())).encode()

    assert earlier.names_in(body)
    assert forgery.names_in(body) == []
    assert not forgery.is_shown(body)
