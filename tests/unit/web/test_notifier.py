"""Applications are told of every end, and nobody waits for them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from forwardauth.clock import SystemClock
from forwardauth.sessions.ids import Digest, Handle
from forwardauth.sessions.model import EndCause, Session
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web import keys
from forwardauth.web.audit import AuditLog
from forwardauth.web.logout_tokens import LogoutTokens, login_id_of
from forwardauth.web.metrics import NOTIFICATIONS, Metrics
from forwardauth.web.notice_delivery import Pace, pause_seconds
from forwardauth.web.notifier import LogoutNotifier
from tests.support.certificates import create_certificates
from tests.support.clock import START, FakeClock
from tests.support.portal import HASH, PASSWORD, Portal
from tests.support.receiver import Receiver
from tests.support.repository import ROOT

SECRET = b"a secret of thirty-two characters"
DIGEST = Digest(bytes(32))
AT_ONCE = Pace(pause_seconds=lambda _: 0.0, grace_seconds=5.0)


def session(login: str, username: str = "alice") -> Session:
    """Return a session of *login*."""
    return Session(
        handle=Handle("0" * 32),
        login=login,
        username=username,
        domain="example.com",
        credential=(),
        methods=("pwd",),
        level=1,
        created=START,
        absolute=START + timedelta(hours=24),
        idle=None,
        seen=START,
        remembered=False,
        address="192.0.2.1",
        user_agent="test",
    )


def tokens_of(issuer: str) -> LogoutTokens:
    """Return what signs as *issuer*."""
    return LogoutTokens(SECRET, issuer=issuer, clock=FakeClock())


class Office:
    """A notifier with what it needs, and what it has counted."""

    def __init__(self, *urls: str, pace: Pace = AT_ONCE) -> None:
        clock = FakeClock()
        self._metrics = Metrics()
        self.notifier = LogoutNotifier(
            audit=AuditLog(self._metrics), clock=clock, pace=pace
        )
        self.notifier.change(urls, tokens_of("https://auth.example.com"))

    def end(self, login: str) -> None:
        """End the session of *login*."""
        self.notifier.session_ended(session(login), DIGEST, EndCause.USER)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Send meanwhile, and at the end what is left."""
        running = aiter(self.notifier.run(None))
        await anext(running)
        try:
            yield
        finally:
            with pytest.raises(StopAsyncIteration):
                await anext(running)

    @property
    def results(self) -> dict[str, int]:
        """How many notices came to which end."""
        return {r: count for (r,), count in self._metrics.samples(NOTIFICATIONS)}


def sids(*logins: str) -> list[str]:
    """Return the public ids of *logins*."""
    return [login_id_of(login) for login in logins]


async def arrived(receiver: Receiver, count: int) -> list[str]:
    """Return the public ids of the next *count* notices."""
    return [(await receiver.next()).claims["sid"] for _ in range(count)]


async def test_an_application_gets_one_form_with_one_token() -> None:
    """As Back-Channel Logout 1.0, 2.5, has it."""
    async with Receiver() as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")
            got = await receiver.next()

    assert (got.method, got.path) == ("POST", "/notify")
    assert got.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["User-Agent"] == "forwardauth"
    assert got.claims["aud"] == receiver.origin
    assert got.claims["sub"] == "alice"
    assert got.claims["sid"] == login_id_of("a")
    assert office.results == {"sent": 1}


@pytest.mark.parametrize("status", [200, 204])
async def test_both_successes_count(status: int) -> None:
    """Frameworks answer an empty body with either."""
    async with Receiver(status) as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")

    assert receiver.answered == 1
    assert office.results == {"sent": 1}


@pytest.mark.parametrize("status", [201, 202, 301, 307, 401, 404, 429, 500, 503])
async def test_another_answer_is_asked_again(status: int) -> None:
    """Until the application takes it, with a new token each time."""
    async with Receiver(status, status, 200) as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")
            tokens = [(await receiver.next()).claims for _ in range(3)]

    assert {token["sid"] for token in tokens} == set(sids("a"))
    assert len({token["jti"] for token in tokens}) == 3
    assert receiver.is_untouched
    assert office.results == {"sent": 1}


