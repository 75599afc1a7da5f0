"""Inspection: everything that would keep the service from starting, at once."""

from pathlib import Path

import pytest

from forwardauth.config.inspection import inspect
from forwardauth.config.keys import KEYS, variable_of
from forwardauth.errors import ConfigError
from forwardauth.web.signing import KEY_FILE, check_key
from tests.support.configuration import COMPLETE, USERS, write_config
from tests.support.users import ARGON2ID, entry, write_users

FIVE_DOMAINS = """\
cookies:
  - {domain: com, portal: 'https://auth.com'}
  - {domain: 10.0.0.1, portal: 'https://10.0.0.1'}
  - {domain: example.com, portal: 'https://auth.example.net'}
  - {domain: a.example.com, portal: nonsense}
  - {domain: .example.org, portal: 'https://auth.example.org'}
"""


def told(
    folder: Path, text: str, environ: dict[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Return file with line, key and reason of each problem, in order."""
    try:
        inspect(write_config(folder, text), environ or {}, check_key=check_key)
    except ConfigError as exc:
        lines = [str(problem).replace(f"{folder}/", "") for problem in exc.problems]
        parts = [line.split(": ", maxsplit=2) for line in lines]
        return [(where, key, rest) for where, key, rest in parts]
    return []


def places(
    folder: Path, text: str, environ: dict[str, str] | None = None
) -> list[tuple[str, str]]:
    """Return file with line, and key, of each problem, in order."""
    return [(where, key) for where, key, _ in told(folder, text, environ)]


@pytest.fixture(autouse=True)
def _users(tmp_path: Path) -> None:
    """Start with one user."""
    write_users(tmp_path / "users.yaml", entry("alice", ARGON2ID))


def test_what_can_be_started_comes_with_its_users_and_places(tmp_path: Path) -> None:
    """Whoever warns about a rule can tell the line of it."""
    text = COMPLETE + "portal:\n  title: Hello\n"

    found = inspect(write_config(tmp_path, text), {}, check_key=check_key)

    assert found.settings.portal.title == "Hello"
    assert list(found.users.users) == ["alice"]
    assert found.warnings == ()
    assert found.place_of("portal.title").line == 7


def test_an_unknown_key_does_not_hide_the_users_file(tmp_path: Path) -> None:
    """The users file is told where the configuration names it."""
    (tmp_path / "users.yaml").chmod(0o666)

    assert places(tmp_path, COMPLETE + "sesion: {}\n") == [
        ("config.yaml:2", "users.file"),
        ("config.yaml:6", "sesion"),
    ]


def test_keys_that_do_not_fit_hide_no_file(tmp_path: Path) -> None:
    """Cross-key problems, folders and the users file, in the order of the lines."""
    (tmp_path / "users.yaml").unlink()
    text = (
        f"{COMPLETE}  - domain: a.example.com\n    portal: https://auth.a.example.com\n"
        "portal:\n  templates: nope\n"
        "session:\n  idle_timeout: 48h\n  journal: none/journal\n"
    )

    assert places(tmp_path, text) == [
        ("config.yaml:2", "users.file"),
        ("config.yaml:6", "cookies.1.domain"),
        ("config.yaml:9", "portal.templates"),
        ("config.yaml:11", "session.idle_timeout"),
        ("config.yaml:12", "session.journal"),
    ]


def test_mistakes_in_the_users_file_come_last_with_its_lines(tmp_path: Path) -> None:
    """They stand in another file, and none hides the rest."""
    write_users(tmp_path / "users.yaml", "  alice: {password: secret}\n  bob: []\n")

    path = write_config(tmp_path, COMPLETE + "logout: {scope: x}\n")

    with pytest.raises(ConfigError) as caught:
        inspect(path, {"FORWARDAUTH_SESSION__IDLE_TIMEOUT": "1"}, check_key=check_key)

    texts = [str(problem) for problem in caught.value.problems]
    assert [text.partition(": ")[0] for text in texts] == [
        f"{path}:6",
        "FORWARDAUTH_SESSION__IDLE_TIMEOUT",
        f"{tmp_path}/users.yaml:2",
        f"{tmp_path}/users.yaml:3",
    ]


def test_nested_domains_are_told_though_their_portals_are_faulty(
    tmp_path: Path,
) -> None:
    """A portal that is mended later does not bring up a second problem."""
    assert places(tmp_path, USERS + FIVE_DOMAINS) == [
        ("config.yaml:4", "cookies.0.domain"),
        ("config.yaml:5", "cookies.1.domain"),
        ("config.yaml:6", "cookies.2.portal"),
        ("config.yaml:7", "cookies.3.portal"),
        ("config.yaml:7", "cookies.3.domain"),
        ("config.yaml:8", "cookies.4.domain"),
    ]


NAMED = {
    "journal": ("session:\n  journal: none/j\n", 7, "session.journal"),
    "store": ("session:\n  store: sqlite:none/s\n", 7, "session.store"),
    "listen": ("server:\n  listen: unix:none/s\n", 7, "server.listen"),
    "item": (
        "server:\n  listen:\n    - 127.0.0.1:1\n    - unix:none/s\n",
        9,
        "server.listen.1",
    ),
    "management": ("server:\n  management: unix:none/s\n", 7, "server.management"),
    "templates": ("portal:\n  templates: none\n", 7, "portal.templates"),
    "a file for a folder": (
        "portal:\n  templates: users.yaml\n",
        7,
        "portal.templates",
    ),
    "a folder for a file": ("session:\n  journal: .\n", 7, "session.journal"),
    "longer than a name may be": (
        f"session:\n  journal: {'x' * 300}/j\n",
        7,
        "session.journal",
    ),
    "longer than a path may be": (
        f"portal:\n  templates: {'x/' * 5_000}\n",
        7,
        "portal.templates",
    ),
    "long name of a file": (
        f"session:\n  store: sqlite:{'é' * 300}\n",
        7,
        "session.store",
    ),
}


@pytest.mark.parametrize(("text", "line", "key"), NAMED.values(), ids=NAMED)
def test_what_cannot_be_used_is_told_with_the_line_that_names_it(
    tmp_path: Path, text: str, line: int, key: str
) -> None:
    """An editor can jump there."""
    assert places(tmp_path, COMPLETE + text) == [(f"config.yaml:{line}", key)]


def test_a_listener_is_told_of_beside_one_that_is_refused(tmp_path: Path) -> None:
    """Neither hides the other, and each is told with its own line."""
    text = "server:\n  listen:\n    - nonsense\n    - unix:none/s\n"

    assert places(tmp_path, COMPLETE + text) == [
        ("config.yaml:8", "server.listen.0"),
        ("config.yaml:9", "server.listen.1"),
    ]


def test_a_default_is_told_with_the_line_of_its_section(tmp_path: Path) -> None:
    """There is no line of its own, and the section is where one would be added."""
    (tmp_path / "revocations.journal").mkdir()

    assert places(tmp_path, COMPLETE + "session:\n  same_site: lax\n") == [
        ("config.yaml:6", "session.journal")
    ]


def test_what_the_environment_names_is_told_with_the_variable(tmp_path: Path) -> None:
    """The file has no line for it."""
    environ = {
        "FORWARDAUTH_SESSION__JOURNAL": str(tmp_path / "none/journal"),
        "FORWARDAUTH_USERS__FILE": str(tmp_path / "nobody.yaml"),
    }

    assert places(tmp_path, COMPLETE, environ) == [
        ("FORWARDAUTH_SESSION__JOURNAL", "session.journal"),
        ("FORWARDAUTH_USERS__FILE", "users.file"),
    ]


def test_a_key_that_cannot_be_used_is_told_with_the_rest(tmp_path: Path) -> None:
    """Where no secret is set, the service would not start without it."""
    (tmp_path / KEY_FILE).write_bytes(b"short")
    text = COMPLETE + "session:\n  same_site: x\n"

    assert places(tmp_path, text) == [
        ("config.yaml:6", "session.secret"),
        ("config.yaml:7", "session.same_site"),
    ]
    assert told(tmp_path, f"{COMPLETE}session: {{secret: {'x' * 32}}}\n") == []


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The message of the system alone would not say which file it means."""
    (tmp_path / KEY_FILE).mkdir()

    ((_, key, reason),) = told(tmp_path, COMPLETE)

    assert key == "session.secret"
    assert f"{KEY_FILE}: Is a directory" in reason


REFUSED_AT_START = """\
server:
  listen: 0.0.0.0:9091
  trusted_proxies: []
cookies:
  - {domain: co.uk, portal: 'https://auth.co.uk'}
  - {domain: github.io, portal: 'https://auth.github.io'}
  - {domain: 192.0.2.1, portal: 'https://192.0.2.1'}
  - {domain: example.com, portal: 'https://auth.example.net'}
  - {domain: apps.example.com, portal: 'https://auth.apps.example.com'}
logout:
  allowed_targets:
    - '*'
    - https://me@app.example.net
    - https://*.github.io
users:
  file: users.yaml
"""


def test_whatever_is_refused_at_start_is_refused_at_once(tmp_path: Path) -> None:
    """Cookie domains, targets, trust and the users file, each in its own line."""
    (tmp_path / "users.yaml").chmod(0o666)

    assert places(tmp_path, REFUSED_AT_START) == [
        ("config.yaml:3", "server.trusted_proxies"),
        ("config.yaml:5", "cookies.0.domain"),
        ("config.yaml:6", "cookies.1.domain"),
        ("config.yaml:7", "cookies.2.domain"),
        ("config.yaml:8", "cookies.3.portal"),
        ("config.yaml:9", "cookies.4.domain"),
        ("config.yaml:12", "logout.allowed_targets.0"),
        ("config.yaml:13", "logout.allowed_targets.1"),
        ("config.yaml:14", "logout.allowed_targets.2"),
        ("config.yaml:16", "users.file"),
    ]


def test_one_missing_folder_is_one_problem(tmp_path: Path) -> None:
    """It is told once, with every key that needs it."""
    text = (
        "users:\n  file: none/users.yaml\n"
        "session:\n  journal: none/j\n  store: sqlite:none/s\n"
        f"{COMPLETE.removeprefix(USERS)}"
    )

    ((where, key, reason),) = told(tmp_path, text)

    assert (where, key) == ("config.yaml:2", "users.file")
    assert "session.journal and session.store" in reason


def test_a_value_that_is_refused_is_not_looked_for_as_well(tmp_path: Path) -> None:
    """One cause, one problem: a default is no stand-in for a mistake."""
    (tmp_path / "users.yaml").unlink()
    text = (
        "users:\n  file: [users.yaml]\n"
        "session:\n  store: sqlite\n  journal: {a: b}\nportal:\n  templates: []\n"
        f"{COMPLETE.removeprefix(USERS)}"
    )
    (tmp_path / "sessions.db").mkdir()

    assert places(tmp_path, text) == [
        ("config.yaml:2", "users.file"),
        ("config.yaml:4", "session.store"),
        ("config.yaml:5", "session.journal"),
        ("config.yaml:7", "portal.templates"),
    ]


def test_a_path_cannot_take_over_the_terminal(tmp_path: Path) -> None:
    """What is shown of it is escaped."""
    ((_, _, reason),) = told(
        tmp_path, COMPLETE + 'portal:\n  templates: "a\\e[31m\\nb"\n'
    )

    assert reason.isprintable()


def test_a_store_that_may_come_later_is_a_warning(tmp_path: Path) -> None:
    """The service starts while its store is down, and says so; a check refuses it."""
    path = write_config(tmp_path, COMPLETE + "session:\n  store: sqlite:none/s\n")

    (warning,) = inspect(
        path, {}, may_store_come_later=True, check_key=check_key
    ).warnings

    assert str(warning.place) == f"{path}:7: session.store"
    with pytest.raises(ConfigError):
        inspect(path, {}, check_key=check_key)


def test_an_entry_that_nests_with_several_is_told_once(tmp_path: Path) -> None:
    """Three entries, two of them too many."""
    names = ("a.example.com", "b.a.example.com", "example.com", "example.com")
    entries = [f"  - {{domain: {n}, portal: 'https://auth.{n}'}}\n" for n in names]

    assert places(tmp_path, f"{USERS}cookies:\n{''.join(entries)}") == [
        ("config.yaml:5", "cookies.1.domain"),
        ("config.yaml:6", "cookies.2.domain"),
        ("config.yaml:7", "cookies.3.domain"),
    ]


ONE_CAUSE = {
    "a tag": ("session:\n  idle_timeout: !!binary aGk=\n", "session.idle_timeout"),
    "a tag in a list": ("logout:\n  paths: [!x a]\n", "logout.paths.0"),
    "null for entries": (
        "access_control:\n  rules:\n",
        "access_control.rules",
    ),
    "null in a list": ("logout:\n  paths: [null]\n", "logout.paths.0"),
    "a list in a list": ("logout:\n  paths: [[/a]]\n", "logout.paths.0"),
    "a value for keys": ("session: 5\n", "session"),
}


@pytest.mark.parametrize(("text", "key"), ONE_CAUSE.values(), ids=ONE_CAUSE)
def test_one_cause_is_one_problem(tmp_path: Path, text: str, key: str) -> None:
    """What only follows from a mistake is not a second one."""
    assert [key for _, key in places(tmp_path, COMPLETE + text)] == [key]


@pytest.mark.parametrize("value", ["5", "[users.yaml]", "users.yaml"])
def test_a_required_key_is_not_missing_from_what_holds_no_keys(
    tmp_path: Path, value: str
) -> None:
    """Only the shape is told."""
    text = f"users: {value}\n{COMPLETE.removeprefix(USERS)}"

    assert places(tmp_path, text) == [("config.yaml:1", "users")]


@pytest.mark.parametrize(
    ("text", "is_offered"),
    [
        (f"users:\n  file:\n{COMPLETE.removeprefix(USERS)}", False),
        (f"{USERS}cookies:\n", False),
        (f"{COMPLETE}session:\n  same_site:\n", True),
        (f"{COMPLETE}access_control:\n  rules:\n", True),
    ],
    ids=["file", "cookies", "same_site", "rules"],
)
def test_nobody_is_told_to_leave_out_what_is_required(
    tmp_path: Path, text: str, is_offered: bool
) -> None:
    """A remedy that brings up the next problem is none."""
    ((_, _, rest),) = told(tmp_path, text)

    assert ("leave the key out" in rest) is is_offered


NO_FILE = {
    "blank": ("", "names no file"),
    "missing": ("nowhere", "cannot read nowhere: No such file or directory"),
    "long": ("x" * 5_000, "…" + "x" * 200),
    "no UTF-8": ("a\udcff", r"'a\udcff'"),
}


@pytest.mark.parametrize(("name", "words"), NO_FILE.values(), ids=NO_FILE)
def test_a_file_of_a_variable_that_cannot_be_read_is_named_in_one_line(
    tmp_path: Path, name: str, words: str
) -> None:
    """Whatever the variable holds, the message stays readable."""
    ((where, key, rest),) = told(
        tmp_path, COMPLETE, {"FORWARDAUTH_SESSION__SECRET_FILE": name}
    )

    assert (where, key) == ("FORWARDAUTH_SESSION__SECRET_FILE", "session.secret")
    assert words in rest
    assert rest.isprintable()
    assert len(rest) < 400


@pytest.mark.parametrize("value", ["null", "~", " null ", ""])
def test_null_in_a_variable_is_null_for_a_list_too(tmp_path: Path, value: str) -> None:
    """It is no entry that happens to be called so."""
    ((_, key, rest),) = told(tmp_path, COMPLETE, {"FORWARDAUTH_LOGOUT__PATHS": value})

    assert key == "logout.paths"
    assert rest.startswith("is empty")


def test_the_name_of_a_variable_cannot_take_over_the_terminal(tmp_path: Path) -> None:
    """It is escaped as values are."""
    path = write_config(tmp_path, COMPLETE)

    with pytest.raises(ConfigError) as caught:
        inspect(path, {"FORWARDAUTH_A\x1b[31m": "1"}, check_key=check_key)

    assert str(caught.value).isprintable()


ANY_SHAPE = {
    "null": "null",
    "list": "[a, b]",
    "list of lists": "[[a]]",
    "list of null": "[null]",
    "keys": "{a: b}",
    "list of keys": "[{a: b}]",
    "number": "17",
    "real": "-1.5",
    "bool": "true",
    "date": "2020-01-01",
    "long": "x" * 5_000,
    "not ASCII": "ünï",
    "control": '"a\\e[31m\\nb"',
    "tag": "!!binary aGk=",
}


PLAIN_KEYS = [key for key in KEYS if "*" not in key and "." in key]


@pytest.mark.parametrize("value", ANY_SHAPE.values(), ids=ANY_SHAPE)
def test_a_value_of_any_shape_is_taken_or_told_in_its_own_line(
    tmp_path: Path, value: str
) -> None:
    """One line of the terminal each, and no value fails in another way."""
    lines = COMPLETE.removeprefix(USERS).splitlines()
    lines_of = {}
    for key in PLAIN_KEYS:
        section, _, name = key.rpartition(".")
        if f"{section}:" not in lines:
            lines.append(f"{section}:")
        lines.append(f"  {name}: {value}")
        lines_of[key] = f"config.yaml:{len(lines)}"

    found = told(tmp_path, "\n".join(lines))

    assert found
    for where, told_key, reason in found:
        key = ".".join(told_key.split(".")[:2])
        assert where == lines_of[key], told_key
        assert reason.isprintable(), told_key
        assert len(reason) < 500, told_key


@pytest.mark.parametrize("value", ANY_SHAPE.values(), ids=ANY_SHAPE)
def test_a_variable_with_any_value_is_taken_or_told(tmp_path: Path, value: str) -> None:
    """The variable is named, and nothing fails in another way."""
    keys = [key.replace("*", "0") for key in KEYS if "query" not in key]
    leaves = [
        key for key in keys if not any(each.startswith(f"{key}.") for each in keys)
    ]
    names = {variable_of(key): value for key in leaves}

    found = told(tmp_path, COMPLETE, names)

    assert found
    for where, key, reason in found:
        assert where in names, key
        assert reason.isprintable(), key
        assert len(reason) < 500, key
