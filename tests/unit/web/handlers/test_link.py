"""One login on two unrelated domains: the way there, and every way to misuse it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from forwardauth.sessions.ids import digest_of, parse_session_id
from forwardauth.sessions.model import EndCause
from forwardauth.sessions.store import Entry
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.web import keys
from tests.support.client import Reply
from tests.support.clock import FakeClock
from tests.support.cookies import CookieJar
from tests.support.html import check_page
from tests.support.portal import COOKIE, PASSWORD, Portal

HOME = "auth.example.com"
OTHER = "login.example.org"
OTHER_APP = "app.example.org"
TARGET = f"https://{OTHER_APP}/x?a=1&b=%2F"
START = f"https://{OTHER}/login?rd=https%3A%2F%2F{OTHER_APP}%2Fx%3Fa%3D1%26b%3D%252F"


class Browser:
    """Follows our redirects from portal to portal, with its cookies."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.jar = CookieJar()
        self.visited: list[str] = []

    async def open(self, url: str, *, site: str | None = None) -> Reply:
        """Open *url* and no other."""
        parts = urlsplit(url)
        headers = [] if site is None else [("Sec-Fetch-Site", site)]
        if cookies := self.jar.header(parts.netloc):
            headers.append(("Cookie", cookies))
        path = parts.path + ("?" + parts.query if parts.query else "")
        reply = await self.portal.send("GET", path, host=parts.netloc, headers=headers)
        self.jar.update(parts.netloc, reply.lines("Set-Cookie"))
        self.visited.append(parts.netloc + parts.path)
        return reply

    async def follow(self, url: str) -> tuple[str, Reply]:
        """Open *url* and go on as long as a portal of ours leads on."""
        for _ in range(8):
            reply = await self.open(url)
            if reply.status != 303:
                return url, reply
            url = reply.header("Location")
            if urlsplit(url).netloc not in {HOME, OTHER}:
                return url, reply
        raise AssertionError(f"round in circles: {self.visited}")

    async def sign_in(self, page: Reply, host: str = HOME) -> Reply:
        """Fill in the form of *page* and send it."""
        fields = check_page(page.body.decode()).find("main").find("form").fields()
        reply = await self.portal.post_form(
            "/login",
            {**fields, "username": "alice", "password": PASSWORD}.items(),
            host=host,
            headers=[("Cookie", self.jar.header(host))],
        )
        self.jar.update(host, reply.lines("Set-Cookie"))
        return reply

    def session_on(self, host: str) -> str | None:
        """Return the session id that *host* would be sent."""
        pairs = (part.partition("=") for part in self.jar.header(host).split("; "))
        return next((value for name, _, value in pairs if name == COOKIE), None)


@pytest.fixture
def browser(portal: Portal) -> Browser:
    """A browser without cookies."""
    return Browser(portal)


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser whose session cookies are strict."""
    extra = "  same_site: strict\n"
    async with Portal(tmp_path, session=extra) as portal:
        yield Browser(portal)


async def sign_in_on_both(browser: Browser) -> tuple[str, str]:
    """Sign in once, by way of the other domain; return both session ids."""
    _, form = await browser.follow(START)
    await browser.sign_in(form)
    await browser.follow(START)
    home, other = browser.session_on(HOME), browser.session_on(OTHER_APP)
    assert home is not None
    assert other is not None
    return home, other


async def code_for(browser: Browser) -> str:
    """Go as far as the URL that takes the code, without opening it."""
    reply = await browser.open((await browser.open(START)).header("Location"))
    return reply.header("Location")


async def test_sign_in_is_asked_for_at_home(browser: Browser) -> None:
    """Another portal has no form of its own: one redirect leads to the home portal."""
    url, reply = await browser.follow(START)

    page = check_page(reply.body.decode())
    assert urlsplit(url).netloc == HOME
    assert browser.visited == [f"{OTHER}/login", f"{HOME}/link"]
    assert "Continue to app.example.org" in page.text


async def test_anonymous_browser_costs_the_store_nothing(browser: Browser) -> None:
    """Whoever is not signed in leaves no record on the way."""
    await browser.follow(START)

    assert await browser.portal.store.count() == 0


async def test_one_login_counts_on_both_domains(browser: Browser) -> None:
    """One password makes a session at home and a linked one, and leads to the target.

    The target arrives byte for byte as it was asked for (L-38).
    """
    _, form = await browser.follow(START)
    reply = await browser.sign_in(form)
    url, _ = await browser.follow(reply.header("Location"))

    portal = browser.portal
    assert url == TARGET
    for host in ("app.example.com", OTHER_APP):
        verified = await portal.verify(browser.session_on(host), host=host)
        assert (verified.status, verified.header("Remote-User")) == (200, "alice")


async def test_who_is_signed_in_at_home_is_not_asked_again(browser: Browser) -> None:
    """Three redirects and no page lie between the other domain and its session."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    browser.visited.clear()

    url, _ = await browser.follow(START)

    assert url == TARGET
    assert browser.visited == [f"{OTHER}/login", f"{HOME}/link", f"{OTHER}/link/finish"]


