"""The units of ``deploy/systemd``, and a stand-in for the systemd that would run them.

What systemd itself can do without being the first process is done by its own programs:
``systemd-analyze`` reads the units, ``systemd-socket-activate`` holds the sockets and
hands them over. The rest of its part is short: it starts the command line of the unit,
hears what the service tells, and ends it as the unit says.
"""

import os
import shlex
import socket
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.binaries import require_binary
from tests.support.notifications import Listener
from tests.support.processes import Process
from tests.support.proxies import DEPLOY

FOLDER: Final = DEPLOY / "systemd"
SERVICE: Final = FOLDER / "forwardauth.service"
SOCKETS: Final = (
    FOLDER / "forwardauth.socket",
    FOLDER / "forwardauth-management.socket",
)
INSTALLED: Final = "/opt/forwardauth/bin/"
"""Where the unit has the command, as docs/operations.md installs it."""

_KEPT: Final = ("PYTHONPATH",)
"""What systemd keeps from services, and says which code it is that is tested."""


def read_unit(path: Path) -> dict[str, list[str]]:
    """Return the values of each key of the unit at *path*, in order."""
    values: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line and line[0] not in "#;[":
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


def setting(path: Path, key: str) -> str:
    """Return the one value of *key* in the unit at *path*."""
    (value,) = read_unit(path)[key]
    return value


def installed(folder: Path) -> Path:
    """Copy every unit to *folder*, with the command where it is on this machine."""
    scripts = f"{sysconfig.get_path('scripts')}/"
    for path in (SERVICE, *SOCKETS):
        text = path.read_text("utf-8").replace(INSTALLED, scripts)
        (folder / path.name).write_text(text, "utf-8")
    return folder / SERVICE.name


def prepare_handed(
    folder: Path, held: socket.socket, *, config: Path, environment: Mapping[str, str]
) -> Process:
    """Return the service as the unit starts it, with the one listener *held*.

    It stays with the caller, as it does with systemd, from one start to the next.
    """
    program = """
        export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=main
        exec "${@:2}" 3<&$1
    """
    return Process(
        "forwardauth, handed its socket",
        ["bash", "-c", program, "bash", str(held.fileno()), *_command(config)],
        log=folder / "handed.log",
        environment=environment,
        descriptors=[held.fileno()],
    )


def _command(config: Path) -> list[str]:
    """Return what the unit starts, on this machine and with *config*."""
    program, *arguments = shlex.split(setting(SERVICE, "ExecStart"))
    program = program.replace(INSTALLED, f"{sysconfig.get_path('scripts')}/")
    return [program, *arguments[:-1], str(config)]


def prepare_activated(
    folder: Path,
    listener: Listener,
    *,
    sockets: Mapping[str, int],
    config: Path,
    environment: Mapping[str, str],
) -> Process:
    """Return the service as the unit starts it, with its sockets held by systemd.

    It is started by the first connection to one of them, which is the look whether
    they listen.

    Args:
        folder: For its log.
        listener: Hears what the service tells.
        sockets: The ports of loopback to listen on, by the names of the sockets.
        config: In the place of the configuration that the unit names.
        environment: What is different on this machine.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    told = {**kept, **environment, "NOTIFY_SOCKET": listener.name}
    return Process(
        "forwardauth, activated",
        [
            require_binary("systemd-socket-activate"),
            *(f"--listen=127.0.0.1:{port}" for port in sockets.values()),
            f"--fdname={':'.join(sockets)}",
            *(f"--setenv={name}={value}" for name, value in told.items()),
            *_command(config),
        ],
        log=folder / "activated.log",
        ports=list(sockets.values()),
    )


def reload(process: Process) -> None:
    """Run what the unit does for a reload."""
    command = setting(SERVICE, "ExecReload").replace("$MAINPID", str(process.pid))
    subprocess.run(shlex.split(command), check=True)  # noqa: S603 - the unit's own line
