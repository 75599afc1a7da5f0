"""Every key of the configuration, changed while the service runs: it counts, or not.

The table of keys in the package is what both lists here are compared with: a new key
that is neither applied nor refused is found out when it is added.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest

from forwardauth.config.changes import RESTART_KEYS
from forwardauth.config.keys import KEYS
from tests.support.changing_site import (
    Change,
    ChangingSite,
    Look,
    Tree,
    basic,
    rule,
)
from tests.support.own_service import OwnService
from tests.support.portal import USERS
from tests.support.processes import free_ports

FOREIGN: Final = "192.0.2.5"
HERE, THERE = ["192.0.2.0/24"], ["203.0.113.0/24"]
QUERY: Final = {"operator": "equal", "key": "q", "value": "1"}
RULES: Final[list[Tree]] = [
    rule(domain="domain.example.com"),
    rule(domain_regex=r"regex1\.example\.com"),
    rule(domain="policy.example.com"),
    rule(domain="methods.example.com", methods=["GET"]),
    rule(domain="path.example.com", path="/x"),
    rule(domain="path-regex.example.com", path_regex="/x.*"),
    rule(domain="resources.example.com", resources="/x.*"),
    rule(domain="query.example.com", query=[[dict(QUERY)]]),
    rule(domain="operator.example.com", query=[[dict(QUERY)]]),
    rule(domain="key.example.com", query=[[dict(QUERY)]]),
    rule(domain="value.example.com", query=[[dict(QUERY)]]),
    rule(domain="networks.example.com", networks=HERE),
    rule(domain="named.example.com", networks=["one"]),
    rule(domain="users.example.com", policy="one_factor", users=["alice"]),
    rule(domain="groups.example.com", policy="one_factor", groups=["dev"]),
    rule(domain="subject.example.com", policy="one_factor", subject=["user:alice"]),
    rule(domain="preflight.example.com", policy="one_factor"),
    rule(domain="plain.example.com"),
    rule(domain="basic.example.com", policy="one_factor"),
    rule(domain="me.example.com", policy="one_factor"),
    rule(domain="*.example.com", policy="deny"),
]
NAVIGATES: Final = ("Accept", "text/html")
HALF: Final = (
    b"POST /api/logout HTTP/1.1\r\nHost: auth.example.com\r\nContent-Length: 2\r\n"
    b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
)
"""What a service waits for the rest of."""

ICON: Final = 'rel="icon" href="([^"]+)"'
PREFLIGHT: Final = (
    ("Origin", "https://www.example.com"),
    ("Access-Control-Request-Method", "PUT"),
)


def passes(host: str, uri: str = "/", **more: Any) -> Look:
    """Return the question whether nobody in particular may pass."""
    return lambda site: site.verify(f"{host}.example.com", uri, **more).status


def alice_passes(host: str) -> Look:
    """Return the question whether alice may pass."""
    return lambda site: site.verify(f"{host}.example.com", token=site.session).status


def answer(method: str, path: str, *names: str) -> Look:
    """Return the question for the status of the portal's answer, and some lines."""

    def look(site: ChangingSite) -> object:
        reply = site.send(method, path)
        return reply.status, [reply.lines(name) for name in names]

    return look


def signed_out(*names: str) -> Look:
    """Return the question which header lines a logout has."""

    def look(site: ChangingSite) -> object:
        reply = site.sign_out("of nobody")
        return [line.partition("=")[0] for name in names for line in reply.lines(name)]

    return look


def cookie_of_sign_in(site: ChangingSite) -> object:
    """Return the line that sets the cookie, without its value."""
    line = site.cookie_line()
    return line.partition("=")[0], line.partition(";")[2]


def headers_of_alice(site: ChangingSite) -> object:
    """Return the names of all headers that verify answers about alice."""
    reply = site.verify("me.example.com", token=site.session)
    return sorted(name for name, _ in reply.headers)


def other_session_lives(site: ChangingSite) -> object:
    """Return whether another login of the user outlives the logout of one."""
    one, other = site.token("bob"), site.token("bob")
    site.sign_out(one)
    return site.verify("me.example.com", token=other).status


def request_id(site: ChangingSite) -> object:
    """Return the name that a refusal has, of two that the proxy gives it."""
    headers = [("X-Request-ID", "named-so"), ("X-Trace", "named-otherwise")]
    body = site.verify("no.example.com", headers=[NAVIGATES, *headers]).body
    return re.findall(rb"named-\w+", body)


def forbidden_page(site: ChangingSite) -> object:
    """Return whether the page of a refusal is the operator's."""
    return b"Ours" in site.verify("no.example.com", headers=[NAVIGATES]).body