async def test_a_refused_token_is_not_sent_again() -> None:
    """400 says that it was understood; the next notice is the next login's."""
    async with Receiver(400, 200) as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")
            office.end("b")

            assert await arrived(receiver, 2) == sids("a", "b")

    assert receiver.is_untouched
    assert office.results == {"failed": 1, "sent": 1}


@pytest.mark.parametrize(
    ("is_trusted", "result"),
    [pytest.param(True, "sent", id="trusted"), pytest.param(False, "failed", id="not")],
)
async def test_certificate_must_be_of_an_authority_of_the_system(
    is_trusted: bool, result: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those in ``SSL_CERT_FILE`` count when the service runs, not when it is loaded."""
    certificates = create_certificates(tmp_path, "127.0.0.1")
    authorities = certificates.authority if is_trusted else "/dev/null"
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))

    async with Receiver(certificates=certificates) as receiver:
        office = Office(receiver.url, pace=Pace(attempts=1))
        async with office.open():
            office.end("a")

    assert office.results == {result: 1}


async def test_attempts_have_an_end() -> None:
    """An application that always fails is told as often as agreed, and no more."""
    pauses: list[int] = []

    def pause(failures: int) -> float:
        pauses.append(failures)
        return 0.0

    async with Receiver(500) as receiver:
        office = Office(receiver.url, pace=Pace(attempts=3, pause_seconds=pause))
        async with office.open():
            office.end("a")
            await arrived(receiver, 3)

    assert receiver.is_untouched
    assert pauses == [1, 2]
    assert office.results == {"failed": 1}


async def test_a_redirect_is_not_followed() -> None:
    """An application cannot send us, and the token, somewhere else."""
    async with (
        Receiver() as other,
        Receiver(307, headers={"Location": other.url}) as first,
    ):
        office = Office(first.url, pace=Pace(attempts=1))
        async with office.open():
            office.end("a")
            await first.next()

    assert other.is_untouched
    assert office.results == {"failed": 1}


async def test_a_body_without_end_is_not_read() -> None:
    """The status is the answer; the next notice does not wait for the rest."""
    async with Receiver(is_endless=True) as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")
            office.end("b")

            assert await arrived(receiver, 2) == sids("a", "b")

    assert office.results == {"sent": 2}


async def test_what_one_login_fails_with_delays_no_other() -> None:
    """Its retry waits an hour, and the next login is told of at once."""
    pace = Pace(pause_seconds=lambda _: 3600.0)
    async with Receiver(500, 200) as receiver:
        office = Office(receiver.url, pace=pace)
        async with office.open():
            office.end("a")
            await receiver.next()
            office.end("b")

            assert await arrived(receiver, 1) == sids("b")

    assert office.results == {"sent": 2}


async def test_a_dead_and_a_slow_application_delay_no_other() -> None:
    """Each has a queue and a task of its own."""
    dead = f"http://127.0.0.1:{unused_port()}/"
    pace = Pace(pause_seconds=lambda _: 3600.0)
    async with Receiver(is_held=True) as slow, Receiver() as well:
        office = Office(dead, slow.url, well.url, pace=pace)
        async with office.open():
            office.end("a")
            await slow.next()
            office.end("b")

            assert await arrived(well, 2) == sids("a", "b")
            assert slow.answered == 0
            slow.released.set()

    assert office.results == {"sent": 4, "dropped": 2}


async def test_an_application_that_does_not_answer_is_given_up() -> None:
    """The attempt counts as failed, and the notice is sent again."""
    pace = Pace(timeout_seconds=0.05, pause_seconds=lambda _: 0.0)
    async with Receiver(is_held=True) as receiver:
        office = Office(receiver.url, pace=pace)
        async with office.open():
            office.end("a")

            assert await arrived(receiver, 2) == sids("a", "a")
            receiver.released.set()

    assert office.results == {"sent": 1}


async def test_the_oldest_is_dropped_where_too_many_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A dead application costs a bounded amount of memory, and says so."""
    caplog.set_level(logging.INFO)
    async with Receiver(is_held=True) as receiver:
        office = Office(receiver.url, pace=Pace(capacity=2))
        async with office.open():
            office.end("a")
            await receiver.next()
            for login in "bcd":
                office.end(login)
            lines = [r.getMessage() for r in caplog.records if "dropped" in r.message]
            receiver.released.set()

            assert await arrived(receiver, 2) == sids("c", "d")

    assert len(lines) == 1
    assert "reason=queue_full" in lines[0]
    assert f"sid={login_id_of('b')}" in lines[0]
    assert office.results == {"sent": 3, "dropped": 1}


async def test_what_is_left_is_sent_at_the_end() -> None:
    """A stop right after a logout loses no notice; a retry is not waited for."""
    pace = Pace(pause_seconds=lambda _: 3600.0)
    async with Receiver(500, 200) as receiver:
        office = Office(receiver.url, pace=pace)
        async with office.open():
            office.end("a")
            await receiver.next()
            office.end("b")
            await receiver.next()
            office.end("c")

        assert await arrived(receiver, 2) == sids("c", "a")

    assert office.results == {"sent": 3}


async def test_a_stop_does_not_wait_for_the_dead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What could not be sent is told, the notice under way included."""
    caplog.set_level(logging.INFO)
    async with Receiver(is_held=True) as receiver:
        office = Office(receiver.url, pace=Pace(grace_seconds=0.01))
        async with office.open():
            office.end("a")
            await receiver.next()
            office.end("b")

    assert office.results == {"dropped": 2}
    assert caplog.text.count("reason=stopped") == 2


async def test_a_record_that_nobody_can_read_is_told_to_nobody() -> None:
    """There is no user to name."""
    async with Receiver() as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.notifier.session_ended(None, DIGEST, EndCause.IDLE)

    assert receiver.is_untouched
    assert office.results == {}


async def test_a_begin_and_a_pending_end_are_told_to_nobody() -> None:
    """The store has ended nothing yet."""
    async with Receiver() as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.notifier.session_created(session("a"), DIGEST)
            office.notifier.end_pending(DIGEST, EndCause.USER)

    assert receiver.is_untouched


async def test_an_application_keeps_its_queue_through_a_change() -> None:
    """What waits for it is sent, and signed by whoever signs from then on."""
    async with Receiver(500, 200) as receiver:
        office = Office(
            receiver.url, pace=Pace(pause_seconds=lambda _: 0.05, grace_seconds=5.0)
        )
        async with office.open():
            office.end("a")
            await receiver.next()
            office.notifier.change([receiver.url], tokens_of("https://new.example.com"))
            again = await receiver.next()

    assert again.claims["sid"] == login_id_of("a")
    assert again.claims["iss"] == "https://new.example.com"
    assert office.results == {"sent": 1}


async def test_who_is_told_changes_with_the_configuration() -> None:
    """Who is new is told from then on, who is gone what waited and no more."""
    tokens = tokens_of("https://auth.example.com")
    async with Receiver(500, 200) as gone, Receiver() as new:
        office = Office(gone.url, pace=Pace(pause_seconds=lambda _: 3600.0))
        async with office.open():
            office.end("a")
            await gone.next()
            office.notifier.change([new.url], tokens)
            left = await arrived(gone, 1)
            office.end("b")
            told = await arrived(new, 1)

    assert left == sids("a")
    assert told == sids("b")
    assert gone.is_untouched
    assert office.results == {"sent": 2}


async def test_somebody_can_be_told_where_nobody_was() -> None:
    """The first application may come with a change."""
    office = Office()
    async with Receiver() as receiver, office.open():
        office.notifier.change([receiver.url], tokens_of("https://auth.example.com"))
        office.end("a")

        assert await arrived(receiver, 1) == sids("a")


async def test_without_applications_nothing_runs() -> None:
    """The default."""
    office = Office()
    async with office.open():
        office.end("a")

    assert office.results == {}


async def test_logs_hold_no_token_and_no_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever reads them can sign nobody out, and learns no secret of the URL."""
    caplog.set_level(logging.DEBUG)
    async with Receiver(500, 200) as receiver:
        office = Office(f"{receiver.url}?key=hunter2")
        async with office.open():
            office.end("a")
            got = [await receiver.next(), await receiver.next()]

    assert all(each.path == "/notify?key=hunter2" for each in got)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("forwardauth")]
    assert any(f"application={receiver.url}" in line for line in ours)
    assert any("status_500" in line for line in ours)
    assert not any("hunter2" in line for line in ours)
    assert not any(each.token[:20] in line for each in got for line in ours)
    assert not any(re.search(r"eyJ[A-Za-z0-9_-]{8}", line) for line in ours)


