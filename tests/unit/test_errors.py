"""The error tree: what each error carries to its catcher."""

from datetime import timedelta

import pytest

from forwardauth.errors import (
    ConfigError,
    CredentialsError,
    CsrfError,
    ForwardAuthError,
    ProxyRequestError,
    StoreUnavailableError,
    ThrottledError,
    UnfitIdentityError,
    UnsafeTargetError,
    UntrustedProxyError,
)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError([]),
        ProxyRequestError("Host", "header_missing", "is missing"),
        UntrustedProxyError(),
        UnfitIdentityError("identity_too_long", "is too long"),
        CredentialsError(),
        ThrottledError(timedelta(seconds=1)),
        CsrfError(),
        UnsafeTargetError("empty", "is empty"),
        StoreUnavailableError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_belongs_to_the_tree(error: Exception) -> None:
    """One ``except`` catches all that is raised on purpose, and no two are alike."""
    assert isinstance(error, ForwardAuthError)
    assert type(error).__mro__[1] is ForwardAuthError


def test_outage_is_no_error_of_the_system() -> None:
    """A catcher of ``OSError`` cannot take an outage of the store for a lost file."""
    assert not issubclass(StoreUnavailableError, OSError)


def test_all_problems_of_a_configuration_are_told() -> None:
    """Every problem is kept, and printed on a line of its own in the order found."""
    error = ConfigError(["a: wrong", "b: worse"])

    assert error.problems == ("a: wrong", "b: worse")
    assert str(error).splitlines() == ["a: wrong", "b: worse"]


def test_problems_do_not_change_after_the_error() -> None:
    """The list that was collected may be used on."""
    found: list[object] = ["a: wrong"]
    error = ConfigError(found)

    found.append("b: later")

    assert error.problems == ("a: wrong",)


def test_malformed_request_names_its_header() -> None:
    """Whoever sets up the proxy reads which header is meant."""
    error = ProxyRequestError("X-Forwarded-Uri", "header_missing", "is missing")

    assert (error.header, error.reason) == ("X-Forwarded-Uri", "header_missing")
    assert str(error).startswith("X-Forwarded-Uri: ")


def test_refused_target_has_a_stable_reason() -> None:
    """Logs and metrics count by reason."""
    error = UnsafeTargetError("host_not_allowed", "is below no cookie domain")

    assert error.reason == "host_not_allowed"


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (timedelta(seconds=-5), timedelta(seconds=1)),
        (timedelta(0), timedelta(seconds=1)),
        (timedelta(milliseconds=1), timedelta(seconds=1)),
        (timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta(minutes=5), timedelta(minutes=5)),
    ],
    ids=["past", "nothing", "a moment", "a second", "minutes"],
)
def test_throttled_client_waits_a_second_at_least(
    wait: timedelta, told: timedelta
) -> None:
    """``Retry-After: 0`` would invite the next attempt at once."""
    assert ThrottledError(wait).retry_after == told
