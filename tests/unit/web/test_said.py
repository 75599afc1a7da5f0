"""What stands beside a target: where it is read, and what kind of a request asks."""

from collections import Counter

import pytest

from forwardauth.adapters.base import Adapter, RequestKind
from forwardauth.adapters.headers import TARGET_HEADERS
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.kinds import KIND_HEADERS
from forwardauth.adapters.registry import create_adapters
from forwardauth.web.said import Endpoint, Said, classify_said

ADAPTERS = create_adapters(IdentityHeaders())


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda each: each.name)
def test_target_stands_in_one_header_or_in_our_own(adapter: Adapter) -> None:
    """Each adapter reads it from one place, and it is known from which (V-12)."""
    found = Endpoint(adapter, adapter.paths[0])

    assert len(TARGET_HEADERS.intersection(adapter.header_names)) == (
        0 if adapter.appends_target else 1
    )
    assert (found.uri_name == "") is adapter.appends_target
    assert found.uri_name in ({""} | {name.lower() for name in adapter.header_names})
    assert {found.uri_name, *found.names} >= {
        name.lower() for name in adapter.header_names
    }
    assert found.uri_name not in found.names
    assert "x-forwarded-for" in found.names


def test_kind_is_found_once_for_each_method() -> None:
    """A page that is sent and one that is asked for may be two kinds of requests."""
    asked: Counter[str] = Counter()

    def kind_of(method: str, values: tuple[str | None, ...]) -> RequestKind:
        asked[method] += 1
        return classify_said(method, values)

    said = Said(
        endpoint=Endpoint(ADAPTERS[0], "/verify"),
        method="GET",
        values={"accept": "text/html"},
        client=None,
        kind_of=kind_of,
    )

    kinds = [said.kind(method) for method in ("GET", "PUT", "GET", "PUT")]

    assert said.size == len("text/html")
    assert kinds == [RequestKind.NAVIGATION, RequestKind.FETCH] * 2
    assert asked == {"GET": 1, "PUT": 1}


def test_values_stand_in_the_order_of_the_kind_headers() -> None:
    """Each is read as the header that it is of (V-29)."""
    by_name = dict.fromkeys(KIND_HEADERS)
    page = {**by_name, "Accept": "text/html"}
    program = {**page, "X-Requested-With": "XMLHttpRequest"}

    assert classify_said("GET", tuple(page.values())) is RequestKind.NAVIGATION
    assert classify_said("GET", tuple(program.values())) is RequestKind.FETCH