async def test_an_application_cannot_mark_us() -> None:
    """Cookies that it sets are not kept."""
    async with Receiver(headers={"Set-Cookie": "a=b"}) as receiver:
        # By name: cookies of addresses are dropped by most clients anyway.
        office = Office(receiver.url.replace("127.0.0.1", "localhost"))
        async with office.open():
            office.end("a")
            await receiver.next()
            office.end("b")
            got = await receiver.next()

    assert "Cookie" not in got.headers


async def test_proxies_of_the_environment_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tokens go where the configuration says, and through nobody else's hands."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    async with Receiver() as receiver:
        office = Office(receiver.url)
        async with office.open():
            office.end("a")

            assert await arrived(receiver, 1) == sids("a")


@pytest.mark.parametrize(
    ("failures", "longest"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (1000, 60.0)],
)
def test_pauses_double_up_to_a_minute(failures: int, longest: float) -> None:
    """Between a half and the whole, so that instances do not come back together."""
    assert pause_seconds(failures, lambda: 0.0) == longest / 2
    assert pause_seconds(failures, lambda: 1.0) == longest
    assert longest / 2 <= pause_seconds(failures) <= longest


# The whole service, with applications that listen.


def notify(*receivers: Receiver) -> str:
    """Return the lines of ``config.yaml`` that name *receivers*."""
    return f"logout:\n  notify: [{', '.join(r.url for r in receivers)}]\n"


