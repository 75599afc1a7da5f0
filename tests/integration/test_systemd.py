"""The units of ``deploy/systemd``: what systemd says of them, and what they start."""

import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from forwardauth.config.load import load_settings
from tests.support.binaries import require_binary
from tests.support.notifications import Listener
from tests.support.processes import Process, free_ports
from tests.support.service import PASSWORD, write_users
from tests.support.serving import Peer, workers_of
from tests.support.units import (
    FOLDER,
    SERVICE,
    SOCKETS,
    installed,
    prepare_activated,
    prepare_handed,
    read_unit,
    reload,
    setting,
)

CONFIG: Final = FOLDER / "config.yaml"
STATE: Final = "/var/lib/forwardauth"
MAX_EXPOSURE: Final = 20
"""In tenths, as ``systemd-analyze`` takes it: 2.0 of 10."""


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Return what systemd's own reader of units says."""
    return subprocess.run(  # noqa: S603 - fixed programs of the tests
        [require_binary("systemd-analyze"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def configuration() -> Any:
    """Return what the shipped configuration says."""
    return yaml.safe_load(CONFIG.read_text("utf-8"))


def places(folder: Path, *, listen: int, management: int | None) -> dict[str, str]:
    """Return what is different on this machine, and write what it names."""
    credential = folder / "session_secret"
    credential.write_text("of thirty-two characters or more, and from a file")
    write_users(folder)
    probes = "null" if management is None else f"127.0.0.1:{management}"
    return {
        "FORWARDAUTH_SERVER__LISTEN": f"127.0.0.1:{listen}",
        "FORWARDAUTH_SERVER__MANAGEMENT": probes,
        "FORWARDAUTH_SESSION__STORE": f"sqlite:{folder / 'sessions.db'}",
        "FORWARDAUTH_SESSION__JOURNAL": str(folder / "revocations.journal"),
        "FORWARDAUTH_SESSION__SECRET_FILE": str(credential),
        "FORWARDAUTH_USERS__FILE": str(folder / "users.yaml"),
    }


@contextmanager
def activated(
    folder: Path, **settings: str
) -> Iterator[tuple[Process, Listener, Peer, Peer]]:
    """Hold the sockets of the service, which the first connection starts.

    Yields the process, what hears it, and its two listeners.
    """
    port, management = free_ports(2)
    here = places(folder, listen=port, management=management)
    with (
        Listener(str(folder / "notify")) as listener,
        prepare_activated(
            folder,
            listener,
            sockets={"main": port, "management": management},
            config=CONFIG,
            environment={**here, **settings},
        ) as process,
    ):
        yield process, listener, Peer(address=port), Peer(address=management)


class TestUnits:
    """What systemd itself reads in the files."""

    def test_systemd_finds_nothing_wrong(self, tmp_path: Path) -> None:
        """Every key is known, and every value is one that the key takes."""
        service = installed(tmp_path)
        sockets = [tmp_path / path.name for path in SOCKETS]

        result = analyze("verify", "--man=no", service, *sockets)

        assert (result.returncode, result.stderr) == (0, "")

    def test_misspelt_key_is_noticed(self, tmp_path: Path) -> None:
        """The check above can fail."""
        service = installed(tmp_path)
        text = service.read_text().replace("ProtectHome=", "ProtectHomes=")
        service.write_text(text)

        result = analyze("verify", "--man=no", service)

        assert "ProtectHomes" in result.stderr

    def test_service_is_confined(self, tmp_path: Path) -> None:
        """What it is exposed to, as systemd counts it, is below 2.0 of 10."""
        service = installed(tmp_path)
        common = ("security", "--offline=true", "--no-pager")

        held = analyze(*common, f"--threshold={MAX_EXPOSURE - 1}", service)
        loose = service.read_text().replace("CapabilityBoundingSet=\n", "")
        service.write_text(re.sub(r"(?m)^(Protect|System).*\n", "", loose))
        lost = analyze(*common, f"--threshold={MAX_EXPOSURE - 1}", service)

        assert held.returncode == 0, held.stdout
        assert lost.returncode == 1, lost.stdout

    def test_user_of_the_service_is_made(self) -> None:
        """``systemd-sysusers`` understands the file, which has the unit's user."""
        path = FOLDER / "forwardauth.sysusers.conf"

        result = subprocess.run(  # noqa: S603 - fixed programs of the tests
            [require_binary("systemd-sysusers"), "--dry-run", path],
            capture_output=True,
            text=True,
            check=True,
        )

        line = path.read_text().splitlines()[-1].split()
        assert line[:2] == ["u", setting(SERVICE, "User")]
        assert line[-1] == STATE
        assert "ignoring" not in result.stderr


class TestAgreement:
    """What units and configuration say of one thing is the same."""

    def test_sockets_listen_where_the_configuration_says(self) -> None:
        """Otherwise the service would refuse to start."""
        server = configuration()["server"]

        told = {
            setting(path, "FileDescriptorName"): setting(path, "ListenStream")
            for path in SOCKETS
        }

        assert told == {"main": server["listen"], "management": server["management"]}

    def test_everything_written_is_below_the_state_directory(self) -> None:
        """The rest of the file system is read-only for the service."""
        config = configuration()
        written = [
            config["session"]["store"].removeprefix("sqlite:"),
            config["session"]["journal"],
            config["users"]["file"],
        ]

        assert f"/var/lib/{setting(SERVICE, 'StateDirectory')}" == STATE
        assert [str(Path(each).parent) for each in written] == 3 * [STATE]
        assert setting(SERVICE, "ProtectSystem") == "strict"

    def test_service_has_time_to_end_what_it_has_begun(self) -> None:
        """A stop takes ``server.drain`` and a little more; then systemd ends it."""
        drain = load_settings(CONFIG, {}).server.drain.total_seconds()

        assert int(setting(SERVICE, "TimeoutStopSec")) >= drain + 5

    def test_secret_is_the_credential(self) -> None:
        """The variable names the copy that systemd makes for the service."""
        name, _, source = setting(SERVICE, "LoadCredential").partition(":")
        environment = " ".join(read_unit(SERVICE)["Environment"])

        assert f"FORWARDAUTH_SESSION__SECRET_FILE=%d/{name}" in environment
        assert source == f"/etc/forwardauth/{name}"


class TestService:
    """The command line of the unit, with what systemd hands to it."""

    def test_first_connection_starts_it_and_is_answered(self, tmp_path: Path) -> None:
        """Ready is told once, when every worker serves; then reload and stop work."""
        with activated(tmp_path) as (process, listener, peer, probes):
            first = peer.verify(None, host="app1.example.com")
            told = listener.until("READY")
            token = peer.sign_in(password=PASSWORD)
            signed_in = peer.verify(token, host="app1.example.com")
            ready = probes.send("GET", "/readyz")
            users = tmp_path / "users.yaml"
            users.write_text(users.read_text().replace("alice:", "alicia:"))
            reload(process)
            told_of_reload = listener.until("READY")
            gone = peer.verify(token, host="app1.example.com")
            status = process.stop()
            told_at_the_end = listener.received()

        assert first.status == 401
        assert [each["READY"] for each in told] == ["1"]
        assert re.fullmatch(r"\d+ workers? serves?", told[0]["STATUS"])
        assert (signed_in.status, ready.status) == (200, 200)
        assert [sorted(each) for each in told_of_reload] == [
            ["MONOTONIC_USEC", "RELOADING", "STATUS"],
            ["READY", "STATUS"],
        ]
        assert gone.status == 401
        assert status == 0
        assert told_at_the_end == [{"STOPPING": "1", "STATUS": "stopping"}]
        assert "Traceback" not in process.tail()

    def test_worker_that_hangs_starves_the_watchdog(self, tmp_path: Path) -> None:
        """Each of them is heard, and nobody speaks for one that does not answer."""
        settings = {"FORWARDAUTH_SERVER__WORKERS": "2", "WATCHDOG_USEC": "600000"}
        with activated(tmp_path, **settings) as (process, listener, peer, _):
            peer.verify(None)
            fed = listener.until("WATCHDOG")
            one, _ = workers_of(process)
            subprocess.run(["kill", "-STOP", str(one)], check=True)  # noqa: S603, S607
            try:
                heard = listener.count_within(seconds=1.2)
            finally:
                subprocess.run(["kill", "-CONT", str(one)], check=True)  # noqa: S603, S607
            again = listener.until("WATCHDOG")

        assert [list(each) for each in fed] == [["READY", "STATUS"], ["WATCHDOG"]]
        # What was on its way, and what it had said before it was held.
        assert heard <= 3
        assert again[-1] == {"WATCHDOG": "1"}

    def test_socket_elsewhere_is_told_with_status_2(self, tmp_path: Path) -> None:
        """The unit does not try again what a person has to put right."""
        with activated(tmp_path, FORWARDAUTH_SERVER__LISTEN="127.0.0.1:9") as (
            process,
            listener,
            *_,
        ):
            status = process.wait()
            told = listener.received()

        assert status == int(setting(SERVICE, "RestartPreventExitStatus")) == 2
        assert told == []
        assert "but server.listen is 127.0.0.1:9; write the same" in process.tail()

    def test_restart_refuses_nobody(self, tmp_path: Path) -> None:
        """Who asks while nobody serves waits for the next one, and stays signed in."""
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
            here = places(tmp_path, listen=port, management=None)
            process = prepare_handed(tmp_path, held, config=CONFIG, environment=here)
            peer = Peer(address=port)
            with process:
                token = peer.sign_in(password=PASSWORD)
            with ThreadPoolExecutor() as pool:
                waiting = [
                    pool.submit(peer.verify, token, host="app1.example.com")
                    for _ in range(4)
                ]
                with process:
                    answers = [each.result().status for each in waiting]

        assert answers == 4 * [200]
