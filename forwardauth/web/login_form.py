"""The login form: what it keeps, and how it is shown again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import ProxyRequestError
from forwardauth.redirects import SafeTarget
from forwardauth.request import parse_method
from forwardauth.web import keys
from forwardauth.web.answers import RETRY_AFTER_SECONDS, page
from forwardauth.web.form_proof import get_login_token
from forwardauth.web.pages import LoginFailure
from forwardauth.web.preferences import language_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginForm:
    """What the form keeps when it is shown again.

    Attributes:
        target: Where the login leads.
        method: Of the request that was stopped, ``None`` when it is not known.
        username: As typed.
        remember_me: Whether it was ticked.
        link: The signed request of another portal, as text; empty when there is none.
    """

    target: SafeTarget | None
    method: str | None
    username: str = ""
    remember_me: bool = False
    link: str = ""


_STATUS: Final = {
    LoginFailure.CREDENTIALS: 401,
    LoginFailure.EXPIRED: 403,
    LoginFailure.THROTTLED: 429,
    LoginFailure.UNAVAILABLE: 503,
}


def show_login_form(
    request: web.Request,
    domain: CookieDomain,
    form: LoginForm,
    failure: LoginFailure | None,
    retry_after: timedelta | None = None,
) -> web.Response:
    """Return the login page, with what was typed before and why it did not work.

    Args:
        request: Decides the language; its pre-session binds the form.
        domain: Whose portal was asked.
        form: What the form keeps.
        failure: Why it is shown again; ``None`` at first. Decides the status.
        retry_after: With ``THROTTLED``: the wait.
    """
    token = get_login_token(request, domain)
    html = request.app[keys.PAGES].login(
        language=language_of(request),
        csrf_token=token.value,
        target=form.target,
        method=form.method,
        username=form.username,
        failure=failure,
        retry_after=retry_after,
        destination_host=form.target and urlsplit(form.target).hostname,
        remembered=form.remember_me,
        link=form.link,
    )
    headers: list[tuple[str, str]] = []
    if retry_after is not None:
        headers.append(("Retry-After", str(int(retry_after.total_seconds()) + 1)))
    elif failure is LoginFailure.UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    status = 200 if failure is None else _STATUS[failure]
    return page(
        html,
        status=status,
        cookies=token.cookies,
        headers=headers,
        referrer="same-origin",
        origin=domain.portal,
        has_script=True,
    )


def lookup_method(text: str) -> str | None:
    """Return *text* when it is a method that we know; it is for the page alone."""
    try:
        return parse_method(text, header="rm")
    except ProxyRequestError:
        return None
