"""The states that pages are written for."""

import pytest

from forwardauth.web.page_content import EndedScope, ErrorKind, LoginFailure
from tests.support.html import check_page
from tests.support.pages import error, login, signed_out


def test_every_error_kind_has_its_own_words() -> None:
    """No kind of error falls to the text of another."""
    headings = {check_page(error(kind)).find("h1").text for kind in ErrorKind}

    assert len(headings) == len(ErrorKind)


def test_every_login_failure_has_its_own_words() -> None:
    """No failure to sign in reads like another."""
    pages = [check_page(login(failure=failure)) for failure in LoginFailure]

    alerts = {page.find("div", role="alert").text for page in pages}
    assert len(alerts) == len(LoginFailure)


@pytest.mark.parametrize("ended", EndedScope)
def test_no_scope_claims_what_another_does(ended: EndedScope) -> None:
    """Each scope of a logout has a status that none of the others shows."""
    status = check_page(signed_out(ended=ended)).find("div", role="status").text

    others = [check_page(signed_out(ended=e)).text for e in EndedScope if e != ended]
    assert all(status not in other for other in others)
