"""From cookies to a person, who has to be allowed to sign in at this very moment."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from forwardauth.domains import CookieDomain
from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.ids import Digest, SessionId, create_session_id, digest_of
from forwardauth.sessions.lifetimes import Login
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.users.stamps import stamp_of
from forwardauth.web import keys
from forwardauth.web.identity import Identity, subject_of
from tests.support.portal import COOKIE, HASH, USERS, Portal
from tests.support.users import ARGON2ID, make_user

LOGIN = Login(
    username="alice",
    domain="example.com",
    credential=(stamp_of(HASH),),
    methods=("pwd",),
    remembered=False,
    address="192.0.2.1",
    user_agent="test",
)
EDITS = {
    "disabled": (
        USERS.replace("displayname: Alice Liddell", "disabled: true"),
        "user_disabled",
    ),
    "removed": (USERS.replace("  alice:", "  alicia:"), "user_removed"),
    "password changed": (USERS.replace(HASH, ARGON2ID, 1), "password_changed"),
}


def domain_of(portal: Portal, name: str = "example.com") -> CookieDomain:
    """Return the cookie domain *name*."""
    found = portal.app[keys.SETTINGS].domains.lookup(name)
    assert found is not None
    return found


async def lookup(
    portal: Portal, *presented: str, domain: str = "example.com"
) -> Identity | None:
    """Return who presents these cookies."""
    return await portal.app[keys.IDENTITIES].lookup(
        presented, domain_of(portal, domain)
    )


async def create(portal: Portal, login: Login = LOGIN) -> SessionId:
    """Begin a session without asking whether the user exists."""
    token, _ = await portal.app[keys.SESSIONS].create(login)
    return token


async def edit_users(portal: Portal, text: str) -> None:
    """Edit the users file, and let the service see it."""
    portal.users.write_text(text, encoding="utf-8")
    await portal.app[keys.USERS].reload()


async def test_live_session_leads_to_its_user(portal: Portal) -> None:
    """Session, entry of the users file and subject are of one person."""
    token = await create(portal)

    found = await lookup(portal, token)

    assert found is not None
    assert found.live.digest == digest_of(token)
    assert found.user.username == "alice"
    assert found.subject == subject_of(found.user, 1)
    assert found.subject.groups == {"dev", "ops"}
    assert found.subject.display_name == "Alice Liddell"
    assert found.subject.email == "alice@example.com"


def test_subject_has_what_rules_ask_for() -> None:
    """Rules see names, groups and the level that was proven, and nothing secret."""
    user = make_user("alice", groups=("dev", "dev", "ops"))

    subject = subject_of(user, 2)

    assert subject.username == "alice"
    assert subject.groups == {"dev", "ops"}
    assert subject.level == 2
    assert user.password_hash not in repr(subject)


@pytest.mark.parametrize(
    "presented",
    [(), ("",), ("junk", "\udcff"), (create_session_id(),)],
    ids=["none", "empty", "junk", "unknown"],
)
async def test_no_session_is_nobody(portal: Portal, presented: tuple[str, ...]) -> None:
    """Whatever names no live session names nobody (V-4)."""
    assert await lookup(portal, *presented) is None


async def test_session_counts_on_its_own_domain_alone(portal: Portal) -> None:
    """A cookie carried to another cookie domain names nobody there (V-8)."""
    token = await create(portal)

    assert await lookup(portal, token, domain="example.org") is None
    assert await lookup(portal, token) is not None


@pytest.mark.parametrize(("text", "cause"), EDITS.values(), ids=EDITS)
async def test_edit_of_the_users_file_ends_the_session(
    portal: Portal, caplog: pytest.LogCaptureFixture, text: str, cause: str
) -> None:
    """Disabled, removed or with another password: signed out, and told (V-7, L-12)."""
    token = await create(portal)
    bob = await create(portal, replace(LOGIN, username="bob"))
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        await edit_users(portal, text)

    assert await lookup(portal, token) is None
    assert await portal.store.load(digest_of(token)) is None
    assert await lookup(portal, bob) is not None
    assert f"event=session_ended reason={cause} user=alice" in caplog.text


@pytest.mark.parametrize(("text", "_cause"), EDITS.values(), ids=EDITS)
async def test_session_does_not_come_back(
    portal: Portal, text: str, _cause: str
) -> None:
    """When the edit is undone, one has to sign in again (V-7)."""
    token = await create(portal)
    await edit_users(portal, text)

    await edit_users(portal, USERS)

    assert await lookup(portal, token) is None


OUTDATED = {
    "user disabled": (replace(LOGIN, username="carol"), "user_disabled"),
    "user removed": (replace(LOGIN, username="mallory"), "user_removed"),
    "other spelling": (replace(LOGIN, username="ALICE"), "user_removed"),
    "old password": (replace(LOGIN, credential=("0" * 32,)), "password_changed"),
    "no credential": (replace(LOGIN, credential=()), "password_changed"),
}


@pytest.mark.parametrize(("login", "cause"), OUTDATED.values(), ids=OUTDATED)
async def test_lookup_ends_what_is_outdated(
    portal: Portal, caplog: pytest.LogCaptureFixture, login: Login, cause: str
) -> None:
    """What changed while the service was down counts at the next lookup (V-7, L-12)."""
    token = await create(portal, login)
    with caplog.at_level(logging.INFO, "forwardauth.audit"):
        found = await lookup(portal, token)

    assert found is None
    assert await portal.store.load(digest_of(token)) is None
    assert f"event=session_ended reason={cause} user={login.username}" in caplog.text


@pytest.mark.parametrize(("login", "_cause"), OUTDATED.values(), ids=OUTDATED)
async def test_outdated_session_passes_nothing(
    portal: Portal, login: Login, _cause: str
) -> None:
    """Verify refuses it, and the portal shows the login page (V-7)."""
    token = await create(portal, login)
    other = await create(portal, login)

    verified = await portal.verify(token)
    state = await portal.send("GET", "/api/state", cookie=other)

    assert verified.status == 401
    assert state.json()["data"]["username"] == ""


async def test_change_of_groups_counts_at_once(portal: Portal) -> None:
    """Nothing of the user is kept in the session (V-7)."""
    token = await create(portal)
    before = await portal.verify(token, host="ops.example.com")
    await edit_users(portal, USERS.replace("groups: [dev, ops]", "groups: [dev]"))

    after = await portal.verify(token, host="ops.example.com")

    assert (before.status, after.status) == (200, 403)


async def test_two_persons_at_once_are_nobody(portal: Portal) -> None:
    """Of two live sessions in one request neither counts, nor ends (V-5)."""
    alice = await create(portal)
    bob = await create(portal, replace(LOGIN, username="bob"))

    together = await lookup(portal, alice, bob)

    assert together is None
    assert await lookup(portal, alice) is not None
    assert await lookup(portal, bob) is not None


class FaultyStore(MemoryStore):
    """A store that fails the calls that a test names."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: set[str] = set()

    def _check(self, call: str) -> None:
        if call in self.failing:
            raise StoreUnavailableError("the store is down")

    def peek(self, digest: Digest) -> Row | None:
        if "load" in self.failing:
            raise NoGlanceError
        return super().peek(digest)

    async def load(self, digest: Digest) -> Entry | None:
        self._check("load")
        return await super().load(digest)

    async def delete(self, digest: Digest) -> Entry | None:
        self._check("delete")
        return await super().delete(digest)


