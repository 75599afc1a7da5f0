"""Promises that the repository makes about itself.

Each test reads the files and names every offender at once. An exception to a promise
stands in a table below with its reason, and a table entry that no longer applies is an
offender too.
"""

import ast
import importlib
import os
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import forwardauth
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from forwardauth.errors import ForwardAuthError
from tests.support.guarantees import DOCUMENT, promises, proofs
from tests.support.repository import (
    PACKAGE,
    ROOT,
    imported,
    texts,
    trees,
    undocumented,
)
from tests.support.threats import DOCUMENT as THREATS
from tests.support.threats import faults, threats

MAX_LINES: Final = 250
MAX_README_LINES: Final = 150

LONG_MODULES: Final[dict[str, str]] = {
    "sessions/revoker.py": "all ends run through one function, whatever the cause",
    "sessions/stores/redis.py": "the protocol, its proof and its steps are read as one",
}
"""Modules above ``MAX_LINES``, each with the reason why it is one noun."""

TESTED_ELSEWHERE: Final = {
    "cli/garbage.py": "two calls of the interpreter's own collector",
    "cli/household.py": "values alone: tests/unit/cli/test_workers.py",
    "cli/prepared.py": "as cli/service.py, which starts and closes it",
    "cli/worker_place.py": "as cli/workers.py, which fills and clears it",
    "composition/journal_folder.py": "what is refused by it: tests/unit/test_app.py",
    "composition/live.py": "opened and closed by all of tests/unit/test_app.py",
    "composition/looks.py": "values handed on: tests/unit/test_app.py, by the pages",
    "composition/management.py": "as what it shares: tests/unit/test_app.py",
    "composition/short_ways.py": "one for each store: unit/web/ways_contract.py",
    "composition/signers.py": "values handed on: tests/unit/test_app.py",
    "composition/web_settings.py": "values handed on: tests/unit/test_app.py",
    "web/language_switch.py": "one flow with its handler: handlers/test_language.py",
    "web/notice_delivery.py": "one flow with who asks it: unit/web/test_notifier.py",
    "web/password_change.py": "one flow with its handler: test_account.py there",
    "web/login_destination.py": "one flow with its handlers: unit/web/handlers/",
    "web/login_form.py": "one flow with its handler: unit/web/handlers/test_login.py",
    "web/linking.py": "one flow with its handlers: unit/web/handlers/test_link.py",
    "cli/demo.py": "starts real processes: tests/browser/test_demo_walk.py",
    "doctor/aliases.py": "through real proxies: integration/test_doctor_proxies.py",
    "doctor/case.py": "values alone: tests/support/cases.py makes them",
    "doctor/examination.py": "the whole of it: tests/integration/test_doctor.py",
    "doctor/exposure.py": "as seen through real proxies: integration/test_doctor.py",
    "doctor/portal.py": "as seen through real proxies: integration/test_doctor.py",
    "doctor/sign_in.py": "as seen through real proxies: integration/test_doctor.py",
    "doctor/site.py": "as seen through real proxies: integration/test_doctor.py",
    "demo/stage.py": "starts real processes: tests/browser/test_demo_walk.py",
    "migration/authelia/source.py": "as read by all of unit/migration/authelia/",
    "migration/choices.py": "values alone: each is tested where it is read",
    "migration/outcome.py": "values alone: unit/cli/test_imports.py",
    "attempts/judge.py": "as every store applies it: unit/users/throttle_contract.py",
    "attempts/store.py": "declarations; its laws: unit/users/throttle_contract.py",
    "sessions/events.py": "declarations; its laws: unit/sessions/event_contract.py",
    "sessions/store.py": "declarations; its laws: tests/unit/sessions/contract.py",
    "sessions/stores/redis.py": "needs a server: tests/integration/test_redis_store.py",
    "sessions/bulk.py": "declarations; its laws: integration/test_redis_store.py",
    "sessions/stores/redis_creation.py": "as redis.py, whose first steps it takes",
    "sessions/stores/redis_attempt_scripts.py": "as redis.py: test_redis_attempts.py",
    "sessions/stores/redis_attempts.py": "as redis.py: test_redis_attempts.py there",
    "sessions/stores/redis_batch.py": "as redis.py: integration/test_redis_batches.py",
    "sessions/stores/redis_client.py": "as redis.py, which is its one caller",
    "sessions/stores/redis_durability.py": "as redis.py: test_redis_durability.py",
    "sessions/stores/redis_clocks.py": "as redis.py: integration/test_doctor_redis.py",
    "sessions/stores/redis_lane.py": "as redis.py: integration/test_redis_lane.py",
    "sessions/stores/redis_message.py": "as redis_lane.py, which sends it",
    "sessions/stores/redis_library.py": "as redis.py, whose servers it finds",
    "sessions/stores/redis_replicas.py": "as redis.py: test_redis_failover.py",
    "sessions/stores/redis_scripts.py": "as redis.py, which sends them",
    "web/keys.py": "names alone: whoever asks for a missing one fails",
    "web/settings.py": "values alone: tests/unit/test_app.py and all handlers",
}
"""Modules without a unit test that mirrors them, each with the reason."""

