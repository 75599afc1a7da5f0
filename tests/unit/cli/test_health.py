"""``forwardauth health``: 0 where the service is well, 1 with a sentence elsewhere."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwardauth.cli.main import main
from tests.support.processes import free_ports
from tests.support.serving import serving, write_installation


def ask(folder: Path, *options: str) -> Result:
    """Return what is said about the service of the configuration in *folder*."""
    config = str(folder / "config.yaml")
    return CliRunner().invoke(main, ["health", "--config", config, *options])


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer everything with *status*, on the port that is yielded."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configure(folder: Path, *, management: int | None, listen: str = "") -> None:
    """Write a configuration that names these listeners."""
    probes = "null" if management is None else f"127.0.0.1:{management}"
    server = f"  management: {probes}\n  listen: {listen or '127.0.0.1:9'}\n"
    write_installation(folder, server=server, store="sqlite:sessions.db")


def test_running_service_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked where its configuration says, whatever proxies the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    port, management = free_ports(2)
    server = f"  listen: 0.0.0.0:{port}\n  management: 0.0.0.0:{management}\n"
    trusted = "  trusted_proxies: [127.0.0.1]\n"
    config = write_installation(
        tmp_path, server=server + trusted, store="sqlite:later/sessions.db"
    )

    with serving(config, port, management):
        well, early = ask(tmp_path), ask(tmp_path, "--ready")
        (tmp_path / "later").mkdir()
        late = ask(tmp_path, "--ready")
    gone = ask(tmp_path)

    assert (well.exit_code, well.output) == (0, "healthy\n")
    assert early.exit_code == 1
    assert early.stderr.endswith("answers /readyz with 503\n")
    assert (late.exit_code, late.output) == (0, "ready\n")
    assert gone.exit_code == 1
    address = f"0.0.0.0:{management}"
    assert gone.stderr == f"Error: {address} does not answer: Connection refused\n"


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_main_listener_is_asked_where_there_is_none_for_probes(
    tmp_path: Path, where: str
) -> None:
    """Below its base path, over TCP and over a socket in the file system."""
    (port,) = free_ports(1)
    listen = f"unix:{tmp_path / 'socket'}" if where == "unix" else f"127.0.0.1:{port}"
    server = f"  listen: ['{listen}']\n  management: null\n  base_path: /auth\n"
    config = write_installation(tmp_path, server=server, store="memory")
    ports = [] if where == "unix" else [port]

    with serving(config, *ports) as process:
        while "listening on" not in process.tail():
            assert process.is_running(), process.tail()
        well, unknown = ask(tmp_path), ask(tmp_path, "--ready")

    assert (well.exit_code, well.output) == (0, "healthy\n")
    assert unknown.exit_code == 1
    assert "server.management is null" in unknown.stderr


@pytest.mark.parametrize(
    "mistake",
    ["cookes: []\n", "logout: {paths: [no, path]}\n", "portal: 1\n"],
    ids=["unknown key", "bad value", "no section"],
)
def test_file_under_edit_makes_no_service_ill(tmp_path: Path, mistake: str) -> None:
    """What runs goes on with what it began with, and is asked where it listens."""
    with answering(200) as port:
        configure(tmp_path, management=port)
        with (tmp_path / "config.yaml").open("a") as config:
            config.write(mistake)

        result = ask(tmp_path)

    assert (result.exit_code, result.output) == (0, "healthy\n")


def test_mistake_in_where_it_listens_is_told(tmp_path: Path) -> None:
    """Nobody is asked somewhere else."""
    with answering(200) as port:
        configure(tmp_path, management=port, listen="nowhere")

        result = ask(tmp_path)

    assert result.exit_code == 2
    assert "config.yaml:3: server.listen" in result.stderr


@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
def test_any_other_answer_is_no_health(tmp_path: Path, status: int) -> None:
    """A redirect is not followed; who else listens there is not the service."""
    with answering(status) as port:
        configure(tmp_path, management=port)

        result = ask(tmp_path)

    assert result.exit_code == 1
    assert f"answers /healthz with {status}" in result.stderr


@pytest.mark.parametrize(
    ("status", "code", "record"),
    [
        (200, 0, {"well": True, "problem": None}),
        (
            503,
            1,
            {"well": False, "problem": "127.0.0.1:PORT answers /healthz with 503"},
        ),
    ],
)
def test_programs_are_told_as_well(
    tmp_path: Path, status: int, code: int, record: dict[str, object]
) -> None:
    """``--json`` prints one object, and the status is the same."""
    with answering(status) as port:
        configure(tmp_path, management=port)

        result = ask(tmp_path, "--json")

    assert result.exit_code == code
    assert json.loads(result.stdout.replace(str(port), "PORT")) == record


@pytest.mark.parametrize("value", ["0", "-1", "x", "nan", "inf", "601", "0.5"])
def test_senseless_patience_is_refused(tmp_path: Path, value: str) -> None:
    """A mistake in the call is told as one, with status 2."""
    configure(tmp_path, management=9)

    result = ask(tmp_path, "--timeout", value)

    assert result.exit_code == 2
    assert "--timeout" in result.stderr


def test_broken_configuration_is_told(tmp_path: Path) -> None:
    """With status 2, as by every other command."""
    (tmp_path / "config.yaml").write_text("server: [")

    result = ask(tmp_path)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
