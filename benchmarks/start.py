"""How long the service takes from its start to its first answer."""

import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from benchmarks.servers import AS_INSTALLED, SERVER_CORE, pinned, write_config
from benchmarks.workload import Workload

_PATIENCE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.002


class Start:
    """The command as people start it, on the core of the servers."""

    def __init__(self, folder: Path, workload: Workload) -> None:
        """Write an installation with the users of *workload* into a new *folder*."""
        folder.mkdir()
        self._port = write_config(folder, workload, "sqlite:sessions.db")
        self._folder = folder
        self._environment = {**os.environ, **AS_INSTALLED}

    def seconds(self) -> float:
        """Return how long it takes until verify has answered; end it then."""
        config, log = self._folder / "config.yaml", self._folder / "log"
        begin = time.perf_counter()
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - our own command
                self._python("-m", "forwardauth", "serve", "--config", str(config)),
                env=self._environment,
                stdout=output,
                stderr=output,
            )
        try:
            while not _answers(self._port):
                if time.perf_counter() - begin > _PATIENCE_SECONDS:
                    raise RuntimeError(log.read_text("utf-8"))
                time.sleep(_POLL_SECONDS)
            return time.perf_counter() - begin
        finally:
            child.terminate()
            child.wait()

    def aiohttp_seconds(self) -> float:
        """Return how long Python takes to import the server's library, and no more."""
        begin = time.perf_counter()
        subprocess.run(  # noqa: S603 - fixed words
            self._python("-c", "import aiohttp.web"),
            env=self._environment,
            check=True,
        )
        return time.perf_counter() - begin

    def _python(self, *words: str) -> list[str | Path]:
        return pinned(SERVER_CORE, sys.executable, *words)


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
