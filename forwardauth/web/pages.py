"""The portal's pages: values in, one complete HTML document out.

Each page is one method. What it may say is decided here and in its template; whether it
is true is decided by the handler that calls it. Law: a page claims no more than has
happened, and shows nothing of a request but what its arguments name, escaped.

The pages need these paths of the portal: ``/`` and ``/login``; ``account_pages`` names
those of somebody who is signed in.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from forwardauth.clock import Clock, SystemClock
from forwardauth.domains import Origin
from forwardauth.language_tags import LANGUAGES
from forwardauth.web.account_pages import AccountPages
from forwardauth.web.assets import Assets
from forwardauth.web.frame import FooterLink, Frame
from forwardauth.web.login_pages import LoginPages
from forwardauth.web.logout_pages import LogoutPages
from forwardauth.web.page_content import (
    EndedScope,
    ErrorKind,
    LoginFailure,
    SessionRow,
    Visitor,
)

__all__ = [
    "EndedScope",
    "ErrorKind",
    "LoginFailure",
    "Pages",
    "SessionRow",
    "Visitor",
]


class Pages(LoginPages, LogoutPages, AccountPages):
    """Renders the portal's pages.

    Every method takes *language* as ``language_of`` returned it. Those that may
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
        footer: Links at the foot of every page.
        languages: Tags of what can be chosen there; with one there is no switch.
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
        footer: Sequence[FooterLink] = (),
        languages: Sequence[str] = LANGUAGES,
    ) -> None:
        self._remember_me = remember_me
        self._clock = clock or SystemClock()
        self._frame = Frame(
            title=title,
            templates=templates,
            base_path=base_path,
            assets=assets,
            footer=footer,
            languages=languages,
        )

    def prepare(self) -> None:
        """Do what the first page would wait for; blocks, so call it in a thread."""
        self._frame.prepare()

    def error(
        self,
        *,
        language: str,
        status: int,
        kind: ErrorKind,
        reference: str | None,
        visitor: Visitor | None = None,
        portal: Origin | None = None,
    ) -> str:
        """Return an error page: constant text, *status*, and our own *reference*.

        *visitor* is who sees it, if they are signed in.
        """
        return self._frame.render(
            "error.html",
            language,
            portal,
            status=status,
            kind=kind,
            reference=reference,
            visitor=visitor,
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
        reference: str | None = None,
        portal: Origin | None = None,
    ) -> str:
        """Return the page for somebody whom the rules do not let pass.

        Args:
            language: See the class.
            username: Who is signed in; empty for nobody.
            host: Where the browser wanted to go.
            logout_action: Absolute URL of the portal's ``/logout``.
            switch_url: Signs out and leads back to where they are now, if anything.
            csrf_token: For a form that signs out; ``None`` makes a link of it.
            reference: Stands in the line of the log that has the reason.
            portal: See the class.
        """
        return self._frame.render(
            "forbidden.html",
            language,
            portal,
            username=username,
            host=host,
            logout_action=logout_action,
            switch_url=switch_url,
            csrf_token=csrf_token,
            reference=reference,
        )
