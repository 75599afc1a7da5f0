"""The environment of tinyauth 3 to 5, with its users.

Law: a user with a second factor there cannot sign in here by the password alone, unless
somebody has decided so.

Source: https://tinyauth.app/docs/reference/configuration
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from forwardauth.access_control.decision import Policy
from forwardauth.config.problems import Place, Problem
from forwardauth.errors import ConfigError
from forwardauth.migration.accounts import Account, read_accounts, write_accounts
from forwardauth.migration.choices import Choices
from forwardauth.migration.lines import (
    Assignment,
    find_beside,
    load_assignments,
    load_lines,
    split_list,
)
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.portals import Portal
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.rulebook import Draft
from forwardauth.migration.site import Site, protect_all, write_site
from forwardauth.migration.tinyauth_apps import App, draft_app
from forwardauth.migration.tinyauth_keys import (
    APP,
    BY_HAND,
    LABELS,
    SPELLINGS,
    TAKEN,
    VOUCHED,
    canonical,
    lookup_left,
)

_PORT: Final = "3000"
_EXPIRY: Final = 86_400
_NETWORKS: Final = frozenset({"ip_allow", "ip_block", "trusted_proxies"})


def read_tinyauth(path: Path, choices: Choices) -> Outcome:
    """Return the configuration and the users that the environment at *path* means.

    Raises:
        ConfigError: The file cannot be read, or has mistakes; carries all of them.
    """
    return _Reader(path=path, choices=choices, report=Report(source=str(path))).read()


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one environment."""

    path: Path
    choices: Choices
    report: Report

    def read(self) -> Outcome:
        """Return everything."""
        problems: list[Problem] = []
        values, apps = self._sort(load_assignments(self.path), problems)
        accounts, refused = self._read_accounts(values)
        problems += refused
        portal = self._read_portal(values, problems)
        drafts = self._draft(values, apps, accounts, portal, problems)
        if problems or portal is None:
            raise ConfigError(problems)
        for name, told in TAKEN.items():
            if name in values:
                self._tell(Fate.TAKEN, values[name], told)
        site = Site(
            portals=(portal,),
            host=_text(values, "address"),
            port=_text(values, "port") or _PORT,
            listener_key=values["port"].name if "port" in values else "PORT",
            lifetime_seconds=self._lifetime(values),
            trusted_proxies=split_list(_text(values, "trusted_proxies")),
            title=_text(values, "title") or None,
            users_file=None if accounts else self.choices.users_file,
        )
        self.report.tell(Fate.TO_DO, "labels", None, LABELS)
        config = write_site(site, drafts, choices=self.choices, report=self.report)
        users = None
        if accounts:
            heading = f"Written by forwardauth import from {self.path.name}."
            users = write_accounts(accounts, heading=heading)
        else:
            text = "has no users of its own: forwardauth users add NAME adds one"
            self.report.tell(Fate.TO_DO, "USERS", None, text)
        return Outcome(config=config, users=users, report=self.report)

    def _sort(
        self, found: tuple[Assignment, ...], problems: list[Problem]
    ) -> tuple[dict[str, Assignment], dict[str, App]]:
        """Return what is read, by our one name for it, and applications."""
        values: dict[str, Assignment] = {}
        apps: dict[str, App] = {}
        for each in found:
            variable = canonical(each.name)
            match = APP.fullmatch(variable)
            if match is not None:
                name = match["name"].lower()
                app = apps.setdefault(name, App(name=name, line=each.line))
                app.values[match["key"]] = each.value
                if match["key"] in VOUCHED:
                    self._tell(Fate.TO_DO, each, VOUCHED[match["key"]])
            elif variable in SPELLINGS:
                values[SPELLINGS[variable]] = each
            elif (left := lookup_left(variable)) is not None:
                self._tell(Fate.LEFT, each, left)
            else:
                # It may be what keeps somebody out.
                reason = f"{each.name} says of an application what is not known here"
                problems.append(self._problem(each.line, reason, BY_HAND))
        return values, apps

    def _read_accounts(
        self, values: dict[str, Assignment]
    ) -> tuple[tuple[Account, ...], list[Problem]]:
        accounts: list[Account] = []
        if "users" in values:
            each = values["users"]
            accounts += self._accounts(each.name, each.line, split_list(each.value))
        source = self.path
        if "users_file" in values and values["users_file"].value:
            each = values["users_file"]
            source = find_beside(Path(each.value), self.path)
            for line in load_lines(source):
                accounts += self._accounts(each.name, line.number, (line.text,))
        return read_accounts(accounts, source=source, report=self.report)

    def _accounts(
        self, key: str, line: int, texts: tuple[str, ...]
    ) -> Iterator[Account]:
        for text in texts:
            # Compose files double each dollar.
            name, _, rest = text.replace("$$", "$").partition(":")
            password_hash, _, totp = rest.partition(":")
            is_disabled = bool(totp) and self.choices.two_factor is Policy.DENY
            if totp:
                what = (
                    "signs in with a second factor there, and is disabled: give"
                    " --two-factor one_factor, or run forwardauth users enable"
                    if is_disabled
                    else "signs in by the password alone here, which is weaker"
                )
                self.report.tell(Fate.TO_DO, key, line, f"user {name} {what}")
            yield Account(
                name=name,
                password_hash=password_hash,
                key=key,
                line=line,
                is_disabled=is_disabled,
            )

    def _read_portal(
        self, values: dict[str, Assignment], problems: list[Problem]
    ) -> Portal | None:
        each = values.get("app_url")
        url = (each.value if each else None) or self.choices.portal
        host = urlsplit(url or "").hostname or ""
        domain = self.choices.domain or host.partition(".")[2]
        key, line = (each.name, each.line) if each else ("APP_URL", None)
        if url is None or not domain:
            reason = "says no APP_URL with a host below the domain of the applications"
            remedy = "give --portal https://auth.example.com"
            problems.append(self._problem(line, reason, remedy))
            return None
        self.report.tell(Fate.TAKEN, key, line, f"cookies: {domain}, portal {url}")
        return Portal(domain=domain, url=url.rstrip("/"), note=f"from {key}")

    def _draft(
        self,
        values: dict[str, Assignment],
        apps: dict[str, App],
        accounts: tuple[Account, ...],
        portal: Portal | None,
        problems: list[Problem],
    ) -> tuple[Draft, ...]:
        lists = {name: split_list(_text(values, name)) for name in _NETWORKS}
        for name, networks in lists.items():
            line = values[name].line if name in values else None
            problems += self._bad_networks(networks, line)
        if portal is None:
            return ()
        denies = _text(values, "acls_policy").lower() not in {"", "allow"}
        drafts: list[Draft] = []
        for app in apps.values():
            for key in ("IP_ALLOW", "IP_BLOCK", "IP_BYPASS"):
                networks = split_list(app.values.get(key, ""))
                problems += self._bad_networks(networks, app.line)
            try:
                drafts += draft_app(
                    app,
                    domain=portal.domain,
                    usernames=[account.name for account in accounts],
                    ip_allow=lists["ip_allow"],
                    ip_block=lists["ip_block"],
                    any_query=self.choices.any_query,
                    denies=denies,
                )
            except ValueError as exc:
                reason = f"holds an expression that is none: {exc}"
                problems.append(self._problem(app.line, reason, "correct it"))
        if not denies:
            allow, block = lists["ip_allow"], lists["ip_block"]
            drafts += protect_all(portal.domain, allow=allow, block=block)
        return tuple(drafts)

    def _lifetime(self, values: dict[str, Assignment]) -> int:
        """Return the shorter of both spans; no time at all means no limit."""
        spans: list[int] = []
        for name, default in (("session_expiry", _EXPIRY), ("session_max_lifetime", 0)):
            text = _text(values, name)
            span = int(text) if text.isascii() and text.isdigit() else default
            if name in values:
                told = "session.absolute_timeout and idle_timeout, the shorter of both"
                self._tell(Fate.TAKEN, values[name], told)
            spans += [span] if span else []
        return min(spans, default=_EXPIRY)

    def _bad_networks(
        self, networks: tuple[str, ...], line: int | None
    ) -> Iterator[Problem]:
        for text in networks:
            try:
                ip_network(text, strict=True)
            except ValueError:
                reason = f"{text!a} is not a network"
                yield self._problem(line, reason, "write it as 10.0.0.0/8")

    def _problem(self, line: int | None, reason: str, remedy: str) -> Problem:
        place = Place(source=str(self.path), line=line)
        return Problem(place=place, reason=reason, remedy=remedy)

    def _tell(self, fate: Fate, each: Assignment, text: str) -> None:
        self.report.tell(fate, each.name, each.line, text)


def _text(values: dict[str, Assignment], name: str) -> str:
    return values[name].value if name in values else ""