def exchange_names(old: list[Tree]) -> list[Tree]:
    """Return the networks with their names exchanged."""
    one, two = old
    return [{**one, "name": two["name"]}, {**two, "name": one["name"]}]


def changes(folder: Path, told: int) -> list[Change]:
    """Return a change of nearly every key that is applied; each finds those before it.

    What moves everything else comes last.
    """
    rules = "access_control.rules"
    networks = "access_control.networks"
    query = f"{rules}.*.query.*.*"
    footer = "portal.footer"
    return [
        Change(
            key="server.trusted_proxies",
            value=["127.0.0.1/32"],
            look=passes("domain", address="127.0.0.2"),
        ),
        Change(
            key="access_control.default_policy",
            value="one_factor",
            look=lambda s: s.verify("any.example.net").status,
        ),
        Change(
            key=f"{rules}.*.domain",
            at=f"{rules}.0.domain",
            value="other.example.com",
            look=passes("domain"),
        ),
        Change(
            key=f"{rules}.*.domain_regex",
            at=f"{rules}.1.domain_regex",
            value=r"regex2\.example\.com",
            look=passes("regex1"),
        ),
        Change(
            key=f"{rules}.*.policy",
            at=f"{rules}.2.policy",
            value="deny",
            look=passes("policy"),
        ),
        Change(
            key=f"{rules}.*.methods",
            at=f"{rules}.3.methods",
            value=["PUT"],
            look=passes("methods"),
        ),
        Change(
            key=f"{rules}.*.path",
            at=f"{rules}.4.path",
            value="/y",
            look=passes("path", "/x"),
        ),
        Change(
            key=f"{rules}.*.path_regex",
            at=f"{rules}.5.path_regex",
            value="/y.*",
            look=passes("path-regex", "/x"),
        ),
        Change(
            key=f"{rules}.*.resources",
            at=f"{rules}.6.resources",
            value="/y.*",
            look=passes("resources", "/x"),
        ),
        Change(
            key=f"{rules}.*.query",
            at=f"{rules}.7.query",
            value=[[{**QUERY, "value": "2"}]],
            look=passes("query", "/?q=1"),
        ),
        Change(
            key=f"{query}.operator",
            at=f"{rules}.8.query.0.0.operator",
            value="not equal",
            look=passes("operator", "/?q=1"),
        ),
        Change(
            key=f"{query}.key",
            at=f"{rules}.9.query.0.0.key",
            value="r",
            look=passes("key", "/?q=1"),
        ),
        Change(
            key=f"{query}.value",
            at=f"{rules}.10.query.0.0.value",
            value="2",
            look=passes("value", "/?q=1"),
        ),
        Change(
            key=f"{rules}.*.networks",
            at=f"{rules}.11.networks",
            value=THERE,
            look=passes("networks", client=FOREIGN),
        ),
        Change(
            key=f"{networks}.*.networks",
            at=f"{networks}.0.networks",
            value=["198.51.100.0/24"],
            look=passes("named", client=FOREIGN),
        ),
        Change(
            key=f"{networks}.*.name",
            at=networks,
            value=exchange_names,
            look=passes("named", client="198.51.100.1"),
        ),
        Change(
            key=networks,
            value=[
                {"name": "one", "networks": HERE},
                {"name": "two", "networks": THERE},
            ],
            look=passes("named", client=FOREIGN),
        ),
        Change(
            key=f"{rules}.*.users",
            at=f"{rules}.13.users",
            value=["bob"],
            look=alice_passes("users"),
        ),
        Change(
            key=f"{rules}.*.groups",
            at=f"{rules}.14.groups",
            value=["others"],
            look=alice_passes("groups"),
        ),
        Change(
            key=f"{rules}.*.subject",
            at=f"{rules}.15.subject",
            value=["user:bob"],
            look=alice_passes("subject"),
        ),
        Change(
            key=f"{rules}.*.preflight",
            at=f"{rules}.16.preflight",
            value="allow",
            look=passes("preflight", method="OPTIONS", headers=PREFLIGHT),
        ),
        Change(
            key=f"{rules}.*.plain_http",
            at=f"{rules}.17.plain_http",
            value="allow",
            look=passes("plain", scheme="http"),
        ),
        Change(
            key=f"{rules}.*.basic",
            at=f"{rules}.18.basic",
            value="true",
            look=passes("basic", headers=[basic("alice")]),
        ),
        Change(
            key=rules,
            value=lambda old: [rule(domain="new.example.com"), *old],
            look=passes("new"),
        ),
        *(
            Change(
                key=f"headers.{name}", value=f"X-{name.title()}", look=headers_of_alice
            )
            for name in ("user", "groups", "name", "email")
        ),
        Change(key="session.same_site", value="strict", look=cookie_of_sign_in),
        Change(
            key="session.absolute_timeout",
            value="9h",
            look=lambda site: _lifetimes(site)[0],
        ),
        Change(
            key="session.idle_timeout",
            value="2h",
            look=lambda site: _lifetimes(site)[1],
        ),
        Change(
            key="session.remember_me",
            value=None,
            look=lambda site: site.find('name="(remember_me)"'),
        ),
        Change(
            key="logout.paths",
            value=["/leave"],
            look=lambda site: site.verify("me.example.com", "/leave").lines("Location"),
        ),
        Change(
            key="logout.allowed_targets",
            value=["https://else.example.org"],
            look=answer("GET", "/logout?rd=https://else.example.org/", "Location"),
        ),
        Change(
            key="logout.default_target",
            value="https://www.example.com/",
            look=answer("GET", "/logout", "Location"),
        ),
        Change(key="logout.scope", value="user", look=other_session_lives),
        Change(
            key="logout.clear_cookies", value=["theirs"], look=signed_out("Set-Cookie")
        ),
        Change(
            key="logout.clear_site_data",
            value=["storage"],
            look=signed_out("Clear-Site-Data"),
        ),
        Change(
            key="logout.notify",
            value=[f"http://127.0.0.1:{told}/"],
            look=lambda site: site.hears_of_logout(),
        ),
        Change(
            key="users.min_password_score",
            value="4",
            look=lambda site: site.weakness("hunter2hunter"),
        ),
        Change(
            key="users.min_password_length",
            value="20",
            look=lambda site: site.weakness("hunter2hunter"),
        ),
        Change(
            key="users.file",
            value="others.yaml",
            look=lambda site: site.sign_in("dave").status,
        ),
        Change(
            key="logging.level",
            value="debug",
            look=lambda _: logging.getLogger("forwardauth.verify").isEnabledFor(
                logging.DEBUG
            ),
        ),
        Change(key="logging.request_id", value="X-Trace", look=request_id),
        Change(
            key="portal.title",
            value="Come in",
            look=lambda site: "Come in" in site.page("/login"),
        ),
        Change(
            key="portal.logo",
            value="logo.svg",
            look=lambda site: site.find(ICON),
        ),
        Change(
            key="portal.accent",
            value="#00695c",
            look=lambda site: site.find('<link rel="stylesheet" href="([^"]+)"'),
        ),
        Change(
            key=footer,
            value=[{"label": "Help", "url": "https://help.example.com/"}],
            look=_footer,
        ),
        Change(
            key=f"{footer}.*.label", at=f"{footer}.0.label", value="Aid", look=_footer
        ),
        Change(
            key=f"{footer}.*.url",
            at=f"{footer}.0.url",
            value="https://aid.example.com/",
            look=_footer,
        ),
        Change(
            key="portal.languages",
            value=["de", "en"],
            look=lambda site: site.find('<html lang="([^"]+)"'),
        ),
        Change(
            key="portal.templates", value=str(folder / "templates"), look=forbidden_page
        ),
        Change(
            key="cookies",
            value=lambda old: [
                *old,
                {"domain": "example.org", "portal": "https://auth.example.org"},
            ],
            look=lambda site: site.verify("any.example.org").status,
        ),
        Change(
            key="cookies.*.domain",
            at="cookies.1.domain",
            value="sub.example.net",
            look=lambda site: site.verify("any.example.net").status,
        ),
        Change(
            key="cookies.*.default_target",
            at="cookies.0.default_target",
            value="https://www.example.com/",
            look=lambda site: site.signed_in("GET", "/api/state").json()["data"],
        ),
        Change(
            key="cookies.*.portal",
            at="cookies.0.portal",
            value="https://login.example.com",
            look=lambda site: site.verify("me.example.com", headers=[NAVIGATES]).lines(
                "Location"
            ),
        ),
        Change(key="session.cookie_name", value="another", look=cookie_of_sign_in),
        Change(key="server.base_path", value="/sso", look=lambda site: site.find(ICON)),
    ]


