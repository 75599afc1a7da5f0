"""The pages of a logout: asked for, done, and not done yet.

Law: a page says that something has ended only when it has.
"""

from forwardauth.domains import Origin
from forwardauth.web.frame import Frame
from forwardauth.web.language_switch import Place
from forwardauth.web.page_content import EndedScope


class LogoutPages:
    """The part of ``Pages`` that signs people out."""

    _frame: Frame

    def signed_out(
        self,
        *,
        language: str,
        ended: EndedScope,
        login_url: str,
        everywhere_url: str | None = None,
        is_at_home: bool = True,
    ) -> str:
        """Return the logout page: what was ended, what was not, and "sign in again".

        It takes no target: one that was refused is neither shown nor linked. Nobody is
        known here any more, so *everywhere_url* leads through a sign-in to the list
        where one ends the other sessions. The switch of languages leads to
        ``/signed-out``; *is_at_home* is whether a visit there would say the same.
        """
        # Without a logout there is none to tell of, and a visit would claim one.
        can_return = is_at_home and ended is not EndedScope.NOTHING
        here = Place(path="/signed-out") if can_return else None
        return self._frame.render(
            "logout.html",
            language,
            here=here,
            ended=ended,
            login_url=login_url,
            everywhere_url=everywhere_url,
        )

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
            language: See ``Pages``.
            csrf_token: For the form.
            target: A checked target, kept in the form as ``rd``.
            action: Absolute URL of the portal's ``/logout``.
            username: Who is signed in; ``None`` when the request does not show it.
        """
        return self._frame.render(
            "confirm.html",
            language,
            csrf_token=csrf_token,
            target=target,
            logout_action=action,
            username=username,
        )

    def logout_pending(self, *, language: str, portal: Origin | None = None) -> str:
        """Return the page for 503: the cookie is gone, the server side is not yet."""
        return self._frame.render("pending.html", language, portal)