async def log_out(portal: Portal, cookie: str) -> int:
    """Log out as a back end does, and return the status."""
    return (
        await portal.send("POST", "/api/logout", headers=JSON, cookie=cookie)
    ).status


JSON = (("Content-Type", "application/json"),)
HOUR = timedelta(hours=1)
End = Callable[[Portal, str, Session], Coroutine[Any, Any, object]]


async def _user(portal: Portal, cookie: str, _: Session) -> None:
    await log_out(portal, cookie)


async def _admin(portal: Portal, _cookie: str, live: Session) -> None:
    await portal.app[keys.REVOKER].revoke_user(live.username, cause=EndCause.ADMIN)


async def _idle_found_by_a_request(portal: Portal, cookie: str, _: Session) -> None:
    move(portal, HOUR)
    await portal.verify(cookie)


async def _absolute_found_by_the_sweep(portal: Portal, *_: object) -> None:
    move(portal, timedelta(days=1))
    await portal.app[keys.REVOKER].sweep()


async def _new_password(portal: Portal, *_: object) -> None:
    other = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA"
    other += "$t5QLzMlfSPLMezb1X/hRw1bKTTpryM1JhqBpLyqseOw"
    await edit(portal, HASH, other)


async def _disabled(portal: Portal, *_: object) -> None:
    await edit(portal, "groups: [dev, ops]", "disabled: true")


async def _removed(portal: Portal, *_: object) -> None:
    await edit(portal, "  alice:", "  alicia:")


async def _replaced(portal: Portal, cookie: str, _: Session) -> None:
    body = f'{{"username": "bob", "password": "{PASSWORD}"}}'.encode()
    reply = await portal.post_json("/api/firstfactor", body, cookie=cookie)
    assert reply.status == 200


def move(portal: Portal, by: timedelta) -> None:
    """Let time pass."""
    assert isinstance(portal.clock, FakeClock)
    portal.clock.advance(by)


async def edit(portal: Portal, old: str, new: str) -> None:
    """Replace the first *old* in the users file, and let the service see it."""
    text = portal.users.read_text("utf-8")
    portal.users.write_text(text.replace(old, new, 1), "utf-8")
    await portal.app[keys.USERS].reload()


