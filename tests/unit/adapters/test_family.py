"""One adapter's headers: each exactly once, and nothing that could pass for one."""

from typing import Final

import pytest

from forwardauth.adapters.family import HeaderFamily, ShippedLine
from forwardauth.errors import ProxyRequestError
from tests.support.headers import FakeHeaders

HOST: Final = "X-Forwarded-Host"
URI: Final = "X-Forwarded-Uri"
FAMILY: Final = HeaderFamily(
    "sample",
    {
        HOST: ShippedLine(file="sample.conf", text="up"),
        URI: ShippedLine(file="sample.conf", text="set uri"),
    },
    identity=("Remote-User", "X-WebAuth-Groups"),
)
HEADERS: Final = FakeHeaders((HOST, "app.example.com"), (URI, "/"))


def _refusal(headers: FakeHeaders) -> ProxyRequestError:
    with pytest.raises(ProxyRequestError) as refused:
        FAMILY.read(headers)
    return refused.value


@pytest.mark.parametrize(
    "headers",
    [HEADERS, FakeHeaders(("x-forwarded-host", "app.example.com"), (URI.upper(), "/"))],
    ids=["as written", "other case"],
)
def test_values_are_read_by_name(headers: FakeHeaders) -> None:
    """Field names do not differ by case, so that another case is no alias."""
    assert FAMILY.read(headers) == {HOST: "app.example.com", URI: "/"}


@pytest.mark.parametrize(
    ("headers", "reason", "message"),
    [
        (
            HEADERS.replaced(URI),
            "header_missing",
            "X-Forwarded-Uri: is missing; sample.conf sets it with `set uri`",
        ),
        (
            HEADERS.replaced(HOST, "a", "b"),
            "header_repeated",
            "X-Forwarded-Host: was sent more than once; sample.conf sets it with `up`",
        ),
    ],
    ids=["missing", "repeated"],
)
def test_refusal_says_which_line_sets_the_header(
    headers: FakeHeaders, reason: str, message: str
) -> None:
    """Whoever sets up the proxy reads what to write, and where (V-13)."""
    error = _refusal(headers)

    assert (error.reason, str(error)) == (reason, message)


@pytest.mark.parametrize(
    ("alias", "meant"),
    [
        ("X_Forwarded_Host", HOST),
        ("x.forwarded.host", HOST),
        ("X-Forwarded_Host", HOST),
        ("X_Forwarded.Uri", URI),
        ("X~Forwarded-Uri", URI),
        ("X_Forwarded_For", "X-Forwarded-For"),
        ("REMOTE_USER", "Remote-User"),
        ("Remote.User", "Remote-User"),
        ("Remote!User", "Remote-User"),
        ("X_WebAuth-Groups", "X-WebAuth-Groups"),
    ],
)
def test_alias_is_refused_by_name(alias: str, meant: str) -> None:
    """The header, what it could be taken for and the remedy are named (V-14)."""
    error = _refusal(FakeHeaders(*HEADERS.lines, (alias, "x")))

    assert (error.header, error.reason) == (alias, "header_alias")
    assert meant in str(error)
    assert "docs/proxies/sample.md" in str(error)


@pytest.mark.parametrize("mark", "!#$%&'*+.^_`|~")
def test_every_mark_of_a_header_name_makes_an_alias(mark: str) -> None:
    """Servers that write an underscore for any mark are not left open (V-14)."""
    error = _refusal(HEADERS.beside([(f"Remote{mark}User", "root")]))

    assert error.reason == "header_alias"


def test_alias_refuses_beside_and_in_place_of_the_header() -> None:
    """It never matters which of the two an application would take (V-14)."""
    alone = FakeHeaders(("X_Forwarded_Host", "app.example.com"), (URI, "/"))

    for headers in (alone, HEADERS.beside([("X_Forwarded_Host", "evil.test")])):
        assert _refusal(headers).reason == "header_alias"


@pytest.mark.parametrize(
    "name",
    [
        "Remote-User",
        "X-Forwarded-For",
        "X_Request_Id",
        "X_Original_URL",
        "Remote_Users",
    ],
)
def test_name_that_nobody_confuses_is_left_alone(name: str) -> None:
    """The names themselves are the proxy's affair, and other marks are harmless."""
    assert FAMILY.read(HEADERS.beside([(name, "x")])) == FAMILY.read(HEADERS)