def _lifetimes(site: ChangingSite) -> tuple[int, int]:
    record = site.newest_record()
    # Rounded: between two looks nothing but the setting changes it by a minute.
    return round((record["absolute"] - record["created"]) / 60_000), record["idle"]


def _footer(site: ChangingSite) -> object:
    return site.find(r'<a href="(https://\w+\.example\.com/)"[^>]*>(?:<bdi>)?(\w+)')


DRAIN: Final = "server.drain"
"""What shows in a stop alone."""

REFUSED: Final[dict[str, object]] = {
    "server.listen": ["127.0.0.1:1"],
    "server.management": None,
    "server.workers": "2",
    "server.short_way": "off",
    "session.store": "sqlite:others.db",
    "session.journal": "other.journal",
    "session.secret": "of thirty-two characters or more, another one",
    "logging.format": "json",
    "logging.audit": "audit.log",
}


def write_site(folder: Path) -> ChangingSite:
    """Write what is there before the first change, and what is named later."""
    main, management = free_ports(2)
    for name, text in (
        ("users.yaml", USERS),
        ("others.yaml", USERS.replace("  bob:", "  dave:")),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    (folder / "templates").mkdir()
    (folder / "templates/forbidden.html").write_text("<!doctype html><p>Ours</p>")
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    tree: Tree = {
        "server": {
            "listen": [f"127.0.0.1:{main}"],
            "management": f"127.0.0.1:{management}",
            "base_path": "/",
            "drain": "1h",
        },
        "cookies": [
            {"domain": "example.com", "portal": "https://auth.example.com"},
            {"domain": "example.net", "portal": "https://auth.sub.example.net"},
        ],
        "session": {
            "cookie_name": "forwardauth_session",
            "store": "sqlite:sessions.db",
            "journal": "revocations.journal",
            "secret": "of thirty-two characters or more, the first",
        },
        "logout": {"notify": []},
        "users": {"file": "users.yaml", "min_password_score": "0"},
        "headers": {},
        "access_control": {
            "networks": [
                {"name": "one", "networks": HERE},
                {"name": "two", "networks": THERE},
            ],
            "rules": [dict(each) for each in RULES],
        },
        "logging": {"level": "info"},
        "portal": {},
    }
    site = ChangingSite(config=folder / "config.yaml", tree=tree, port=main)
    site.write()
    return site


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[ChangingSite, OwnService]]:
    """Run the service with the first configuration."""
    site = write_site(folder)
    with site.told:
        async with OwnService(site.config) as service:
            loop = asyncio.get_running_loop()
            site.token = lambda username: asyncio.run_coroutine_threadsafe(
                service.create_session(username), loop
            ).result()
            yield site, service


