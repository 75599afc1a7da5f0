"""The portal's pages: values in, one complete HTML document out.

Each page is one method. What it may say is decided here and in its template; whether it
is true is decided by the handler that calls it. Law: a page claims no more than has
happened, and shows nothing of a request but what its arguments name, escaped.

The pages need these paths of the portal: ``/`` and ``/login``, and ``POST /sessions``
with ``csrf_token`` and ``end``, a session's handle or ``others`` or ``all``.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from forwardauth.clock import Clock, SystemClock
from forwardauth.domains import Origin
from forwardauth.web.assets import Assets
from forwardauth.web.languages import LANGUAGES, load_languages
from forwardauth.web.page_content import (
    DEFAULT_TITLE,
    EndedScope,
    ErrorKind,
    LoginFailure,
    SessionRow,
    round_up,
)
from forwardauth.web.renderer import Renderer

__all__ = ["EndedScope", "ErrorKind", "LoginFailure", "Pages", "SessionRow"]


class Pages:
    """Renders the portal's pages.

    Every method takes *language* as ``languages.negotiate`` returned it. Those that may
    be shown on a protected host take *portal*: links to style sheet and pages are then
    absolute, and the answer's CSP has to allow that origin for styles and images.

    Args:
        title: Heading of the login page, and name of the site on all others.
            ``DEFAULT_TITLE`` is translated, and names nothing elsewhere.
        templates: Folder whose files replace the shipped templates; ``None`` for none.
        base_path: Where the portal lives: empty, ``/``, or ``/`` and a path.
        assets: The static files.
        remember_me: How long such a session lives; ``None`` takes the checkbox away.
        clock: For "5 minutes ago"; the machine's when not given.
    """

    def __init__(
        self,
        *,
        title: str,
        templates: Path | None,
        base_path: str,
        assets: Assets,
        remember_me: timedelta | None,
        clock: Clock | None = None,
    ) -> None:
        self._site_name = "" if title == DEFAULT_TITLE else title
        self._renderer = Renderer(templates)
        self._base_path = base_path.rstrip("/")
        self._assets = assets
        self._remember_me = remember_me
        self._clock = clock or SystemClock()
        self._languages = load_languages()

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
            language: See the class.
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
        return self._render(
            "login.html",
            language,
            login_action=f"{self._base_path}/login",
            csrf_token=csrf_token,
            target=target,
            method=method,
            username=username,
            failure=failure,
            wait=None if retry_after is None else round_up(retry_after),
            destination_host=destination_host,
            remember_me=self._remember_me,
            remembered=remembered,
            link=link,
        )

    def go_on(self, *, language: str, url: str, has_failed: bool = False) -> str:
        """Return the page between two steps of signing in, with a link to the next.

        Args:
            language: See the class.
            url: Checked, or a page of ours.
            has_failed: Whether the step before did not work, so that one begins anew.
        """
        return self._render("go_on.html", language, url=url, has_failed=has_failed)

    def signed_out(self, *, language: str, ended: EndedScope, login_url: str) -> str:
        """Return the logout page: what was ended, what was not, and "sign in again".

        It takes no target: one that was refused is neither shown nor linked.
        """
        return self._render("logout.html", language, ended=ended, login_url=login_url)

    def confirm_logout(
        self,
        *,
        language: str,
        csrf_token: str,
        target: str | None,
        action: str,
        username: str | None,
    ) -> str:
        """Return the page whose one button signs out; nothing has ended yet.

        Args:
            language: See the class.
            csrf_token: For the form.
            target: A checked target, kept in the form as ``rd``.
            action: Absolute URL of the portal's ``/logout``.
            username: Who is signed in; ``None`` when the request does not show it.
        """
        return self._render(
            "confirm.html",
            language,
            csrf_token=csrf_token,
            target=target,
            logout_action=action,
            username=username,
        )

    def logout_pending(self, *, language: str, portal: Origin | None = None) -> str:
        """Return the page for 503: the cookie is gone, the server side is not yet."""
        return self._render("pending.html", language, portal)

    def home(
        self,
        *,
        language: str,
        csrf_token: str,
        username: str,
        display_name: str,
        sessions: Sequence[SessionRow],
        logout_action: str,
    ) -> str:
        """Return "my sessions", with the form that signs out."""
        return self._render(
            "sessions.html",
            language,
            sessions_action=f"{self._base_path}/sessions",
            csrf_token=csrf_token,
            username=username,
            display_name=display_name,
            sessions=sessions,
            logout_action=logout_action,
            now=self._clock.now(),
        )

    def error(
        self,
        *,
        language: str,
        status: int,
        kind: ErrorKind,
        reference: str | None,
        portal: Origin | None = None,
    ) -> str:
        """Return an error page: constant text, *status*, and our own *reference*."""
        return self._render(
            "error.html",
            language,
            portal,
            status=status,
            kind=kind,
            reference=reference,
        )

    def forbidden(
        self,
        *,
        language: str,
        username: str,
        host: str,
        logout_action: str,
        switch_url: str | None,
        csrf_token: str | None,
        portal: Origin | None = None,
    ) -> str:
        """Return the page for a signed-in user whom the rules do not let pass.

        *host* is where the browser wanted to go, *logout_action* the absolute URL of
        the portal's ``/logout``: a link, or with *csrf_token* a form. *switch_url*
        signs out and leads back to where they are now; ``None`` if nothing does.
        """
        return self._render(
            "forbidden.html",
            language,
            portal,
            username=username,
            host=host,
            logout_action=logout_action,
            switch_url=switch_url,
            csrf_token=csrf_token,
        )

    def _render(
        self,
        name: str,
        language: str,
        portal: Origin | None = None,
        **values: object,
    ) -> str:
        origin = "" if portal is None else str(portal)
        context = {
            "language": self._languages.get(language, self._languages[LANGUAGES[0]]),
            "site_name": self._site_name,
            "home_url": f"{origin}{self._base_path}/",
            "asset": partial(self._assets.url, origin=origin),
            **values,
        }
        html = self._renderer.render(name, context)
        # Half a surrogate pair, as a lenient decoder leaves it, has no UTF-8 form.
        return html.encode("utf-8", "replace").decode("utf-8")
