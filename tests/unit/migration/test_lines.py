"""Files of one entry a line: environments, INI files, flags."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.lines import (
    find_beside,
    load_assignments,
    load_lines,
    split_list,
)

SPELLED = {
    "environment": ("URL_PATH=/x", "URL_PATH", "/x"),
    "exported": ("export URL_PATH=/x", "URL_PATH", "/x"),
    "INI": ("url-path = /x", "url-path", "/x"),
    "flag": ("--url-path=/x", "url-path", "/x"),
    "flag alone": ("--insecure-cookie", "insecure-cookie", "true"),
    "old file": ("url-path /x", "url-path", "/x"),
    "double quotes": (r'A="a \"b\" c"', "A", 'a "b" c'),
    "single quotes": ("A='a b'", "A", "a b"),
    "empty": ("A=", "A", ""),
    "a rule": ("rule.x.rule = Host(`a=b`)", "rule.x.rule", "Host(`a=b`)"),
}


@pytest.mark.parametrize(("line", "name", "value"), SPELLED.values(), ids=SPELLED)
def test_an_assignment_is_read_in_every_spelling(
    tmp_path: Path, line: str, name: str, value: str
) -> None:
    """Comments, empty lines and section heads are none."""
    path = tmp_path / "x.env"
    path.write_text(f"# A=1\n\n[Application Options]\n; B=2\n{line}\n")

    (found,) = load_assignments(path)

    assert (found.name, found.value, found.line) == (name, value, 5)


def test_every_line_that_assigns_nothing_is_told(tmp_path: Path) -> None:
    """With its number."""
    path = tmp_path / "x.env"
    path.write_text("A=1\n=2\nB=1\n!\n")

    with pytest.raises(ConfigError) as caught:
        load_assignments(path)

    told = [str(problem) for problem in caught.value.problems]
    assert [line.partition(": ")[0] for line in told] == [f"{path}:2", f"{path}:4"]


BROKEN = {"missing": None, "no UTF-8": b"A=1\n\xff", "too long": b"A" * 1_048_577}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None
) -> None:
    """By its name."""
    path = tmp_path / "x.env"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_lines(path)

    assert str(caught.value.problems[0]).startswith(str(path))


def test_a_file_of_a_container_is_found_beside_the_source(tmp_path: Path) -> None:
    """Unless the path that is named is there."""
    (tmp_path / "users").touch()
    there = tmp_path / "elsewhere"
    there.touch()

    assert find_beside(Path("/nowhere/users"), tmp_path / "x") == tmp_path / "users"
    assert find_beside(there, tmp_path / "x") == there


def test_a_list_has_no_empty_parts() -> None:
    """Space around the parts does not count."""
    assert split_list(" a, b,,c ,") == ("a", "b", "c")
