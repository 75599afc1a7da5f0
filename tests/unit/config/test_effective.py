"""Every key as it counts, and where its value comes from."""

from collections.abc import Mapping
from pathlib import Path

from forwardauth.config.effective import Group, Kinds, origins_of, plain, resolve
from forwardauth.config.keys import KEYS, Kind
from forwardauth.config.load import read_draft
from tests.support.configuration import COMPLETE, NOTHING, write_config

RULES = """\
access_control:
  rules:
    - {domain: a.example.com, policy: bypass, methods: GET}
    - domain: b.example.com
      policy: one_factor
      query: [[{operator: present, key: k}]]
      subject: [["user:alice", "group:dev"], "group:ops"]
"""


def effective(
    folder: Path, text: str = "", environ: Mapping[str, str] = NOTHING
) -> Group:
    """Return what ``COMPLETE`` and *text* come to."""
    draft = read_draft(write_config(folder, COMPLETE + text), environ)
    draft.findings.check()
    return resolve(draft.root, environ)


def test_every_key_with_a_default_is_there(tmp_path: Path) -> None:
    """Nothing that counts has to be looked up elsewhere."""
    told = dict(origins_of(effective(tmp_path)))

    wanted = {key for key, known in KEYS.items() if "*" not in key}
    assert wanted <= told.keys()
    for key in wanted - {"cookies", "users.file"}:
        assert told[key].kind is Kinds.DEFAULT
        assert str(told[key]) == "default"


def test_defaults_are_those_of_the_table(tmp_path: Path) -> None:
    """A list stays one, and null is no text."""
    content = plain(effective(tmp_path))

    assert isinstance(content, dict)
    assert content["server"]["listen"] == ["127.0.0.1:9091"]
    assert content["logout"]["notify"] == []
    assert content["session"]["secret"] is None
    assert content["cookies"][0]["default_target"] is None


def test_written_value_has_its_line(tmp_path: Path) -> None:
    """As an editor counts them."""
    told = dict(origins_of(effective(tmp_path, "portal:\n  title: Welcome\n")))

    place = told["portal.title"]
    assert (place.kind, place.line) == (Kinds.FILE, COMPLETE.count("\n") + 2)
    assert str(place) == f"{tmp_path / 'config.yaml'}:{place.line}"


def test_value_of_a_variable_has_its_name(tmp_path: Path) -> None:
    """The variable wins over the file, and is named; so is the file that one names."""
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    environ = {
        "FORWARDAUTH_PORTAL__TITLE": "Hello",
        "FORWARDAUTH_SESSION__SECRET_FILE": str(secret),
        "FORWARDAUTH_COOKIES__0__DOMAIN": "example.com",
    }

    told = dict(origins_of(effective(tmp_path, "portal:\n  title: Welcome\n", environ)))

    assert str(told["portal.title"]) == "FORWARDAUTH_PORTAL__TITLE"
    assert told["session.secret"].kind is Kinds.SECRET_FILE
    assert str(told["session.secret"]) == (
        f"{secret} (FORWARDAUTH_SESSION__SECRET_FILE)"
    )
    assert told["cookies.0.domain"].kind is Kinds.ENVIRONMENT
    assert told["cookies.0.portal"].kind is Kinds.FILE


def test_rules_have_what_was_written_and_their_switches(tmp_path: Path) -> None:
    """A criterion that a rule does not have is left out: it is no empty list."""
    content = plain(effective(tmp_path, RULES))

    assert isinstance(content, dict)
    first, second = content["access_control"]["rules"]
    assert first == {
        "domain": ["a.example.com"],
        "policy": "bypass",
        "methods": ["GET"],
        "preflight": "deny",
        "plain_http": "deny",
        "basic": "false",
    }
    assert second["query"] == [[{"operator": "present", "key": "k"}]]
    assert second["subject"] == [["user:alice", "group:dev"], "group:ops"]


def test_single_value_of_a_list_is_a_list(tmp_path: Path) -> None:
    """Whoever reads the output need not know both ways to write one."""
    content = plain(effective(tmp_path, "logout: {paths: /bye}\n"))

    assert isinstance(content, dict)
    assert content["logout"]["paths"] == ["/bye"]
    assert KEYS["logout.paths"].kind is Kind.LIST