@pytest.mark.parametrize("host", [HOME, OTHER])
async def test_logout_on_either_domain_ends_both(browser: Browser, host: str) -> None:
    """Linked sessions end together, whichever domain the logout came from (L-14)."""
    tokens = await sign_in_on_both(browser)
    portal = browser.portal

    await portal.send("GET", "/logout", host=host, cookie=browser.session_on(host))

    home = await portal.verify(tokens[0], host="app.example.com")
    other = await portal.verify(tokens[1], host=OTHER_APP)
    assert (home.status, other.status) == (401, 401)
    assert await portal.store.count() == 0


async def use_for_longer_than_the_idle_timeout(browser: Browser, *hosts: str) -> None:
    """Use the applications on *hosts*, and nothing else, for two hours."""
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    for _ in range(4):
        clock.advance(timedelta(minutes=30))
        for host in hosts:
            reply = await browser.portal.verify(browser.session_on(host), host=host)
            assert reply.status == 200
        await browser.portal.app[keys.SESSIONS].close()
    await browser.portal.app[keys.REVOKER].sweep()
    for host in ("app.example.com", OTHER_APP):
        reply = await browser.portal.verify(browser.session_on(host), host=host)
        assert reply.status == 200


@pytest.mark.parametrize(
    ("used", "left"),
    [
        pytest.param(OTHER_APP, HOME, id="used elsewhere"),
        pytest.param("app.example.com", OTHER, id="used at home"),
    ],
)
async def test_logout_where_nothing_was_used_for_long_ends_both(
    browser: Browser, used: str, left: str
) -> None:
    """A logout on the domain that lay idle is done on the used one, too (L-1, L-14)."""
    tokens = await sign_in_on_both(browser)
    await use_for_longer_than_the_idle_timeout(browser, used)
    portal = browser.portal

    await portal.send("GET", "/logout", host=left, cookie=browser.session_on(left))

    home = await portal.verify(tokens[0], host="app.example.com")
    other = await portal.verify(tokens[1], host=OTHER_APP)
    assert (home.status, other.status) == (401, 401)
    assert await portal.store.count() == 0


async def test_no_visit_links_again_after_a_logout_where_nothing_was_used(
    browser: Browser,
) -> None:
    """Who signed out elsewhere is asked for the password again (L-1, L-14)."""
    await sign_in_on_both(browser)
    await use_for_longer_than_the_idle_timeout(browser, "app.example.com")
    portal = browser.portal
    await portal.send("GET", "/logout", host=OTHER, cookie=browser.session_on(OTHER))

    url, reply = await browser.follow(START)

    assert urlsplit(url).netloc == HOME
    field = check_page(reply.body.decode()).find("input", name="password")
    assert field.attributes["type"] == "password"


async def test_next_user_at_home_ends_the_login_of_the_one_before(
    browser: Browser,
) -> None:
    """Bob's sign-in where alice had lain idle leaves her nowhere signed in (L-14)."""
    _, other = await sign_in_on_both(browser)
    await use_for_longer_than_the_idle_timeout(browser, OTHER_APP)
    portal = browser.portal
    reply = await portal.post_form(
        "/login",
        [("username", "bob"), ("password", PASSWORD)],
        headers=[("Sec-Fetch-Site", "same-origin"), ("Origin", f"https://{HOME}")],
        cookie=browser.session_on(HOME),
    )

    verified = await portal.verify(other, host=OTHER_APP)

    assert reply.status == 303
    assert reply.lines("Set-Cookie")
    assert verified.status == 401


async def test_login_idles_out_on_both_domains_at_once(browser: Browser) -> None:
    """A login that nobody used for the timeout is over everywhere (L-58)."""
    home, other = await sign_in_on_both(browser)
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(minutes=60))

    first = await browser.portal.verify(home, host="app.example.com")
    second = await browser.portal.verify(other, host=OTHER_APP)

    assert (first.status, second.status) == (401, 401)