ENDS: dict[str, End] = {
    "user": _user,
    "admin": _admin,
    "idle": _idle_found_by_a_request,
    "absolute": _absolute_found_by_the_sweep,
    "password-changed": _new_password,
    "disabled": _disabled,
    "removed": _removed,
    "replaced": _replaced,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_every_end_is_told(tmp_path: Path, end: End) -> None:
    """Whatever the cause, with the time at which it ended."""
    async with (
        Receiver() as receiver,
        Portal(tmp_path, extra=notify(receiver)) as portal,
    ):
        cookie, live = await portal.create_session()
        await end(portal, cookie, live)
        claims = (await receiver.next()).claims
        now = portal.clock.now()

    assert claims["iss"] == "https://auth.example.com"
    assert claims["sub"] == "alice"
    assert claims["sid"] == login_id_of(live.login)
    assert claims["toe"] == int(now.timestamp())
    assert receiver.is_untouched


class LinkedSlowly(MemoryStore):
    """Takes a while between the session that is presented and those linked to it."""

    async def delete_login(self, login: str) -> tuple[Entry, ...]:
        """Let everybody else run first."""
        for _ in range(50):
            await asyncio.sleep(0)
        return await super().delete_login(login)


async def test_a_login_on_two_domains_is_told_once(tmp_path: Path) -> None:
    """Linked sessions end together; another login's end is the next notice."""
    async with (
        Receiver() as receiver,
        Portal(tmp_path, extra=notify(receiver), store=LinkedSlowly()) as portal,
    ):
        cookie, first = await portal.create_session()
        await portal.create_session(domain="example.org", linked_to=first)
        other, second = await portal.create_session("bob")

        await log_out(portal, cookie)
        await log_out(portal, other)

        assert await arrived(receiver, 2) == sids(first.login, second.login)
    assert receiver.is_untouched


async def test_every_login_of_a_user_is_told(tmp_path: Path) -> None:
    """Logging out everywhere ends several logins, and each has its notice."""
    async with (
        Receiver() as receiver,
        Portal(tmp_path, extra=notify(receiver) + "  scope: user\n") as portal,
    ):
        cookie, first = await portal.create_session()
        _, second = await portal.create_session()

        await log_out(portal, cookie)

        assert set(await arrived(receiver, 2)) == set(sids(first.login, second.login))


async def test_of_two_instances_one_tells(tmp_path: Path) -> None:
    """Both find the session expired, and the store gives its end to one of them."""
    store, clock = MemoryStore(), FakeClock()
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver())
        portals = []
        for name in ("a", "b"):
            folder = tmp_path / name
            folder.mkdir()
            portal = Portal(folder, extra=notify(receiver), store=store, clock=clock)
            portals.append(await stack.enter_async_context(portal))
        cookie, live = await portals[0].create_session()
        clock.advance(HOUR)

        await asyncio.gather(*(portal.verify(cookie) for portal in portals))

        assert await arrived(receiver, 1) == sids(live.login)
    assert receiver.is_untouched


async def test_a_logout_waits_for_no_application(tmp_path: Path) -> None:
    """It is answered while one application is dead and another has not answered."""
    dead = f"http://127.0.0.1:{unused_port()}/"
    async with Receiver(is_held=True) as slow:
        extra = f"logout:\n  notify: ['{dead}', '{slow.url}']\n"
        async with Portal(tmp_path, extra=extra) as portal:
            for _ in range(3):
                cookie, _session = await portal.create_session()

                assert await log_out(portal, cookie) == 200
                assert (await portal.verify(cookie)).status == 401
            await slow.next()
            assert slow.answered == 0
            slow.released.set()


async def test_the_documented_application_ends_its_sessions(tmp_path: Path) -> None:
    """The listing in the documentation works as it stands, with the published key."""
    page = (ROOT / "docs/logout-notifications.md").read_text("utf-8")
    (listing,) = re.findall("(?s)```python\n(.*?)```", page)
    application: dict[str, Any] = {"__name__": "application"}
    exec(compile(listing, "listing", "exec"), application)  # noqa: S102 - our own page
    began = application["time"].time()
    sessions = application["sessions"]
    sessions |= {"1": ("alice", began), "2": ("bob", began), "3": ("alice", began + 90)}
    ended = asyncio.Event()

    @web.middleware
    async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        ended.set()
        return response

    application["app"].middlewares.append(watch)
    async with TestServer(application["app"]) as server:
        application["AUDIENCE"] = str(server.make_url("/")).rstrip("/")
        url = server.make_url("/logout/notify")
        extra = f"logout: {{notify: ['{url}']}}\n"
        async with Portal(tmp_path, extra=extra, clock=SystemClock()) as portal:
            application["KEYS_URL"] = portal.url("/.well-known/jwks.json")
            cookie, _ = await portal.create_session()

            await log_out(portal, cookie)
            await asyncio.wait_for(ended.wait(), timeout=5)

            assert sessions.keys() == {"2", "3"}