WITHOUT_STATUS: Final = {
    "UnreadableJournalError": "is a StoreUnavailableError, and has its status",
    "ConfigError": "the service does not start with one: exit status 2",
    "SelfTestError": "the service does not start with one: exit status 1",
    "WorkerRefusedError": "of a reload, which is logged and changes nothing",
    "WorkerFailedError": "raised in the process that serves nothing: exit status 1",
}
"""Errors that no request can meet, each with the reason."""

HOMES: Final = {
    "aiohttp": (
        *("web/", "composition/", "app.py", "demo/"),
        *("cli/service.py", "cli/requests_in_hand.py", "cli/prepared.py"),
        "doctor/exchange.py",
    ),
    "argon2": ("users/hashes.py",),
    "babel": ("web/",),
    "click": ("cli/",),
    "hiredis": ("sessions/stores/redis_lane.py",),
    "idna": ("target_url.py", "allowed_targets.py", "config/"),
    "jinja2": ("web/",),
    "joserfc": ("web/logout_tokens.py",),
    "markupsafe": ("web/",),
    "passlib": ("users/hashes.py",),
    "pickle": ("cli/configuration.py",),
    "prometheus_client": ("web/", "app.py"),
    "publicsuffixlist": ("config/",),
    "re2": ("access_control/regexes.py",),
    "opentelemetry": ("web/tracing.py",),
    "redis": ("sessions/stores/redis",),
    "sqlite3": ("sessions/stores/sqlite",),
    "ua_parser": ("web/devices.py",),
    "uvloop": ("cli/event_loop.py",),
    "yaml": ("config/", "users/document.py"),
    "yarl": ("doctor/exchange.py",),
    "zxcvbn": ("users/policy.py",),
}
"""Where packages of others, SQLite and pickle may be imported: beginnings of paths."""

IMPORT_NAMES: Final = {
    "argon2-cffi": "argon2",
    "google-re2": "re2",
    "libpass": "passlib",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "prometheus-client": "prometheus_client",
    "pyyaml": "yaml",
}
"""Distributions that are imported by another name than their own."""

OWN: Final = sys.stdlib_module_names | {"forwardauth", "tests"}

INDIRECT: Final = frozenset({"bcrypt"})
"""Dependencies that another one imports: libpass needs a backend for bcrypt."""

OPTIONAL: Final = frozenset({"opentelemetry", "uvloop"})
"""Packages of an extra, imported where they are installed."""

SYSTEM_TIME: Final = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    | {"time.time", "time.time_ns"}
)

# Written in pieces, so that this file passes its own test.
FOREIGN_WORDS: Final = re.compile(
    "|".join(
        (
            "/wo" + "rk/",
            "/opt/" + "wheels",
            r"\.\./" + "shared",
            "(?:SPEC|STYLE|FACTS|LOGOUT|VERIFY)" + r"\.md",
            r"(?i:\bcla" + r"ude\b)",
            "(?i:anthro" + "pic)",
            "(?i:open" + "ai)",
            "(?i:chat" + "gpt)",
            "(?i:copi" + "lot)",
            r"(?i:(?<!home )\bassis" + r"tants?\b)",
            r"(?i:\bsub-?ag" + r"ents?\b)",
            r"(?i:language mo" + "del)",
            r"\bL" + r"LMs?\b",
            "(?i:pypi" + r"\.org)",
            "(?i:python" + "hosted)",
            r"(?i:debian\." + "org)",
            r"(?i:npmjs\." + "com|crates" + r"\.io)",
        )
    )
)


def _lines(offenders: Iterable[str]) -> str:
    """Return the offenders one on a line: pytest shortens a long list."""
    return "\n".join(("", *sorted(offenders), ""))