async def test_linked_session_counts_on_its_domain_alone(browser: Browser) -> None:
    """A cookie of one domain is worth nothing on the other (V-8)."""
    home, other = await sign_in_on_both(browser)

    wrong = await browser.portal.verify(home, host=OTHER_APP)
    other_way = await browser.portal.verify(other, host="app.example.com")

    assert (wrong.status, other_way.status) == (401, 401)


async def test_linked_session_ends_with_the_login_it_continues(
    browser: Browser,
) -> None:
    """A linked session does not live longer than the login: absolute timeout (L-58)."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(minutes=50))
    await browser.follow(START)
    entries = [entry async for entry in browser.portal.store.list_all()]

    sessions = await browser.portal.app[keys.SESSIONS].list_user("alice")

    assert len(entries) == 2
    assert len({live.session.absolute for live in sessions}) == 1
    assert len({live.session.login for live in sessions}) == 1


async def test_remembered_login_is_remembered_on_the_other_domain(
    browser: Browser,
) -> None:
    """The linked cookie outlives the browser as long as the login does."""
    _, form = await browser.follow(START)
    fields = check_page(form.body.decode()).find("main").find("form").fields()
    reply = await browser.portal.post_form(
        "/login",
        {
            **fields,
            "username": "alice",
            "password": PASSWORD,
            "remember_me": "1",
        }.items(),
        headers=[("Cookie", browser.jar.header(HOME))],
    )
    browser.jar.update(HOME, reply.lines("Set-Cookie"))

    finish = await code_for(browser)
    reply = await browser.open(finish)

    assert "; Max-Age=2592000; " in reply.lines("Set-Cookie")[0]


async def test_code_is_used_once(browser: Browser) -> None:
    """A second browser tab, or a thief with the cookie, gets nothing for it."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    presession = browser.jar.header(OTHER)
    await browser.open(finish)
    before = await browser.portal.store.count()

    parts = urlsplit(finish)
    again = await browser.portal.send(
        "GET",
        f"{parts.path}?{parts.query}",
        host=OTHER,
        headers=[("Cookie", presession)],
    )

    assert again.status == 403
    assert not again.lines("Set-Cookie")
    assert await browser.portal.store.count() == before


async def test_code_goes_out_of_date_after_a_minute(browser: Browser) -> None:
    """A code that was kept is worth nothing, and the page offers to begin anew."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(seconds=60))

    reply = await browser.open(finish)

    page = check_page(reply.body.decode())
    (link,) = page.find_all("a", class_="button primary")
    assert reply.status == 403
    assert link.attributes["href"].startswith(f"https://{OTHER}/login?rd=https%3A")
    assert browser.session_on(OTHER_APP) is None


async def test_code_is_bound_to_the_browser_that_asked(browser: Browser) -> None:
    """Somebody else's code does not sign a victim in to the attacker's account."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    victim = Browser(browser.portal)
    await victim.open(f"https://{OTHER}/login")

    with_own = await victim.open(finish)
    without = await Browser(browser.portal).open(finish)

    assert (with_own.status, without.status) == (403, 403)
    assert victim.session_on(OTHER_APP) is None


async def test_code_is_for_one_domain(browser: Browser) -> None:
    """The home portal does not take a code that it made for another one."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)

    reply = await browser.open(finish.replace(OTHER, HOME))

    assert reply.status == 303
    assert reply.header("Location") == f"https://{HOME}/login"


async def test_code_of_an_ended_login_is_worth_nothing(browser: Browser) -> None:
    """A logout between the code and its use ends the code as well (L-1, L-3)."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    await browser.portal.send("GET", "/logout", cookie=browser.session_on(HOME))

    reply = await browser.open(finish)

    assert reply.status == 403
    assert await browser.portal.store.count() == 0


async def test_code_is_no_session(browser: Browser) -> None:
    """A code in the place of the cookie opens nothing, and ends nothing but itself."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    (code,) = parse_qs(urlsplit(await code_for(browser)).query)["code"]

    for host in ("app.example.com", OTHER_APP):
        reply = await browser.portal.verify(code, host=host)
        assert reply.status == 401


async def test_code_that_nobody_used_is_swept_in_silence(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """An unused code is no session, and its end is not told as one."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    await code_for(browser)
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(seconds=61))
    caplog.set_level("INFO", logger="forwardauth.audit")
    caplog.clear()

    await browser.portal.app[keys.REVOKER].sweep()

    assert await browser.portal.store.count() == 1
    assert not caplog.records