async def test_outage_is_not_signed_out(tmp_path: Path) -> None:
    """When nobody can tell who asks, that is an error, and no answer (V-2)."""
    store = FaultyStore()
    async with Portal(tmp_path, store=store) as portal:
        token = await create(portal)
        store.failing = {"load"}

        with pytest.raises(StoreUnavailableError):
            await lookup(portal, token)
        verified = await portal.verify(token)

    assert verified.status == 503
    assert verified.lines("Set-Cookie") == []


async def test_nobody_is_looked_up_without_a_cookie(tmp_path: Path) -> None:
    """Anonymous traffic does not even ask the store."""
    store = FaultyStore()
    store.failing = {"load", "delete"}
    async with Portal(tmp_path, store=store) as portal:
        found = await lookup(portal)
        verified = await portal.verify(
            None, host="public.example.com", headers=[("Cookie", f"{COOKIE}=junk")]
        )

    assert found is None
    assert verified.status == 200


async def test_outdated_session_is_refused_although_it_cannot_be_ended(
    tmp_path: Path,
) -> None:
    """The store takes no deletion: nobody gets in, and it is made up for (L-9)."""
    store = FaultyStore()
    async with Portal(tmp_path, store=store) as portal:
        token = await create(portal, replace(LOGIN, credential=()))
        store.failing = {"delete"}

        first = await lookup(portal, token)
        second = await lookup(portal, token)
        store.failing = set()
        await portal.app[keys.REVOKER].retry_pending()

        assert (first, second) == (None, None)
        assert await store.load(digest_of(token)) is None
