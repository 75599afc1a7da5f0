"""The environment: every key, every index, every file, and no silent misspelling."""

from pathlib import Path

import pytest

from forwardauth.access_control.decision import Policy
from forwardauth.config.keys import KEYS, variable_of
from forwardauth.config.load import load_settings
from tests.support.configuration import load_text, problems_in, warnings_in

ALONE = {
    "FORWARDAUTH_COOKIES__0__DOMAIN": "example.com",
    "FORWARDAUTH_COOKIES__0__PORTAL": "https://auth.example.com",
    "FORWARDAUTH_USERS__FILE": "users.yaml",
}


def problem_of(environ: dict[str, str]) -> str:
    """Return the one problem of *environ* on top of what is required."""
    (problem,) = problems_in(None, ALONE | environ)
    return str(problem)


def test_the_environment_alone_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file the defaults hold, and paths start at the working folder."""
    monkeypatch.chdir(tmp_path)

    settings = load_settings(None, ALONE)

    assert settings.domains.home.name == "example.com"
    assert settings.users.file == tmp_path / "users.yaml"
    assert settings.session.store == f"sqlite:{tmp_path}/sessions.db"
    assert settings.source is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A variable replaces one key and leaves its neighbours alone."""
    settings = load_text(
        tmp_path,
        "session:\n  store: memory\n  same_site: strict\n",
        {"FORWARDAUTH_SESSION__STORE": "redis://redis"},
    )

    assert settings.session.store == "redis://redis"
    assert settings.session.same_site == "strict"


def test_a_variable_sets_a_key_below_a_section_without_keys(tmp_path: Path) -> None:
    """``portal:`` with nothing below it is still a section."""
    settings = load_text(tmp_path, "portal:\n", {"FORWARDAUTH_PORTAL__TITLE": "Hi"})

    assert settings.portal.title == "Hi"


