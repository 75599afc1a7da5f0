"""JSON or a page: what ``Accept`` says."""

import pytest
from aiohttp.test_utils import make_mocked_request

from forwardauth.web.preferences import wants_json


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json, */*", True),
        ("application/json, text/html", False),
        ("application/json, text/html;q=0.9", True),
        ("text/html, application/json;q=0.9", False),
        ("application/problem+json", False),
    ],
)
def test_json_is_for_who_names_it(accept: str | None, is_json: bool) -> None:
    """JSON is asked for by name, and HTML wins where both are wanted alike (L-51)."""
    headers = {} if accept is None else {"Accept": accept}

    request = make_mocked_request("GET", "/logout", headers=headers)

    assert wants_json(request) is is_json


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;q=0",
        "application/json; Q = 0.000",
        "application/json-seq",
        "text/x-application/json",
        "x" * 5000 + ", text/html",
        ";;,,;",
    ],
    ids=lambda accept: accept[:30],
)
def test_odd_headers_do_no_harm(accept: str) -> None:
    """What is refused by weight, has another name or no form, is not JSON."""
    request = make_mocked_request("GET", "/logout", headers={"Accept": accept})

    assert wants_json(request) is False
