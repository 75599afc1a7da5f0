"""How long the service takes from its start to its first answer."""

import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from benchmarks.servers import SERVER_CORE, pinned, write_config
from benchmarks.workload import Workload

_PATIENCE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.002


def start_seconds(folder: Path, workload: Workload) -> float:
    """Start the command as people do, in *folder*, and end it once it has answered."""
    folder.mkdir()
    port = write_config(folder, workload, "sqlite:sessions.db")
    config = str(folder / "config.yaml")
    serve = [sys.executable, "-m", "forwardauth", "serve", "--config", config]
    begin = time.perf_counter()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own command
            pinned(SERVER_CORE, *serve), stdout=log, stderr=log
        )
    try:
        while not _answers(port):
            if time.perf_counter() - begin > _PATIENCE_SECONDS:
                raise RuntimeError((folder / "log").read_text("utf-8"))
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - begin
    finally:
        child.terminate()
        child.wait()


def _answers(port: int) -> bool:
    """Whether verify refuses a request without a cookie, as it should."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    headers = {
        "X-Original-URL": "https://app0.example.com/",
        "X-Original-Method": "GET",
    }
    try:
        connection.request("GET", "/verify/nginx", headers=headers)
        status = connection.getresponse().status
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
    if status != 401:  # noqa: PLR2004 - HTTP's own number
        raise RuntimeError(f"the first answer was {status}")
    return True