def _declared(group: str) -> set[str]:
    """Return the import names of the dependencies, or of the extra *group*."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project.get(group) or project["optional-dependencies"][group]
    names = {re.split("[<>=!~ ]", line, maxsplit=1)[0].lower() for line in lines}
    return {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}


def _asks_for_the_time(node: ast.AST) -> bool:
    match node:
        case ast.Attribute():
            return ".".join(ast.unparse(node).split(".")[-2:]) in SYSTEM_TIME
        case ast.ImportFrom(module="time"):
            return any(f"time.{alias.name}" in SYSTEM_TIME for alias in node.names)
        case _:
            return False


def _all_errors(base: type[ForwardAuthError]) -> Iterator[type[ForwardAuthError]]:
    for error in base.__subclasses__():
        if error.__module__.startswith("forwardauth."):  # Tests have some, too.
            yield error
        yield from _all_errors(error)


def test_every_module_says_what_it_owns() -> None:
    """Each Python file of the package and of the tests has a docstring."""
    offenders = [
        name
        for top in (PACKAGE, ROOT / "tests")
        for name, tree in trees(top)
        if ast.get_docstring(tree) is None
    ]

    assert not offenders, _lines(offenders)


def test_every_public_definition_is_documented() -> None:
    """Each public function, class and method of the package has a docstring."""
    offenders = [
        place for name, tree in trees(PACKAGE) for place in undocumented(name, tree)
    ]

    assert not offenders, _lines(offenders)


def test_every_test_states_its_fact() -> None:
    """Each test function has a docstring, which is what a failure is read by."""
    offenders = [
        f"{name}::{node.name}"
        for name, tree in trees(ROOT / "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_")
        if ast.get_docstring(node) is None
    ]

    assert not offenders, _lines(offenders)


def test_every_module_has_a_unit_test_that_mirrors_it() -> None:
    """``a/b.py`` is tested by ``tests/unit/a/test_b.py``, or a reason is given."""
    modules = {name for name, _ in trees(PACKAGE) if not name.endswith("__init__.py")}
    untested = {
        name
        for name in modules
        if not (
            ROOT / "tests/unit" / Path(name).with_name(f"test_{Path(name).name}")
        ).exists()
    }

    offenders = untested ^ TESTED_ELSEWHERE.keys()

    assert not offenders, _lines(offenders)


def test_every_unit_test_mirrors_a_module() -> None:
    """No test outlives the module, or the folder, it was written for."""
    tests = [
        Path(name)
        for name, _ in trees(ROOT / "tests/unit")
        if Path(name).name.startswith("test_") and name != "test_repository.py"
    ]
    mirrored = {
        test: PACKAGE / test.with_name(test.name.removeprefix("test_"))
        for test in tests
    }

    offenders = [
        test.as_posix()
        for test, module in mirrored.items()
        if not module.exists() and not module.with_suffix("").is_dir()
    ]

    assert not offenders, _lines(offenders)


def test_modules_stay_short() -> None:
    """A module above 250 lines is listed with the reason why."""
    long = {
        name
        for name, _ in trees(PACKAGE)
        if len((PACKAGE / name).read_text("utf-8").splitlines()) > MAX_LINES
    }

    offenders = long ^ LONG_MODULES.keys()

    assert not offenders, _lines(offenders)


def test_readme_stays_short() -> None:
    """The README is read in one sitting."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()

    assert len(lines) <= MAX_README_LINES


def test_every_adapter_ships_a_deployment_and_a_page() -> None:
    """A proxy that we speak to can be set up by copying, and read about."""
    needed = [
        path
        for adapter in create_adapters(IdentityHeaders())
        for path in (
            f"deploy/{adapter.name}/docker-compose.yaml",
            f"docs/proxies/{adapter.name}.md",
        )
    ]

    offenders = [path for path in needed if not (ROOT / path).is_file()]

    assert not offenders, _lines(offenders)


def test_every_error_has_a_status() -> None:
    """The one table of the web layer maps each error of ours, never to a success."""
    for module in pkgutil.walk_packages(forwardauth.__path__, "forwardauth."):
        importlib.import_module(module.name)
    errors = importlib.import_module("forwardauth.web.middlewares.errors")
    statuses = errors.STATUS_BY_ERROR

    ours = set(_all_errors(ForwardAuthError))

    missing = {error.__name__ for error in ours - statuses.keys()}
    offenders = missing ^ WITHOUT_STATUS.keys()
    offenders |= {e.__name__ for e, (status, _) in statuses.items() if status < 400}

    assert not offenders, _lines(offenders)


