"""The logins of the one who asks: what "my sessions" lists, on the page and in JSON.

Law: the sessions that one login has on several cookie domains are one to their user.
They began together, they expire together, and they end together.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from forwardauth.sessions.ids import Handle
from forwardauth.sessions.model import Session
from forwardauth.web import keys
from forwardauth.web.account_pages import Person, SignInRow
from forwardauth.web.devices import parse_user_agents
from forwardauth.web.identity import Identity
from forwardauth.web.page_content import SessionRow
from forwardauth.web.sign_in_log import SignInResult


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLogin:
    """One login of a user.

    Attributes:
        handle: Of its first session; ends them all.
        created: When the user signed in.
        seen: Last recorded use on any domain.
        domains: The cookie domains that it reaches, the first one first.
        address: The client's, at login.
        user_agent: The client's, at login, as sent.
        remembered: Whether the user asked to stay signed in.
        is_current: Whether it is the login that asks.
    """

    handle: Handle
    created: datetime
    seen: datetime
    domains: tuple[str, ...]
    address: str
    user_agent: str
    remembered: bool
    is_current: bool


async def list_own(request: web.Request, identity: Identity) -> tuple[OwnLogin, ...]:
    """Return the live logins of *identity*, the last used first.

    Raises:
        StoreUnavailableError: The store did not answer.
    """
    found = await request.app[keys.SESSIONS].list_user(identity.user.username)
    by_login: dict[str, list[Session]] = {}
    for live in found:
        by_login.setdefault(live.session.login, []).append(live.session)
    return tuple(_login_of(each, identity) for each in by_login.values())


def is_current(session: Session, identity: Identity) -> bool:
    """Whether *session* is the one that asks, or is linked to it."""
    return session.login == identity.live.session.login


def person_of(request: web.Request, identity: Identity) -> Person:
    """Return *identity* as the pages show it, with a token for its forms."""
    return Person(
        username=identity.user.username,
        display_name=identity.user.display_name,
        csrf_token=request.app[keys.TOKENS].token_for_session(identity.live.digest),
    )


async def name_devices(logins: Sequence[OwnLogin]) -> tuple[SessionRow, ...]:
    """Return *logins* as rows of a page, each with its device in words.

    In a thread: the first call of a process compiles the rules for it.
    """
    told = [login.user_agent for login in logins]
    devices = await asyncio.to_thread(parse_user_agents, told)
    return tuple(
        SessionRow(
            handle=login.handle,
            created=login.created,
            seen=login.seen,
            address=login.address,
            user_agent=login.user_agent,
            device=device,
            domains=login.domains,
            is_current=login.is_current,
            remembered=login.remembered,
        )
        for login, device in zip(logins, devices, strict=True)
    )


async def list_sign_ins(
    request: web.Request, identity: Identity
) -> tuple[SignInRow, ...]:
    """Return the last sign-ins of *identity* as rows of a page, the last one first.

    Raises:
        StoreUnavailableError: The store did not answer.
    """
    found = await request.app[keys.SIGN_INS].list_recent(identity.user.username)
    told = [each.user_agent for each in found]
    devices = await asyncio.to_thread(parse_user_agents, told)
    return tuple(
        SignInRow(
            at=each.at,
            is_success=each.result is SignInResult.SUCCESS,
            address=each.address,
            device=device,
        )
        for each, device in zip(found, devices, strict=True)
    )


def _login_of(sessions: Iterable[Session], identity: Identity) -> OwnLogin:
    """Return *sessions* as one: all of them are of one login."""
    in_order = sorted(sessions, key=lambda each: each.created)
    first = in_order[0]
    return OwnLogin(
        handle=first.handle,
        created=first.created,
        seen=max(each.seen for each in in_order),
        domains=tuple(dict.fromkeys(each.domain for each in in_order)),
        address=first.address,
        user_agent=first.user_agent,
        remembered=first.remembered,
        is_current=is_current(first, identity),
    )