async def test_store_holds_no_code(browser: Browser) -> None:
    """What the store keeps of a handover is a digest (law: no usable secret)."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    (code,) = parse_qs(urlsplit(await code_for(browser)).query)["code"]
    session_id = parse_session_id(code)
    assert session_id is not None

    entry = await browser.portal.store.load(digest_of(session_id))

    assert entry is not None
    assert code.encode() not in entry.record


class OvertakenStore(MemoryStore):
    """A store in which something else happens just before a session is made."""

    def __init__(self) -> None:
        super().__init__()
        self.before_create: Callable[[], Awaitable[object]] | None = None

    async def create(self, entry: Entry) -> bool:
        if self.before_create is not None:
            await self.before_create()
        return await super().create(entry)


async def test_logout_during_the_use_of_a_code_wins(tmp_path: Path) -> None:
    """A login that ends while its code is being used leaves no linked session (L-1)."""
    store = OvertakenStore()
    async with Portal(tmp_path, store=store) as portal:
        browser = Browser(portal)
        _, form = await browser.follow(f"https://{HOME}/login")
        await browser.sign_in(form)
        finish = await code_for(browser)
        home = [browser.session_on(HOME) or ""]
        revoker = portal.app[keys.REVOKER]
        store.before_create = lambda: revoker.revoke(home, cause=EndCause.USER)

        reply = await browser.open(finish)

        assert reply.status == 403
        assert not reply.lines("Set-Cookie")
        assert await portal.store.count() == 0


@pytest.mark.parametrize(
    "state",
    ["", "x", "x.y", "e30.00", "é", "A" * 7_000, "WzFd." + "0" * 64],
    ids=["none", "word", "dotted", "object", "not-ascii", "long", "forged"],
)
@pytest.mark.parametrize(("host", "path"), [(HOME, "link"), (OTHER, "link/finish")])
async def test_forged_state_leads_to_the_login_page(
    browser: Browser, state: str, host: str, path: str
) -> None:
    """What was not signed here leads nowhere but to our own page."""
    url = f"/{path}?state={state}".encode("ascii", "xmlcharrefreplace").decode()

    reply = await browser.portal.send("GET", url, host=host)

    assert (reply.status, reply.header("Location")) == (303, f"https://{host}/login")


async def test_state_goes_out_of_date(browser: Browser) -> None:
    """A state is worth an hour, as the pre-session that it is bound to."""
    link = (await browser.open(START)).header("Location")
    clock = browser.portal.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(hours=1))

    reply = await browser.open(link)

    assert reply.header("Location") == f"https://{HOME}/login"


async def test_refused_target_is_dropped_on_the_way(browser: Browser) -> None:
    """A target elsewhere does not come along; the default of the domain counts."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)

    url, _ = await browser.follow(f"https://{OTHER}/login?rd=https%3A%2F%2Fevil.test")

    assert url == "https://www.example.org/"


async def test_password_is_taken_at_home_alone(browser: Browser) -> None:
    """A form posted to another portal makes no session there, but leads home."""
    reply = await browser.portal.post_form(
        "/login",
        [("username", "alice"), ("password", PASSWORD)],
        host=OTHER,
        headers=[
            ("Sec-Fetch-Site", "same-origin"),
            ("Origin", f"https://{OTHER}"),
        ],
    )

    assert reply.status == 303
    assert reply.header("Location").startswith(f"https://{HOME}/link?state=")
    assert await browser.portal.store.count() == 0


