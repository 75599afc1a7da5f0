"""The yardstick: a plain aiohttp application that finds a cookie in a dictionary.

No rules, no checks, no metrics: what anybody would write in thirty lines, on the same
event loop as the service. Its arguments are a port and a file of one session id a line.
"""

import importlib
import sys
from pathlib import Path

from aiohttp import web


def create_app(tokens: Path) -> web.Application:
    """Return the application for the sessions of the file *tokens*."""
    users = {token: f"user-{n}" for n, token in enumerate(tokens.read_text().split())}

    async def verify(request: web.Request) -> web.Response:
        user = users.get(request.cookies.get("forwardauth_session", ""))
        if user is None:
            return web.Response(status=401)
        return web.Response(headers={"Remote-User": user, "Cache-Control": "no-store"})

    app = web.Application()
    app.router.add_get("/verify/{proxy}", verify)
    return app


if __name__ == "__main__":
    loop = importlib.import_module("uvloop").new_event_loop()
    application = create_app(Path(sys.argv[2]))
    web.run_app(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        reuse_port=True,
        loop=loop,
    )
