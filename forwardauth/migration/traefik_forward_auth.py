"""traefik-forward-auth, version 2: environment, INI file or flags.

Law: what the source has no word for asks for no less: nobody is remembered, and the
session ends when the cookie ended there.

Source: https://github.com/thomseddon/traefik-forward-auth#configuration
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from forwardauth.config.logout import parse_logout_path
from forwardauth.config.problems import Place, Problem, RefusedValueError
from forwardauth.errors import ConfigError
from forwardauth.migration.choices import Choices
from forwardauth.migration.lines import Assignment, load_assignments
from forwardauth.migration.outcome import Outcome
from forwardauth.migration.portals import Portal, is_target
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.site import Site, write_site
from forwardauth.migration.traefik_forward_auth_keys import (
    LEFT,
    LISTS,
    READ,
    RULE,
    canonical,
)
from forwardauth.migration.traefik_forward_auth_rules import (
    Options,
    RulesReader,
    TraefikRule,
)
from forwardauth.migration.yaml_text import Entry, Mapping, Value

_LIFETIME: Final = 43_200
_PORT: Final = "4181"
_PATH: Final = "/_oauth"


def read_traefik_forward_auth(path: Path, choices: Choices) -> Outcome:
    """Return the configuration that the file at *path* means.

    Raises:
        ConfigError: The file cannot be read, or has mistakes; carries all of them.
    """
    return _Reader(path=path, choices=choices, report=Report(source=str(path))).read()


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one file."""

    path: Path
    choices: Choices
    report: Report
    options: Options = field(default_factory=Options)
    rules: dict[str, TraefikRule] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> Outcome:
        """Return everything."""
        for each in load_assignments(self.path):
            self._sort(each)
        portals = self._read_portals()
        reader = RulesReader(options=self.options, portals=portals, report=self.report)
        drafts, problems = reader.draft(self.rules.values(), source=self.path)
        self.problems += problems
        logout = self._write_logout(portals)
        if self.problems:
            raise ConfigError(self.problems)
        lifetime = self.options.text("lifetime")
        site = Site(
            portals=portals,
            host="",
            port=self.options.text("port") or _PORT,
            listener_key="port",
            lifetime_seconds=int(lifetime) if lifetime.isdecimal() else _LIFETIME,
            logout=logout,
            users_file=self.choices.users_file,
        )
        config = write_site(site, drafts, choices=self.choices, report=self.report)
        return Outcome(config=config, report=self.report)

    def _sort(self, each: Assignment) -> None:
        match = RULE.fullmatch(each.name)
        name = canonical(each.name)
        if match is not None:
            rule = self.rules.setdefault(
                match["name"], TraefikRule(name=match["name"], line=each.line)
            )
            rule.values[match["key"]] = each.value
        elif name in READ:
            self.options.add(READ[name], each)
            self.report.tell(Fate.TAKEN, each.name, each.line, LISTS[READ[name]])
        else:
            text = next((t for start, t in LEFT if name.startswith(start)), None)
            text = text or "is no option that is known here"
            self.report.tell(Fate.LEFT, each.name, each.line, text)

    def _read_portals(self) -> tuple[Portal, ...]:
        domains = self.options.items("cookie-domain") or (
            (self.choices.domain,) if self.choices.domain else ()
        )
        if not domains:
            self._refuse(None, "says no cookie-domain", "give --domain example.com")
        host = self.options.text("auth-host")
        url = self.choices.portal or (f"https://{host}" if host else None)
        portals: list[Portal] = []
        for domain in domains:
            name = domain.lower().lstrip(".")
            if url is None or not _is_below(url, name):
                # Each domain needs a portal of its own.
                where = f"https://auth.{name}"
                if url is None:
                    self._refuse(None, "says no auth-host", f"give --portal {where}")
                    break
                text = f"{where} is made up for {name}: route it to the service"
                self.report.tell(Fate.TO_DO, "cookie-domain", None, text)
            else:
                where = url
            portals.append(Portal(domain=name, url=where, note="from cookie-domain"))
        return tuple(portals)

    def _write_logout(self, portals: tuple[Portal, ...]) -> Mapping:
        path = f"/{(self.options.text('url-path') or _PATH).strip('/')}/logout"
        try:
            paths: list[Value] = [parse_logout_path(path)]
        except RefusedValueError:
            text = f"{path!a} cannot be a logout path; write logout.paths by hand"
            self.report.tell(Fate.TO_DO, "url-path", None, text)
            return ()
        keys = [Entry(name="paths", value=paths, notes=("from url-path",))]
        target = self.options.text("logout-redirect")
        if target and is_target(target, portals, base_path=""):
            keys.append(Entry(name="default_target", value=target))
        elif target:
            text = "leads beyond the cookie domains: add it to logout.allowed_targets"
            self.report.tell(Fate.TO_DO, "logout-redirect", None, text)
        return tuple(keys)

    def _refuse(self, line: int | None, reason: str, remedy: str) -> None:
        place = Place(source=str(self.path), line=line)
        self.problems.append(Problem(place=place, reason=reason, remedy=remedy))


def _is_below(url: str, domain: str) -> bool:
    host = url.partition("://")[2].partition("/")[0].partition(":")[0]
    return host == domain or host.endswith(f".{domain}")
