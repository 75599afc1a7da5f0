"""The whole of a ``configuration.yml``, section after section.

file ─► portals ─► listener, session, users ─► networks ─► drafts ─► rules
"""

from pathlib import Path
from typing import Final

from forwardauth.config.tree import Table
from forwardauth.migration.authelia.keys import report_other_keys
from forwardauth.migration.authelia.networks import read_names, write_names
from forwardauth.migration.authelia.rules import RuleReader
from forwardauth.migration.authelia.server import write_server
from forwardauth.migration.authelia.session import write_session
from forwardauth.migration.authelia.source import Source, load_source
from forwardauth.migration.authelia.users import write_users
from forwardauth.migration.choices import Choices
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.portals import Portal, is_target, write_portals
from forwardauth.migration.report import Fate
from forwardauth.migration.rulebook import settle
from forwardauth.migration.yaml_text import Entry, Value

_COOKIES: Final = "session.cookies"
_DOMAIN: Final = "session.domain"
_TARGET: Final = "default_redirection_url"


def read_authelia(path: Path, choices: Choices) -> Outcome:
    """Return the configuration that the file of Authelia at *path* means.

    Raises:
        ConfigError: The file cannot be read, or has mistakes; carries all of them.
    """
    source = load_source(path)
    server, base_path = write_server(source, choices)
    portals = _read_portals(source, choices, base_path)
    session, has_secret = write_session(source)
    users = write_users(source, path, choices)
    names = read_names(source)
    reader = RuleReader(
        source=source,
        choices=choices,
        domains=tuple(portal.domain for portal in portals),
        networks=names,
    )
    default_policy = reader.read_default()
    drafts = reader.read_rules()
    report_other_keys(source)
    source.findings.check()
    rules = settle(drafts, default_policy=default_policy, report=source.report)
    values: list[Value] = [rule.entries() for rule in rules]
    note = "from access_control.default_policy"
    config = (
        Entry(name="server", value=server),
        write_portals(portals),
        Entry(name="session", value=session),
        Entry(name="users", value=users),
        Entry(
            name="access_control",
            value=(
                Entry(name="default_policy", value=default_policy.value, notes=(note,)),
                *write_names(names),
                Entry(name="rules", value=values),
            ),
        ),
    )
    return Outcome(config=config, has_secret=has_secret, report=source.report)


def _read_portals(source: Source, choices: Choices, base_path: str) -> list[Portal]:
    portals: list[Portal] = []
    for index, item in enumerate(source.items(source.lookup(_COOKIES))):
        key = f"{_COOKIES}.{index}"
        if not isinstance(item, Table):
            source.refuse(item, "must hold keys", "write domain and authelia_url")
            continue
        domain, url = (source.text(f"{key}.{n}") for n in ("domain", "authelia_url"))
        portal = _portal(source, choices, key, domain, url)
        if portal is not None:
            portals.append(portal)
    domain = source.text(_DOMAIN)
    if domain is not None and not portals:
        portal = _portal(source, choices, _DOMAIN, domain, None)
        portals += [portal] if portal is not None else []
    elif not portals and source.lookup(_COOKIES) is None:
        reason = "has neither session.cookies nor session.domain"
        source.refuse(source.root, reason, "import the file that has them")
    return [
        _with_target(source, p, i, portals, base_path) for i, p in enumerate(portals)
    ]


def _portal(
    source: Source, choices: Choices, key: str, domain: str | None, url: str | None
) -> Portal | None:
    url = url or choices.portal
    node = source.lookup(key) or source.root
    if domain is None:
        source.refuse(node, "has no domain", "add it")
        return None
    if url is None:
        remedy = "say where people sign in: --portal https://auth.example.com"
        source.refuse(node, "has no authelia_url", remedy)
        return None
    source.tell(Fate.TAKEN, key, f"cookies: {domain}, portal {url}")
    return Portal(domain=domain, url=url, note=f"from {key}")


def _with_target(
    source: Source, portal: Portal, index: int, portals: list[Portal], base_path: str
) -> Portal:
    """Return *portal* with the place where a login ends that came from nowhere."""
    key = f"{_COOKIES}.{index}.{_TARGET}"
    if source.lookup(key) is None:
        key = _TARGET
    url = source.text(key)
    if url is None:
        return portal
    if not is_target(url, portals, base_path=base_path):
        text = "is no place that a login may lead to here, and is left out"
        source.tell(Fate.STRICTER, key, text)
        return portal
    source.tell(Fate.TAKEN, key, f"cookies.{index}.default_target")
    return Portal(
        domain=portal.domain, url=portal.url, default_target=url, note=portal.note
    )
