"""What every adapter that is served keeps, whatever its proxy."""

import pytest

from forwardauth.adapters.base import Adapter, ProxyRequest, Unavailable, Verdict
from forwardauth.adapters.registry import ADAPTERS
from forwardauth.errors import ProxyRequestError
from tests.support.access import DENIALS, PASSES
from tests.support.headers import FakeHeaders


def _names(adapter: Adapter) -> str:
    return adapter.name


def test_names_and_paths_are_no_two_adapters() -> None:
    """A path leads to one dialect, and a name in the logs means one."""
    names = [adapter.name for adapter in ADAPTERS]
    paths = [path for adapter in ADAPTERS for path in adapter.paths]

    assert len(set(names)) == len(names)
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_first_path_is_named_after_the_adapter(adapter: Adapter) -> None:
    """Who knows the proxy knows the address."""
    assert adapter.paths[0] == f"/verify/{adapter.name}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/authz/auth-request", "nginx"),
        ("/api/authz/forward-auth", "traefik"),
        ("/api/authz/ext-authz", "envoy"),
    ],
)
def test_path_of_authelia_leads_to_the_same_dialect(path: str, name: str) -> None:
    """People who come from there keep the configuration of their proxy."""
    assert [adapter.name for adapter in ADAPTERS if path in adapter.paths] == [name]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_request_without_headers_is_refused(adapter: Adapter) -> None:
    """No adapter guesses what its proxy did not say (V-13)."""
    request = ProxyRequest(
        method="GET", target=adapter.paths[0], headers=FakeHeaders(), client=None
    )

    with pytest.raises(ProxyRequestError):
        adapter.read(request)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize("verdict", PASSES.values(), ids=PASSES)
def test_pass_is_exactly_200(adapter: Adapter, verdict: Verdict) -> None:
    """200 and nothing else, with all four identity headers (V-25, V-26)."""
    answer = adapter.answer(verdict)

    names = [name for name, _ in answer.headers if name.startswith("Remote-")]
    assert (answer.status, answer.body) == (200, b"")
    assert names == ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize("verdict", DENIALS.values(), ids=DENIALS)
def test_denial_is_no_success(adapter: Adapter, verdict: Verdict) -> None:
    """2xx is for ``Allowed`` alone, and a denial says nothing of who asked (V-2)."""
    answer = adapter.answer(verdict)

    assert answer.status >= 300
    assert not [name for name, _ in answer.headers if name.startswith("Remote-")]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize(
    "verdict", [*PASSES.values(), *DENIALS.values()], ids=[*PASSES, *DENIALS]
)
def test_no_answer_may_be_kept(adapter: Adapter, verdict: Verdict) -> None:
    """No cache gives one verdict to another request, and nothing validates (V-33)."""
    headers = adapter.answer(verdict).headers

    names = {name for name, _ in headers}
    assert ("Cache-Control", "no-store") in headers
    assert ("Vary", "Cookie, Authorization") in headers
    assert not names & {"ETag", "Last-Modified", "Expires", "Age"}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
@pytest.mark.parametrize(
    "verdict", [*PASSES.values(), *DENIALS.values()], ids=[*PASSES, *DENIALS]
)
def test_no_verdict_touches_the_browser(adapter: Adapter, verdict: Verdict) -> None:
    """No cookie, no cleared site data, no password prompt (V-32, V-34, V-35)."""
    names = {name.lower() for name, _ in adapter.answer(verdict).headers}

    assert not names & {"set-cookie", "clear-site-data", "www-authenticate"}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=_names)
def test_outage_is_503_for_every_proxy(adapter: Adapter) -> None:
    """Nobody is sent to sign in because the store is down (V-2)."""
    answer = adapter.answer(Unavailable())

    names = {name for name, _ in answer.headers}
    assert answer.status == 503
    assert "Retry-After" in names
    assert "Location" not in names
