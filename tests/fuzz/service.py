"""The service of a configuration with short limits of time: ``-m tests.fuzz.service``.

Everything else is what ``forwardauth serve`` runs. With the times that a proxy gets, a
conversation that waits for its end would take half a minute.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final

from aiohttp import web

from forwardauth.app import create_applications
from forwardauth.config.load import load_settings
from forwardauth.web.limits import Limits
from forwardauth.web.runner import ServiceRunner

SECONDS: Final = 0.1
LIMITS: Final = Limits(
    head_seconds=SECONDS,
    body_seconds=SECONDS,
    answer_seconds=SECONDS,
    drain_seconds=SECONDS,
    # A client that a busy machine holds up between its connection and its request has
    # to get an answer, too.
    idle_seconds=20 * SECONDS,
)


async def _serve(config: Path, port: int) -> None:
    app = create_applications(load_settings(config, dict(os.environ))).main
    runner = ServiceRunner(app, limits=LIMITS, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
