"""The effective configuration as YAML, which can be read again."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwardauth.config.document import parse_yaml
from forwardauth.config.effective import Group, Kinds, Origin, Value, resolve
from forwardauth.config.effective_yaml import dump_yaml
from forwardauth.config.load import load_settings, read_draft
from forwardauth.config.problems import Findings, Place
from forwardauth.config.tree import Scalar, Table
from tests.support.configuration import COMPLETE, write_config
from tests.unit.config.test_effective import RULES, effective

ODD = """\
portal:
  title: "null"
  footer:
    - {label: "Help: #1, [here]", url: "https://help.example.com/?a=b&c"}
    - {label: 'Ünïcödé \\', url: "mailto:a@example.com"}
server:
  listen: ["[::1]:9091", 127.0.0.1:9091]
  trusted_proxies: ["::1/128", 127.0.0.0/8]
  management: null
session:
  cookie_name: "~x"
"""


@pytest.mark.parametrize("text", ["", RULES, ODD], ids=["short", "rules", "odd"])
def test_output_means_the_same(tmp_path: Path, text: str) -> None:
    """What is shown is a configuration, and comes to the same settings."""
    before = load_settings(write_config(tmp_path, COMPLETE + text), {})
    shown = dump_yaml(effective(tmp_path, text))

    after = load_settings(write_config(tmp_path, shown), {})

    assert repr(after) == repr(before)
    assert shown.isascii()


def test_shipped_file_leaves_no_default(tmp_path: Path) -> None:
    """The file with every key has each of them, and means the same when shown."""
    path = Path(__file__).parents[3] / "config.yaml"
    draft = read_draft(path, {})

    shown = dump_yaml(resolve(draft.root, {}))

    assert load_settings(write_config(tmp_path, shown), {}).server.workers == 1
    assert [line for line in shown.splitlines() if line.endswith("# default")] == []


@given(text=st.text(max_size=30))
@example(text="\U0001f600")
@example(text="null")
@example(text="a: b # c")
@example(text="- a")
@example(text="a:")
@example(text="0755")
def test_every_text_can_be_read_again(text: str) -> None:
    """Whatever a value holds, it is the same value, and never null."""
    origin = Origin(kind=Kinds.DEFAULT)
    value = Value(key="portal.title", text=text, origin=origin)
    shown = dump_yaml(Group(key="", entries={"title": value}))

    root = parse_yaml(shown, Place(), findings=Findings())

    assert isinstance(root, Table)
    title = root.entries["title"]
    assert isinstance(title, Scalar)
    assert (title.text, title.is_null) == (text, False)


def test_every_value_has_its_origin(tmp_path: Path) -> None:
    """One comment for each, behind the value."""
    shown = dump_yaml(effective(tmp_path, RULES))

    without = [
        line
        for line in shown.splitlines()
        if "  # " not in line and not line.endswith(":")
    ]
    assert without == []


def test_list_from_several_places_tells_each(tmp_path: Path) -> None:
    """An entry that a variable has replaced is not that of the file."""
    text = "access_control:\n  rules:\n    - {domain: a.example.com, policy: bypass}\n"
    environ = {"FORWARDAUTH_ACCESS_CONTROL__RULES__0__POLICY": "one_factor"}

    shown = dump_yaml(effective(tmp_path, text, environ))

    (line,) = (each for each in shown.splitlines() if "policy: one_factor" in each)
    assert line.endswith("# FORWARDAUTH_ACCESS_CONTROL__RULES__0__POLICY")


def test_nothing_in_a_name_is_obeyed(tmp_path: Path) -> None:
    """A terminal shows the name of a file, whatever it is called."""
    folder = tmp_path / "a\x1b]0;owned\x07"
    folder.mkdir()

    shown = dump_yaml(effective(folder))

    assert "\x1b" not in shown
