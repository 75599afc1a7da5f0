"""What stands beside a target: where it is read, and what kind of a request asks."""

from ipaddress import ip_network

import pytest

from forwardauth.adapters.base import Adapter, RequestKind
from forwardauth.adapters.headers import TARGET_HEADERS
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.kinds import KIND_HEADERS
from forwardauth.adapters.registry import create_adapters
from forwardauth.web.heads import Heads
from forwardauth.web.said import OTHERS, Endpoint, Sayings, classify_said

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


def test_what_is_said_is_told_apart_by_its_names() -> None:
    """The browser's address, what tells the kind, and what the adapter reads (V-29)."""
    heads = Heads(
        [*OTHERS, "X-Original-Method", "X-Original-URL"], asking=TARGET_HEADERS
    )
    sayings = Sayings(heads, [ip_network("127.0.0.0/8")])
    nginx = next(each for each in ADAPTERS if each.name == "nginx")
    head = heads.read(
        b"GET /verify/nginx HTTP/1.1\r\nHost: auth\r\nAccept: text/html\r\n"
        b"X-Purpose: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Original-Method: PUT\r\n"
        b"X-Original-URL: https://app.example.com/\r\n\r\n"
    )
    assert head is not None

    said = sayings.lookup(Endpoint(nginx, "/verify/nginx"), head, "127.0.0.1")

    assert said is not None
    assert str(said.client) == "192.0.2.1"
    assert said.values == {
        "accept": "text/html",
        "x-purpose": "x",
        "x-forwarded-for": "192.0.2.1",
        "x-original-method": "PUT",
    }
    assert dict(zip(KIND_HEADERS, said.kind_values, strict=True)) == {
        **dict.fromkeys(KIND_HEADERS),
        "Accept": "text/html",
        "X-Purpose": "x",
    }
    assert said.size == sum(map(len, said.values.values()))
    assert sayings.kind(said, "GET") is RequestKind.NAVIGATION
    assert sayings.kind(said, "PUT") is RequestKind.FETCH


def test_values_stand_in_the_order_of_the_kind_headers() -> None:
    """Each is read as the header that it is of (V-29)."""
    by_name = dict.fromkeys(KIND_HEADERS)
    page = {**by_name, "Accept": "text/html"}
    program = {**page, "X-Requested-With": "XMLHttpRequest"}

    assert classify_said("GET", tuple(page.values())) is RequestKind.NAVIGATION
    assert classify_said("GET", tuple(program.values())) is RequestKind.FETCH