def test_relative_paths_start_where_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable's path starts at the working folder, the file's at the file."""
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)

    settings = load_text(
        folder,
        "session: {journal: j}\n",
        {"FORWARDAUTH_SESSION__STORE": "sqlite:a.db", "FORWARDAUTH_USERS__FILE": "u"},
    )

    assert settings.session.journal == folder / "j"
    assert settings.session.store == f"sqlite:{tmp_path}/a.db"
    assert settings.users.file == tmp_path / "u"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("/logout", ("/logout",)),
        ("/a,/b", ("/a", "/b")),
        (" /a , /b ", ("/a", "/b")),
        ("[/a, /b]", ("/a", "/b")),
        ('["/a"]', ("/a",)),
        ("[]", ()),
    ],
)
def test_lists_are_written_with_commas_or_in_brackets(
    tmp_path: Path, text: str, paths: tuple[str, ...]
) -> None:
    """Both spellings mean the same."""
    settings = load_text(tmp_path, "", {"FORWARDAUTH_LOGOUT__PATHS": text})

    assert settings.logout.paths == paths


def test_whole_lists_of_entries_are_written_as_yaml() -> None:
    """A list of mappings fits into one variable."""
    settings = load_settings(
        None,
        ALONE
        | {
            "FORWARDAUTH_ACCESS_CONTROL__RULES": (
                "[{domain: a.example.com, policy: bypass},"
                " {domain: '*.example.com', policy: one_factor}]"
            )
        },
    )

    policies = [rule.policy for rule in settings.access_control.rules]
    assert policies == [Policy.BYPASS, Policy.ONE_FACTOR]


def test_an_index_changes_one_key_of_one_entry(tmp_path: Path) -> None:
    """The rest of the entry stays as the file has it."""
    settings = load_text(
        tmp_path, "", {"FORWARDAUTH_COOKIES__0__PORTAL": "https://login.example.com"}
    )

    assert str(settings.domains.home.portal) == "https://login.example.com"
    assert settings.domains.home.name == "example.com"


def test_the_next_index_adds_an_entry(tmp_path: Path) -> None:
    """A second domain can come from the environment alone."""
    settings = load_text(
        tmp_path,
        "",
        {
            "FORWARDAUTH_COOKIES__1__DOMAIN": "example.net",
            "FORWARDAUTH_COOKIES__1__PORTAL": "https://auth.example.net",
        },
    )

    names = [domain.name for domain in settings.domains.entries]
    assert names == ["example.com", "example.net"]


def test_indexes_count_as_numbers() -> None:
    """Entry 10 follows entry 9, not entry 1."""
    environ = dict(ALONE)
    for index in range(11):
        prefix = f"FORWARDAUTH_ACCESS_CONTROL__RULES__{index}__"
        environ[prefix + "DOMAIN"] = f"a{index}.example.com"
        environ[prefix + "POLICY"] = "one_factor"

    rules = load_settings(None, environ).access_control.rules

    assert [str(rule.domains[0]) for rule in rules] == [
        f"a{index}.example.com" for index in range(11)
    ]


def test_a_whole_list_comes_before_its_entries() -> None:
    """``COOKIES`` and ``COOKIES__0__PORTAL`` together are no matter of luck."""
    settings = load_settings(
        None,
        {
            "FORWARDAUTH_USERS__FILE": "users.yaml",
            "FORWARDAUTH_COOKIES": "[{domain: example.com, portal: 'https://example.com'}]",
            "FORWARDAUTH_COOKIES__0__PORTAL": "https://auth.example.com",
        },
    )

    assert str(settings.domains.home.portal) == "https://auth.example.com"


def test_an_index_with_a_gap_is_a_problem() -> None:
    """An entry that nobody described is not made up."""
    problem = problem_of({"FORWARDAUTH_COOKIES__2__DOMAIN": "example.net"})

    assert "follows no entry 1" in problem


def test_the_empty_variable_is_null(tmp_path: Path) -> None:
    """Compose files pass variables on that nobody set."""
    settings = load_text(
        tmp_path,
        "session: {remember_me: 7d}\n",
        {"FORWARDAUTH_SESSION__REMEMBER_ME": "", "FORWARDAUTH_SESSION__SECRET": "null"},
    )

    assert settings.session.remember_me is None
    assert settings.session.secret is None


@pytest.mark.parametrize("name", ["SESSION__STORE", "LOGOUT__PATHS"])
def test_the_empty_variable_is_a_problem_where_null_is(name: str) -> None:
    """An empty value does not fall back to the default."""
    assert "is empty" in problem_of({f"FORWARDAUTH_{name}": ""})


def test_a_problem_names_the_variable_it_came_from() -> None:
    """There is no line, and the file is not to blame."""
    problem = problem_of({"FORWARDAUTH_SESSION__IDLE_TIMEOUT": "soon"})

    assert problem.startswith(
        "FORWARDAUTH_SESSION__IDLE_TIMEOUT: session.idle_timeout: 'soon' is not"
    )


def test_a_value_can_come_from_a_file(tmp_path: Path) -> None:
    """Container secrets end in a line break that is not part of them."""
    secret = "s" * 40
    (tmp_path / "secret").write_bytes(f"{secret}\r\n".encode())
    (tmp_path / "store").write_text("redis://:hunter2@redis\n")

    settings = load_text(
        tmp_path,
        "",
        {
            "FORWARDAUTH_SESSION__SECRET_FILE": str(tmp_path / "secret"),
            "FORWARDAUTH_SESSION__STORE_FILE": str(tmp_path / "store"),
        },
    )

    assert settings.session.secret == secret
    assert settings.session.store == "redis://:hunter2@redis"


def test_the_key_users_file_is_no_file_of_a_value(tmp_path: Path) -> None:
    """``USERS__FILE`` is a path; ``USERS__FILE_FILE`` is a file that holds one."""
    (tmp_path / "where").write_text("/srv/users.yaml\n")
    environ = {"FORWARDAUTH_USERS__FILE_FILE": str(tmp_path / "where")}

    settings = load_text(tmp_path, "", environ)

    assert settings.users.file == Path("/srv/users.yaml")


def test_a_file_that_says_null_is_a_text(tmp_path: Path) -> None:
    """A secret is what the file holds, whatever it looks like."""
    (tmp_path / "secret").write_text("null")

    problem = problem_of({"FORWARDAUTH_SESSION__SECRET_FILE": str(tmp_path / "secret")})

    assert "has 4 characters of at least 32" in problem


def test_a_variable_beside_its_file_is_a_problem(tmp_path: Path) -> None:
    """Neither of two values wins by chance."""
    (tmp_path / "store").write_text("memory:")

    problem = problem_of(
        {
            "FORWARDAUTH_SESSION__STORE": "memory:",
            "FORWARDAUTH_SESSION__STORE_FILE": str(tmp_path / "store"),
        }
    )

    assert problem.startswith("FORWARDAUTH_SESSION__STORE_FILE: session.store:")
    assert "FORWARDAUTH_SESSION__STORE is set as well" in problem


@pytest.mark.parametrize(
    ("content", "keyword"),
    [(None, "No such file"), (b"\xff\xfe", "UTF-8"), (b"x" * 65_537, "65536 bytes")],
    ids=["missing", "binary", "large"],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    tmp_path: Path, content: bytes | None, keyword: str
) -> None:
    """A secret that is not there is not an empty one."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    problem = problem_of({"FORWARDAUTH_SESSION__SECRET_FILE": str(path)})

    assert keyword in problem


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FORWARDAUTH_SESSION_STORE", "FORWARDAUTH_SESSION__STORE"),
        ("FORWARDAUTH_SESSION__STROE", "FORWARDAUTH_SESSION__STORE"),
        ("FORWARDAUTH_SESSION__STROE_FILE", "FORWARDAUTH_SESSION__STORE_FILE"),
        ("FORWARDAUTH_session__store", "FORWARDAUTH_SESSION__STORE"),
        ("FORWARDAUTH_COOKIES__1__DOMIAN", "FORWARDAUTH_COOKIES__1__DOMAIN"),
        ("FORWARDAUTH_COOKIES__DOMAIN", "FORWARDAUTH_COOKIES__0__DOMAIN"),
        ("FORWARDAUTH_COOKIES__01__DOMAIN", "FORWARDAUTH_COOKIES__01__DOMAIN"),
        ("FORWARDAUTH_SERVER_PORT", "FORWARDAUTH_SERVER__"),
        ("FORWARDAUTH_CONFIG", "FORWARDAUTH_"),
        ("FORWARDAUTH_", "FORWARDAUTH_"),
    ],
)
def test_an_unknown_variable_names_the_nearest(name: str, near: str) -> None:
    """A misspelt variable stops the start instead of being ignored."""
    problem = problem_of({name: "x"})

    assert problem.startswith(f"{name}: sets no key; did you mean {near}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORWARDAUTH_SERVICE_HOST", "10.0.0.1"),
        ("FORWARDAUTH_SERVICE_PORT", "9091"),
        ("FORWARDAUTH_SERVICE_PORT_HTTP", "9091"),
        ("FORWARDAUTH_PORT", "tcp://10.0.0.1:9091"),
        ("FORWARDAUTH_PORT_9091_TCP", "tcp://10.0.0.1:9091"),
        ("FORWARDAUTH_PORT_9091_TCP_PROTO", "tcp"),
        ("FORWARDAUTH_PORT_9091_TCP_ADDR", "10.0.0.1"),
        ("FORWARDAUTH_METRICS_SERVICE_HOST", "10.0.0.2"),
        ("FORWARDAUTH_METRICS_PORT", "tcp://10.0.0.2:9191"),
        ("OTHER_FORWARDAUTH_X", "x"),
        ("FORWARDAUTHX", "x"),
    ],
)
def test_variables_of_others_are_left_alone(name: str, value: str) -> None:
    """Kubernetes adds variables for a service called forwardauth."""
    assert problems_in(None, ALONE | {name: value}) == ()