def test_only_the_clock_asks_for_the_time() -> None:
    """No module but ``clock`` reads the system's time, so tests can hold it still."""
    offenders = [
        f"{name}: {ast.unparse(node)}"
        for name, tree in trees(PACKAGE)
        if name != "clock.py"
        for node in ast.walk(tree)
        if _asks_for_the_time(node)
    ]

    assert not offenders, _lines(offenders)


def test_third_party_packages_stay_at_home() -> None:
    """Each foreign package is imported only where it belongs."""
    offenders = [
        f"{name} imports {package}"
        for name, tree in trees(PACKAGE)
        for package in sorted(set(imported(tree)))
        if package in HOMES or package not in OWN
        if not name.startswith(HOMES.get(package, ("nowhere",)))
    ]

    assert not offenders, _lines(offenders)


def test_every_dependency_is_declared_and_used() -> None:
    """What is imported is in ``pyproject.toml``, and what is there is imported."""
    declared = _declared("dependencies") - INDIRECT
    used = {package for _, tree in trees(PACKAGE) for package in imported(tree)}

    offenders = declared ^ (used - OWN - OPTIONAL)

    assert not offenders, _lines(offenders)


def test_every_package_that_tests_import_is_declared() -> None:
    """The ``test`` extra and the dependencies are enough to run the tests."""
    used = {package for _, tree in trees(ROOT / "tests") for package in imported(tree)}

    offenders = used - OWN - _declared("dependencies") - _declared("test")

    assert not offenders, _lines(offenders)


def test_repository_speaks_of_itself_alone() -> None:
    """No file names the places and tools it was written with."""
    offenders = [
        f"{name}: {found[0]}"
        for name, text in texts()
        for found in FOREIGN_WORDS.finditer(text)
    ]

    assert not offenders, _lines(offenders)


def test_links_between_documents_lead_somewhere() -> None:
    """No page links to a file that is not there."""
    offenders = [
        f"{name} -> {target}"
        for name, text in texts()
        if name.endswith(".md")
        for target in re.findall(
            r"\]\(<?([^)\s>#]+)", re.sub("(?s)```.*?```", "", text)
        )
        if not re.match(r"[a-z]+:", target)
        if not (ROOT / name).parent.joinpath(target).exists()
    ]

    assert not offenders, _lines(offenders)


def test_paths_that_documents_name_exist() -> None:
    """A page that sends readers to a file or folder sends them to one that is there."""
    offenders = [
        f"{name} -> {path}"
        for name, text in texts()
        if name.endswith(".md")
        for path in re.findall(
            r"`((?:forwardauth|tests|script|deploy|docs)/[^`]*?)(?:::\w+)?`", text
        )
        if not re.search(r"[<>*{}…\s]", path)
        if not (ROOT / path).exists()
    ]

    assert not offenders, _lines(offenders)


def test_scripts_can_be_run() -> None:
    """Each script says what runs it and may be executed."""
    scripts = [*(ROOT / "script").iterdir(), ROOT / ".ci/run"]

    offenders = [
        path.name
        for path in scripts
        if not os.access(path, os.X_OK) or not path.read_bytes().startswith(b"#!")
    ]

    assert not offenders, _lines(offenders)


def test_every_guarantee_has_its_proofs() -> None:
    """Each promise names the tests that prove it, and each proof has its promise.

    ``python -m tests.support.guarantees`` writes the column anew.
    """
    promised, proven = promises(DOCUMENT.read_text("utf-8")), proofs()

    offenders = {
        *(f"{name}: no test names it" for name in promised.keys() - proven.keys()),
        *(f"{name}: no promise" for name in proven.keys() - promised.keys()),
        *(
            f"{name}: another column"
            for name in promised.keys() & proven.keys()
            if promised[name] != proven[name]
        ),
    }

    assert not offenders, _lines(offenders)


def test_every_threat_has_its_proofs() -> None:
    """What the threat model names is there, and no defence is without a test."""
    rows = list(threats(THREATS.read_text("utf-8")))

    offenders = [f"{row.id} {fault}" for row in rows for fault in faults(row)]
    numbers = [int(row.id.removeprefix("T-")) for row in rows]

    assert not offenders, _lines(offenders)
    assert numbers == list(range(1, len(rows) + 1)), "each row has the next number"
    assert rows, "the table is where it is looked for"
