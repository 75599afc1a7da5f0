"""A whole configuration from the little that most programs say.

Law: what the source has no word for is written so that it asks for no less: nobody is
remembered, and a session ends when it ended there, used or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from forwardauth.access_control.decision import Policy
from forwardauth.config.durations import LONGEST, format_duration
from forwardauth.migration.choices import Choices
from forwardauth.migration.criteria import Criteria
from forwardauth.migration.portals import Portal, write_listener, write_portals
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.rulebook import Draft, settle
from forwardauth.migration.yaml_text import Entry, Mapping, Value

_USERS: Final = "users.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a program says beside its rules.

    Attributes:
        portals: Where people sign in.
        host: The address that is listened on; empty for every one.
        port: Its port.
        listener_key: Which key of the source that is from.
        lifetime_seconds: When a session ends.
        trusted_proxies: Networks of the proxies, if the source knows them.
        title: Heading of the login page.
        logout: The keys below ``logout``.
        users_file: The users file that is named; ``None`` for one beside it.
    """

    portals: tuple[Portal, ...]
    host: str
    port: str
    listener_key: str
    lifetime_seconds: int
    trusted_proxies: tuple[str, ...] = ()
    title: str | None = None
    logout: Mapping = ()
    users_file: Path | None = None


def write_site(
    site: Site, drafts: Sequence[Draft], *, choices: Choices, report: Report
) -> Mapping:
    """Return the entries of ``config.yaml``."""
    trusted = choices.trusted_proxies or site.trusted_proxies
    given = replace(choices, trusted_proxies=trusted)
    listener, remark = write_listener(site.host, site.port, given)
    if remark is not None:
        report.tell(Fate.TO_DO, site.listener_key, None, remark)
    rules = settle(drafts, default_policy=Policy.DENY, report=report)
    values: list[Value] = [rule.entries() for rule in rules]
    users = _USERS if site.users_file is None else str(site.users_file.absolute())
    entries = [
        Entry(name="server", value=listener),
        write_portals(site.portals),
        Entry(name="session", value=_write_session(site.lifetime_seconds)),
    ]
    if site.logout:
        entries.append(Entry(name="logout", value=site.logout))
    entries += [
        Entry(name="users", value=(Entry(name="file", value=users),)),
        Entry(
            name="access_control",
            value=(
                Entry(name="default_policy", value="deny"),
                Entry(name="rules", value=values),
            ),
        ),
    ]
    if site.title is not None:
        title = Entry(name="title", value=site.title)
        entries.append(Entry(name="portal", value=(title,)))
    return tuple(entries)


def everything(domain: str) -> Criteria:
    """Return the criteria for every host of *domain*."""
    return Criteria(domain=(domain, f"*.{domain}"))


def protect_all(
    domain: str, *, allow: tuple[str, ...] = (), block: tuple[str, ...] = ()
) -> tuple[Draft, ...]:
    """Return the drafts that ask everybody everywhere to sign in.

    Args:
        domain: The parent domain.
        allow: The only networks that may; empty for every one.
        block: Networks that may not.
    """
    hosts = everything(domain)
    wanted = [(Policy.DENY, replace(hosts, networks=block))] if block else []
    wanted.append((Policy.ONE_FACTOR, replace(hosts, networks=allow)))
    return tuple(
        Draft(
            policy=policy,
            key="everything else",
            line=None,
            inside=criteria,
            outside=criteria,
            notes=("what no rule above is for",),
        )
        for policy, criteria in wanted
    )


def _write_session(seconds: int) -> Mapping:
    span = format_duration(min(timedelta(seconds=max(seconds, 1)), LONGEST))
    note = "the source knows one span, and nobody is remembered longer"
    return (
        Entry(name="absolute_timeout", value=span, notes=(note,)),
        Entry(name="idle_timeout", value=span),
        Entry(name="remember_me", value=None),
    )
