"""``/metrics`` as Prometheus reads it."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from forwardauth.web.metrics import FAMILIES
from tests.support.client import NAVIGATION
from tests.support.deferred_store import DeferredStore
from tests.support.portal import PASSWORD, Portal
from tests.support.repository import ROOT
from tests.support.stores import DownStore

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(portal: Portal) -> Samples:
    """Return every sample by name and labels."""
    reply = await portal.send("GET", "/metrics", is_management=True)
    assert reply.status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


def verifications(samples: Samples) -> dict[tuple[str, str], float]:
    """Return the count of verify requests by adapter and outcome."""
    found: dict[tuple[str, str], float] = {}
    for (name, labels), value in samples.items():
        if name == "forwardauth_verifications_total":
            by_name = dict(labels)
            found[by_name["adapter"], by_name["outcome"]] = value
    return found


async def test_content_type_is_that_of_the_text_format(portal: Portal) -> None:
    """The scraper is told which format and version it gets."""
    reply = await portal.send("GET", "/metrics", is_management=True)

    assert reply.header("Content-Type").startswith("text/plain; version=")
    assert reply.body.endswith(b"\n")


async def test_every_metric_has_help_and_type(portal: Portal) -> None:
    """All are there from the first scrape on, and documented."""
    reply = await portal.send("GET", "/metrics", is_management=True)

    families = list(text_string_to_metric_families(reply.body.decode()))
    assert {family.name for family in families} >= {
        "forwardauth_verifications",
        "forwardauth_logins",
        "forwardauth_sessions_ended",
        "forwardauth_revocations_pending",
        "forwardauth_targets_refused",
        "forwardauth_store_up",
        "forwardauth_sessions",
    }
    assert all(family.documentation for family in families)
    assert {family.type for family in families} == {"counter", "gauge", "histogram"}


async def test_verify_is_counted_by_adapter_and_outcome(portal: Portal) -> None:
    """Each verdict is one, whoever asked (L-57)."""
    token, _ = await portal.create_session()
    for adapter in ("traefik", "nginx", "nginx"):
        await portal.verify(token, adapter=adapter)
    await portal.verify(None)
    await portal.verify(token, host="closed.example.com")
    await portal.verify(token, host="elsewhere.example.net")

    found = verifications(await scrape(portal))

    assert found == {
        ("traefik", "allow"): 1,
        ("nginx", "allow"): 2,
        ("traefik", "sign_in"): 1,
        ("traefik", "forbidden"): 1,
        ("traefik", "refused"): 1,
    }


async def test_life_of_a_session_is_counted(portal: Portal) -> None:
    """Logins by result, ends by cause, refused targets by reason (L-57)."""
    typed = [*NAVIGATION, ("Sec-Fetch-Site", "none")]
    body = f'{{"username": "alice", "password": "{PASSWORD}"}}'.encode()
    await portal.post_json("/api/firstfactor", body)
    await portal.post_json("/api/firstfactor", body.replace(b"horse", b"cart"))
    token, _ = await portal.create_session("bob")
    before = await scrape(portal)

    await portal.send(
        "GET", "/logout?rd=https://evil.test/", headers=typed, cookie=token
    )

    after = await scrape(portal)
    assert before["forwardauth_sessions", ()] == 2
    assert after["forwardauth_sessions", ()] == 1
    assert after["forwardauth_logins_total", (("result", "success"),)] == 2
    assert after["forwardauth_logins_total", (("result", "credentials"),)] == 1
    assert after["forwardauth_sessions_ended_total", (("cause", "user"),)] == 1
    refused = [
        (labels, value)
        for (name, labels), value in after.items()
        if name == "forwardauth_targets_refused_total"
    ]
    assert [value for _, value in refused] == [1]


async def test_no_label_names_anybody(portal: Portal) -> None:
    """Users, hosts, addresses and targets stay out, so labels stay few (L-57)."""
    token, _ = await portal.create_session()
    await portal.verify(token, uri="/secret-path?secret-query")
    await portal.send("GET", "/logout?rd=https://evil.test/")

    reply = await portal.send("GET", "/metrics", is_management=True)

    for word in ("alice", "example", "evil", "secret", "192.0.2.1", token):
        assert word not in reply.body.decode()


async def test_outage_is_told_as_such(tmp_path: Path) -> None:
    """A store that is down is 0, and the number of sessions is not made up."""
    store = DownStore()
    async with Portal(tmp_path, store=store) as portal:
        up = await scrape(portal)
        store.go_down()
        down = await scrape(portal)

    assert up["forwardauth_store_up", ()] == 1
    assert (up["forwardauth_ready", ()], down["forwardauth_ready", ()]) == (1, 0)
    assert down["forwardauth_store_up", ()] == 0
    assert ("forwardauth_sessions", ()) not in down


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/debug"])
async def test_main_listener_has_none_of_it(portal: Portal, path: str) -> None:
    """What proxies see does not tell about the service (V-49)."""
    reply = await portal.send("GET", path)

    assert reply.status == 404


def store_calls(samples: Samples) -> dict[tuple[str, str], float]:
    """Return how many calls of the store were timed, by operation and outcome."""
    found: dict[tuple[str, str], float] = {}
    for (name, labels), value in samples.items():
        if name == "forwardauth_store_operation_seconds_count":
            by_name = dict(labels)
            found[by_name["operation"], by_name["outcome"]] = value
    return found


async def test_calls_of_the_store_are_timed(tmp_path: Path) -> None:
    """By operation and outcome, those of the portal and those of the normal way."""
    store = DownStore()
    off = "server: {short_way: off}\n"
    async with Portal(tmp_path, store=store, extra=off) as portal:
        token, _ = await portal.create_session()
        await portal.verify(token)
        store.go_down()
        await portal.verify(token)
        store.come_back()
        found = store_calls(await scrape(portal))

    assert found["create", "ok"] == 1
    assert found["load", "ok"] == 1
    assert found["load", "unavailable"] == 1


async def test_look_ups_of_the_short_way_are_timed_together(tmp_path: Path) -> None:
    """On a store that answers later; the portal's are told one by one."""
    async with Portal(tmp_path, store=DeferredStore()) as portal:
        token, _ = await portal.create_session()
        await portal.verify(token)
        await portal.verify(token)
        found = store_calls(await scrape(portal))

    assert found["load_batch", "ok"] == 2
    assert ("load", "ok") not in found


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """Return type and labels of each metric that ``docs/metrics.md`` lists."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \|(.*?)\| \S",
        (ROOT / "docs/metrics.md").read_text("utf-8"),
        re.MULTILINE,
    )
    return {
        name: (kind, frozenset(re.findall(r"\w+", labels)))
        for name, kind, labels in rows
    }


async def test_document_lists_what_a_scrape_gives(portal: Portal) -> None:
    """Each metric with its type and its labels, and none that is not there (L-57)."""
    await portal.verify(None)
    reply = await portal.send("GET", "/metrics", is_management=True)

    told: dict[str, tuple[str, frozenset[str]]] = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        is_counter = family.type == "counter"
        name = f"{family.name}_total" if is_counter else family.name
        labels = {label for sample in family.samples for label in sample.labels}
        if family.name in FAMILIES:
            # Those that nothing was counted of yet have no sample to tell.
            labels = set(FAMILIES[family.name].labels)
        told[name] = (family.type, frozenset(labels))
    assert documented() == told
