"""The composition root: what settings become, and how it is opened and closed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from forwardauth.access_control.decision import Decision, Outcome
from forwardauth.access_control.rules import AccessControl
from forwardauth.app import create_applications
from forwardauth.config.load import load_settings
from forwardauth.config.problems import Problem
from forwardauth.errors import ConfigError
from forwardauth.request import OriginalRequest, Subject
from forwardauth.sessions.stores.memory import MemoryStore
from forwardauth.sessions.stores.sqlite import SqliteStore
from forwardauth.web import keys
from forwardauth.web.self_test import SelfTestError
from tests.support.clock import FakeClock
from tests.support.configuration import write_config
from tests.support.html import check_page
from tests.support.portal import CONFIG, USERS, Portal


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Portal]:
    """The service with the configuration of ``tests.support.portal``."""
    async with Portal(tmp_path) as running:
        yield running


def write(folder: Path, *, session: str = "") -> Path:
    """Write users and a configuration with more lines in ``session``."""
    users = folder / "users.yaml"
    users.write_text(USERS, encoding="utf-8")
    users.chmod(0o600)
    mark = 'store: "memory:"\n'
    return write_config(folder, CONFIG.replace(mark, mark + session))


def problem(path: Path) -> Problem:
    """Return the one reason why no applications can be made."""
    with pytest.raises(ConfigError) as caught:
        create_applications(load_settings(path, {}))
    (found,) = caught.value.problems
    assert isinstance(found, Problem)
    return found


def test_nothing_is_opened_before_the_start(tmp_path: Path) -> None:
    """Building makes the journal and the key, and no store."""
    path = write(tmp_path)
    path.write_text(path.read_text().replace("memory:", "sqlite:sessions.db"))

    apps = create_applications(load_settings(path, {}))

    assert isinstance(apps.main[keys.STORE], SqliteStore)
    assert {each.name for each in tmp_path.iterdir()} == {
        "config.yaml",
        "users.yaml",
        "revocations.journal",
        "secret.key",
    }


def test_both_applications_share_what_they_tell_of(tmp_path: Path) -> None:
    """Management counts and asks what the main application uses."""
    apps = create_applications(load_settings(write(tmp_path), {}))

    for key in (keys.METRICS, keys.READINESS, keys.PAGES):
        assert apps.management[key] is apps.main[key]


def test_applications_share_nothing_with_others(tmp_path: Path) -> None:
    """Two services in one process do not count, store or sign for each other."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    one, two = (
        create_applications(load_settings(write(folder), {})).main for folder in folders
    )

    for key in (keys.METRICS, keys.STORE, keys.TOKENS, keys.THROTTLE, keys.USERS):
        assert one[key] is not two[key]
    presession = one[keys.TOKENS].create_presession()
    assert two[keys.TOKENS].lookup_presession((presession.value,)) is None


@pytest.mark.parametrize(
    "place",
    ["no/such/folder/journal", "users.yaml/journal", "."],
    ids=["no folder", "below a file", "a folder"],
)
def test_unusable_journal_is_a_problem(tmp_path: Path, place: str) -> None:
    """A service that forgets what it promised does not start."""
    found = problem(write(tmp_path, session=f"  journal: {place}\n"))

    assert found.place.key == "session.journal"
    assert found.place.source == str(tmp_path / "config.yaml")
    assert found.remedy


def test_unusable_key_is_a_problem(tmp_path: Path) -> None:
    """A signing key that was cut short is never used in silence."""
    path = write(tmp_path)
    (tmp_path / "secret.key").write_bytes(b"short")

    found = problem(path)

    assert found.place.key == "session.secret"
    assert "secret.key" in found.reason


def test_key_is_not_needed_where_a_secret_is_configured(tmp_path: Path) -> None:
    """Machines that share a store share the secret, and keep no file."""
    path = write(tmp_path, session="  secret: 0123456789abcdef0123456789abcdef\n")

    create_applications(load_settings(path, {}))

    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize(
    ("method", "path", "is_management"),
    [
        ("GET", "/login", False),
        ("GET", "/nothing", False),
        ("GET", "/verify/nginx", False),
        ("GET", "/metrics", True),
        ("GET", "/nothing", True),
    ],
)
async def test_no_answer_names_a_version(
    portal: Portal, method: str, path: str, is_management: bool
) -> None:
    """Whoever looks for a hole is not helped, errors included."""
    reply = await portal.send(method, path, is_management=is_management)

    assert reply.lines("Server") == ["forwardauth"]


class ClosingStore(MemoryStore):
    """Memory that says when it was closed."""

    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


async def test_stop_closes_everything_and_leaves_no_work(tmp_path: Path) -> None:
    """Background work ends with the service, and the store is closed last."""
    store = ClosingStore()
    before = asyncio.all_tasks()
    async with Portal(tmp_path, store=store) as portal:
        await portal.create_session()
        is_closed_too_soon = store.is_closed

    assert not is_closed_too_soon
    assert store.is_closed
    assert asyncio.all_tasks() == before


class SeenStore(MemoryStore):
    """Tells when the sessions in it were last used, as it was when it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[datetime] = []

    async def close(self) -> None:
        self.seen = [each.seen async for each in self.list_all()]
        await super().close()


async def test_stop_records_the_uses_that_are_noted(tmp_path: Path) -> None:
    """Who works while the service is restarted is not signed out for it (V-44)."""
    store, clock = SeenStore(), FakeClock()
    async with Portal(tmp_path, store=store, clock=clock) as portal:
        session_id, _ = await portal.create_session()
        clock.advance(timedelta(minutes=30))
        answer = await portal.verify(session_id)

    assert answer.status == 200
    assert store.seen == [clock.now()]


async def test_body_is_bounded(portal: Portal) -> None:
    """A form of more than 64 KiB is read as an empty one (V-42)."""
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    sizes = {"within": 60_000, "above": 70_000}

    replies = {
        name: await portal.send(
            "POST", "/login", headers=[kind], body=b"username=" + b"x" * size
        )
        for name, size in sizes.items()
    }

    assert {reply.status for reply in replies.values()} == {403}
    assert b"xxxx" in replies["within"].body
    assert b"xxxx" not in replies["above"].body


class OpenToAll(AccessControl):
    """Lets everything pass, as a mistake in the program could."""

    def decide(self, subject: Subject, original: OriginalRequest) -> Decision:
        return replace(super().decide(subject, original), outcome=Outcome.ALLOW)


def test_service_whose_locks_do_not_close_is_not_made(tmp_path: Path) -> None:
    """The self-test is part of every start (V-51)."""
    settings = load_settings(write(tmp_path), {})
    broken = OpenToAll(rules=settings.access_control.rules)

    with pytest.raises(SelfTestError):
        create_applications(replace(settings, access_control=broken))


async def test_brand_reaches_the_pages(tmp_path: Path) -> None:
    """Logo, colour and links of the configuration, with no request more for them."""
    (tmp_path / "logo.svg").write_text("<svg/>")
    extra = """
portal:
  logo: logo.svg
  accent: "#00695c"
  footer: [{label: Help, url: "https://help.example.com/"}]
"""
    async with Portal(tmp_path, extra=extra) as portal:
        page = check_page((await portal.send("GET", "/login")).body.decode())
        (sheet,) = page.find_all("link", rel="stylesheet")
        style = await portal.send("GET", sheet.attributes["href"])
        image = page.find("header").find("img").attributes["src"]
        logo = await portal.send("GET", image)

    assert "--accent: #00695c;" in style.body.decode()
    assert logo.body == b"<svg/>"
    assert (
        page.find("footer").find("a", href="https://help.example.com/").text == "Help"
    )
