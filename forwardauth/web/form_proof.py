"""Proof that a form post came from a page of ours, and the token for the next form.

Law: a session cookie that was merely presented proves a logout and nothing else. A
sibling host can plant one, and knows its token from our own confirmation page.
"""

from dataclasses import dataclass

from aiohttp import web

from forwardauth.domains import CookieDomain
from forwardauth.errors import CsrfError
from forwardauth.sessions.ids import Digest, digests_of
from forwardauth.web import keys
from forwardauth.web.cookies import presession_cookie, read_cookies
from forwardauth.web.csrf import PRESESSION_LIFETIME, Presession
from forwardauth.web.forwarded import get_host
from forwardauth.web.intent import Provenance, judge_provenance


def has_form_token(request: web.Request, domain: CookieDomain, token: str) -> bool:
    """Whether *token* was made for this browser's session or pre-session, live or not.

    For logout alone, which a sibling host may ask for as well.
    """
    name = request.app[keys.SETTINGS].cookie_name
    return request.app[keys.TOKENS].is_valid(
        token,
        presession=lookup_presession(request, domain),
        digests=digests_of(read_cookies(request.headers, name)),
    )


def has_login_token(request: web.Request, domain: CookieDomain, token: str) -> bool:
    """Whether *token* was made for this browser's pre-session."""
    name = presession_cookie(request.app[keys.SETTINGS].cookie_name, domain).name
    tokens = request.app[keys.TOKENS]
    presession = tokens.lookup_presession(read_cookies(request.headers, name))
    return tokens.is_valid(token, presession=presession, digests=())


def has_session_token(request: web.Request, digest: Digest, token: str) -> bool:
    """Whether *token* was made for the one live session, *digest*, of this browser."""
    tokens = request.app[keys.TOKENS]
    return tokens.is_valid(token, presession=None, digests=(digest,))


def check_own_form(
    request: web.Request,
    domain: CookieDomain,
    token: str,
    *,
    session: Digest | None = None,
) -> None:
    """Return when the post comes from a form of ours.

    A token that is missing or has run out is made up for by a browser that says itself
    where the post comes from; an older browser shows the form once more. Nothing makes
    up for the token of another session: the form shows what somebody else might do.

    Args:
        request: The post.
        domain: Whose portal was asked.
        token: What the form holds.
        session: The live session that the form was made for; ``None`` for the login
            form, which is bound to the pre-session.

    Raises:
        CsrfError: It does not show that. Source: OWASP, login CSRF.
    """
    domains = request.app[keys.SETTINGS].domains
    provenance = judge_provenance(
        request.headers, host=get_host(request), domains=domains
    )
    is_same_origin = request.headers.getall("Sec-Fetch-Site", []) == ["same-origin"]
    is_vouched_for = is_same_origin and provenance is Provenance.PROVEN
    if session is None:
        is_ours = is_vouched_for or has_login_token(request, domain, token)
    elif token:
        is_ours = has_session_token(request, session, token)
    else:
        is_ours = is_vouched_for
    if not is_ours:
        raise CsrfError("the form has no valid token")


def lookup_presession(request: web.Request, domain: CookieDomain) -> Presession | None:
    """Return the valid pre-session that the browser sent, if there is one."""
    shape = presession_cookie(request.app[keys.SETTINGS].cookie_name, domain)
    presented = read_cookies(request.headers, shape.name)
    return request.app[keys.TOKENS].lookup_presession(presented)


def get_presession(
    request: web.Request, domain: CookieDomain
) -> tuple[Presession, tuple[str, ...]]:
    """Return the browser's pre-session, or a new one with the line that sets it."""
    found = lookup_presession(request, domain)
    if found is not None:
        return found, ()
    presession = request.app[keys.TOKENS].create_presession()
    shape = presession_cookie(request.app[keys.SETTINGS].cookie_name, domain)
    return presession, (shape.set_line(presession.value, max_age=PRESESSION_LIFETIME),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormToken:
    """A token for a form, with the cookie line that it needs, if any."""

    value: str
    cookies: tuple[str, ...] = ()


def get_form_token(request: web.Request, domain: CookieDomain) -> FormToken:
    """Return a token bound to the session, or to a pre-session that may be new.

    Anonymous visitors get a signed cookie and nothing is stored for them.
    """
    name = request.app[keys.SETTINGS].cookie_name
    tokens = request.app[keys.TOKENS]
    digests = digests_of(read_cookies(request.headers, name))
    if digests:
        return FormToken(value=tokens.token_for_session(digests[0]))
    return get_login_token(request, domain)


def get_login_token(request: web.Request, domain: CookieDomain) -> FormToken:
    """Return a token for the login form: bound to the pre-session in any case."""
    presession, cookies = get_presession(request, domain)
    value = request.app[keys.TOKENS].token_for_presession(presession)
    return FormToken(value=value, cookies=cookies)
