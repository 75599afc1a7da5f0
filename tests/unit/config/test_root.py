"""One section, whatever is wrong with the others."""

from pathlib import Path

import pytest

from forwardauth.config.addresses import TcpAddress
from forwardauth.config.root import load_server
from forwardauth.errors import ConfigError
from tests.support.configuration import NOTHING, write_config

LISTEN = TcpAddress(host="127.0.0.1", port=7000)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param("", id="missing"),
        pytest.param("cookes: 1\n", id="unknown"),
        pytest.param("session: {store: 'file:x'}\nusers: 3\n", id="wrong"),
    ],
)
def test_section_is_read_whatever_the_others_are(tmp_path: Path, others: str) -> None:
    """A file that somebody is half way through editing still says where to ask."""
    path = write_config(tmp_path, "server: {listen: '127.0.0.1:7000'}\n" + others)

    assert load_server(path, NOTHING).listen == (LISTEN,)


def test_environment_wins_here_as_well(tmp_path: Path) -> None:
    """Whoever asks looks where the service was told to listen."""
    path = write_config(tmp_path, "server: {listen: '127.0.0.1:1'}\n")
    environ = {"FORWARDAUTH_SERVER__LISTEN": "127.0.0.1:7000"}

    found = [load_server(each, environ).listen for each in (path, None)]

    assert found == [(LISTEN,), (LISTEN,)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("cookes: 1\nserver: {listen: here, drain: 1s}\n", 2, id="value"),
        pytest.param("server:\n  lisen: here\n", 2, id="key"),
        pytest.param("server: [\n", 2, id="no YAML"),
    ],
)
def test_mistakes_of_the_section_are_told(tmp_path: Path, text: str, line: int) -> None:
    """Those alone, and what keeps the file from being read."""
    path = write_config(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load_server(path, NOTHING)

    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{path}:{line}:")