def test_every_key_stands_in_one_of_the_two_lists(tmp_path: Path) -> None:
    """A new key is applied or refused, and is seen to be."""
    applied = [each.key for each in changes(tmp_path, 0)]

    assert sorted([*applied, DRAIN, *REFUSED]) == sorted(KEYS)
    assert REFUSED.keys() == set(RESTART_KEYS)


async def test_every_other_key_counts_from_the_reload_on(tmp_path: Path) -> None:
    """Whoever asks is answered as each new value says, key after key (V-47)."""
    async with running(tmp_path) as (site, service):
        unseen = []
        for change in changes(tmp_path, site.told.getsockname()[1]):
            before = await asyncio.to_thread(change.look, site)
            site.set(change.place, change.value)
            is_reloaded = await service.reload()
            after = await asyncio.to_thread(change.look, site)
            if not is_reloaded or before == after:
                unseen.append((change.key, is_reloaded, before, after))

    assert unseen == []


async def test_other_drain_counts_from_the_reload_on(tmp_path: Path) -> None:
    """A stop waits no longer for a request than was said last (V-47)."""
    async with asyncio.timeout(60), running(tmp_path) as (site, service):
        site.set(DRAIN, "1s")
        is_reloaded = await service.reload()
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(HALF)
        await reader.readuntil(b"\r\n\r\n")

    rest = await reader.read()
    writer.close()
    assert is_reloaded
    assert rest == b""


async def test_keys_that_cannot_be_changed_are_refused_with_their_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the place and the remedy, and everything stays as it was (V-47)."""
    async with running(tmp_path) as (site, service):
        first, told = site.tree, {}
        for key, value in REFUSED.items():
            site.tree = deepcopy(first)
            site.set(key, value)
            is_reloaded = await service.reload()
            told[key] = (is_reloaded, _places(caplog.text, site.config, key))
            caplog.clear()
        site.tree = first
        site.write()
        is_back = await service.reload()

    assert told == {key: (False, [key.rpartition(".")[2]]) for key in REFUSED}
    assert is_back


def _places(log: str, config: Path, key: str) -> list[str]:
    """Return what stands on the lines that *log* names for *key*, up to the colon."""
    lines = config.read_text().splitlines()
    found = re.findall(
        rf"configuration stays as it was: {re.escape(str(config))}:(\d+): "
        rf"{re.escape(key)}: .*; restart it",
        log,
    )
    return [lines[int(number) - 1].partition(":")[0].strip(' "') for number in found]