def test_a_variable_that_is_no_yaml_is_a_problem() -> None:
    """A broken list names its variable."""
    problem = problem_of({"FORWARDAUTH_ACCESS_CONTROL__RULES": "[{domain: a"})

    assert problem.startswith(
        "FORWARDAUTH_ACCESS_CONTROL__RULES: access_control.rules:"
    )
    assert "is not YAML" in problem


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_a_variable(key: str) -> None:
    """No key can be set by the file alone: a text in its place is understood."""
    name = variable_of(key.replace("*", "0"))

    found = problems_in(None, {name: "\x00"})

    assert not any("sets no key" in problem.reason for problem in found)


def test_a_secret_in_a_variable_is_not_repeated() -> None:
    """Neither the store's password nor the secret is part of a message."""
    found = problems_in(
        None,
        ALONE
        | {
            "FORWARDAUTH_SESSION__STORE": "redis://:hunter2@redis/x",
            "FORWARDAUTH_SESSION__SECRET": "hunter2",
        },
    )

    assert len(found) == 2
    assert "hunter2" not in "".join(map(str, found))


def test_a_redis_store_without_a_secret_is_a_warning(tmp_path: Path) -> None:
    """Machines that share a store would refuse each other's forms."""
    environ = {"FORWARDAUTH_SESSION__STORE": "redis://redis"}

    (warning,) = warnings_in(tmp_path, "", environ)

    assert warning.place.key == "session.secret"
    assert not warnings_in(
        tmp_path, "", environ | {"FORWARDAUTH_SESSION__SECRET": "s" * 32}
    )
