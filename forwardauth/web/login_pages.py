"""The pages on the way in: the form, and the step between two others.

Law: where the form leads is an address of ours, which looks at the target once more. No
script decides it.
"""

from datetime import timedelta
from math import ceil
from urllib.parse import quote

from forwardauth.web.frame import Frame
from forwardauth.web.language_switch import Place
from forwardauth.web.page_content import LoginFailure, round_up


class LoginPages:
    """The part of ``Pages`` that signs people in."""

    _frame: Frame
    _remember_me: timedelta | None

    def login(
        self,
        *,
        language: str,
        csrf_token: str,
        target: str | None,
        method: str | None,
        username: str,
        failure: LoginFailure | None,
        retry_after: timedelta | None,
        destination_host: str | None,
        remembered: bool = False,
        link: str = "",
    ) -> str:
        """Return the login page.

        Args:
            language: See ``Pages``.
            csrf_token: For the form.
            target: Kept in the form as ``rd``; not shown.
            method: Kept in the form as ``rm``; not shown.
            username: What was typed before, empty at first.
            failure: Why the page is shown again, ``None`` at first.
            retry_after: With ``THROTTLED``: the wait; it is rounded up, never down.
            destination_host: Host of a checked target, ``None`` when there is none.
            remembered: Whether "stay signed in" was ticked before.
            link: Kept in the form: the signed request of another portal, if any.
        """
        return self._frame.render(
            "login.html",
            language,
            here=Place(path="/login", target=target, method=method, link=link),
            login_action=self._frame.path("/login"),
            state_url=self._frame.path("/api/state"),
            next_url=self._next_url(target, link),
            csrf_token=csrf_token,
            target=target,
            method=method,
            username=username,
            failure=failure,
            wait=None if retry_after is None else round_up(retry_after),
            wait_seconds=retry_after and ceil(retry_after.total_seconds()),
            destination_host=destination_host,
            remember_me=self._remember_me,
            remembered=remembered,
            link=link,
        )

    def go_on(self, *, language: str, url: str, has_failed: bool = False) -> str:
        """Return the page between two steps of signing in, with a link to the next.

        Args:
            language: See ``Pages``.
            url: Checked, or a page of ours.
            has_failed: Whether the step before did not work, so that one begins anew.
        """
        return self._frame.render(
            "go_on.html", language, url=url, has_failed=has_failed
        )

    def _next_url(self, target: str | None, link: str) -> str:
        """Return what leads on as soon as the browser is signed in, by another tab."""
        if link:
            return f"{self._frame.path('/link')}?state={quote(link, safe='')}"
        if target is None:
            return self._frame.path("/login")
        rd = quote(target, safe="", errors="replace")
        return f"{self._frame.path('/login')}?rd={rd}"