async def test_who_has_a_session_there_already_goes_straight_on(
    browser: Browser,
) -> None:
    """The back button, or a second tab, meets no error."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    await browser.open(finish)

    again = await browser.open(finish)

    assert (again.status, again.header("Location")) == (303, TARGET)


class BesidePlanted(Browser):
    """A browser to which a sibling host of the other domain has given a cookie."""

    def plant(self, session_id: str) -> None:
        """Keep *session_id* for the whole other domain, below another path."""
        line = f"{COOKIE}={session_id}; Domain=example.org; Path=/x"
        self.jar.update(OTHER_APP, [line])

    async def verify(self) -> int:
        """Ask as the proxy of the application does, with all that is kept."""
        headers = [("Cookie", self.jar.header(OTHER_APP))]
        reply = await self.portal.verify(None, host=OTHER_APP, headers=headers)
        return reply.status


async def test_planted_session_ends_when_a_code_is_taken(portal: Portal) -> None:
    """Signing in over a live session ends that one, and goes not round in circles."""
    browser = BesidePlanted(portal)
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    planted, _ = await portal.create_session("bob", domain="example.org")
    second, _ = await portal.create_session("bob", domain="example.org")
    browser.plant(planted)
    browser.jar.update(OTHER, [f"{COOKIE}={second}; Domain=example.org"])

    reply = await browser.open(finish)

    assert (reply.status, reply.header("Location")) == (303, TARGET)
    assert await browser.verify() == 200
    for session_id in (planted, second):
        assert (await portal.verify(session_id, host=OTHER_APP)).status == 401


async def test_session_planted_beside_ones_own_leads_to_one_new_login(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nobody can tell whose request it is, all end and one signs in again."""
    browser = BesidePlanted(portal)
    await sign_in_on_both(browser)
    planted, _ = await portal.create_session("bob", domain="example.org")
    browser.plant(planted)
    refused = await browser.verify()
    caplog.set_level("INFO", logger="forwardauth.audit")

    _, failed = await browser.follow(START)
    left = await portal.store.count()
    _, form = await browser.follow(START)
    reply = await browser.sign_in(form)
    url, _ = await browser.follow(reply.header("Location"))

    assert (refused, failed.status, left) == (401, 403, 0)
    assert url == TARGET
    assert await browser.verify() == 200
    assert caplog.text.count("replaced") >= 3


async def test_code_for_another_browser_ends_nothing(browser: Browser) -> None:
    """Who is led to somebody else's code stays signed in (V-5)."""
    _, form = await browser.follow(f"https://{HOME}/login")
    await browser.sign_in(form)
    finish = await code_for(browser)
    portal = browser.portal
    cookies = [
        f"{COOKIE}={(await portal.create_session('bob', domain='example.org'))[0]}"
        for _ in range(2)
    ]
    before = await portal.store.count()
    parts = urlsplit(finish)

    reply = await portal.send(
        "GET",
        f"{parts.path}?{parts.query}",
        host=OTHER,
        headers=[("Cookie", "; ".join(cookies))],
    )

    assert reply.status == 403
    assert await portal.store.count() == before


async def test_strict_cookies_get_a_page_in_between(strict: Browser) -> None:
    """A strict cookie is sent only where our own page leads, so it does (L-41)."""
    _, form = await strict.follow(f"https://{HOME}/login")
    await strict.sign_in(form)
    link = (await strict.open(START)).header("Location")
    jar, strict.jar = strict.jar, CookieJar()

    withheld = await strict.open(link, site="cross-site")
    strict.jar = jar
    finish = (await strict.open(link, site="same-origin")).header("Location")
    last = await strict.open(finish, site="cross-site")

    check_page(withheld.body.decode())
    assert (withheld.status, withheld.header("Refresh")) == (200, f"0; url={link}")
    assert (last.status, last.header("Refresh")) == (200, f"0; url={TARGET}")
    assert strict.session_on(OTHER_APP) is not None


async def test_strict_cookies_survive_a_link_from_another_site(strict: Browser) -> None:
    """Who comes from another site is recognised by the second look, not asked again."""
    _, form = await strict.follow(f"https://{HOME}/login")
    await strict.sign_in(form)
    url = f"https://{HOME}/login?rd=https%3A%2F%2Fapp.example.com%2F"
    jar, strict.jar = strict.jar, CookieJar()

    withheld = await strict.open(url, site="cross-site")
    strict.jar = jar
    seen = await strict.open(url, site="same-origin")

    assert withheld.header("Refresh") == f"0; url={url}"
    assert seen.header("Location") == "https://app.example.com/"


@pytest.mark.parametrize("path", ["/", "/signed-out"])
async def test_strict_cookies_show_my_sessions_by_the_second_look(
    strict: Browser, path: str
) -> None:
    """A link from another site neither leads astray nor tells of a logout (L-19)."""
    _, form = await strict.follow(f"https://{HOME}/login")
    await strict.sign_in(form)
    jar, strict.jar = strict.jar, CookieJar()

    withheld = await strict.open(f"https://{HOME}{path}", site="cross-site")
    strict.jar = jar
    seen = await strict.open(f"https://{HOME}/", site="same-origin")

    assert withheld.header("Refresh") == f"0; url=https://{HOME}/"
    assert not withheld.lines("Set-Cookie")
    page = check_page(seen.body.decode())
    assert page.find("form", action=f"https://{HOME}/logout").fields()["csrf_token"]
