"""Applications that tell what reached them, to stand behind a proxy.

    python -m tests.support.sample_app NAME=PORT ...

Every path answers JSON with the request as it came in. Each request is written to
standard output as well, a line of JSON, so that a test can ask what has arrived.
``/websocket`` echoes, ``/unauthorized`` and ``/forbidden`` answer 401 and 403 of the
application's own, ``/cookies`` sets two cookies. ``/page`` is for people: who they are,
and a link and a button to sign out.
"""

import asyncio
import contextlib
import hashlib
import json
import sys
from html import escape
from typing import Any, Final

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

NAME: Final = web.AppKey("NAME", str)

_MAX_LINE_BYTES: Final = 64 * 1024

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{application}</title>
  <link rel="icon" href="data:,">
</head>
<body>
  <h1>{application} greets {user}</h1>
  <a href="/logout{query}">Sign out</a>
  <form method="post" action="/logout{query}"><button>Leave</button></form>
</body>
</html>
"""


def describe(request: web.Request) -> dict[str, Any]:
    """Return who was asked for what: method, raw target, header lines."""
    return {
        "application": request.app[NAME],
        "method": request.method,
        "target": request.raw_path,
        "headers": [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, value in request.raw_headers
        ],
    }


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write down that the request has arrived, whatever becomes of it."""
    print(json.dumps(describe(request)), flush=True)  # noqa: T201 - the record
    return await handler(request)


async def tell(request: web.Request) -> web.Response:
    """Answer with the request: method, raw target, header lines, the body's digest."""
    size, digest = 0, hashlib.sha256()
    async for chunk in request.content.iter_any():
        size += len(chunk)
        digest.update(chunk)
    return web.json_response(
        {
            **describe(request),
            "body_bytes": size,
            "body_sha256": digest.hexdigest(),
        }
    )


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Send the user's name, then every message back."""
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    await websocket.send_str(request.headers.get("Remote-User", ""))
    async for message in websocket:
        if message.type is WSMsgType.TEXT:
            await websocket.send_str(message.data)
    return websocket


async def refuse(_: web.Request) -> web.Response:
    """Answer as an application that wants credentials of its own."""
    return web.Response(
        status=401,
        text="the application's own 401",
        headers={"WWW-Authenticate": 'Basic realm="application"'},
    )


async def forbid(_: web.Request) -> web.Response:
    """Answer as an application that has rules of its own."""
    return web.Response(status=403, text="the application's own 403")


async def set_cookies(_: web.Request) -> web.Response:
    """Set two cookies of the application's own, on separate lines."""
    response = web.Response(text="cookies")
    response.headers.add("Set-Cookie", "theme=dark; Path=/")
    response.headers.add("Set-Cookie", "lang=en; Path=/; HttpOnly")
    return response


async def show_page(request: web.Request) -> web.Response:
    """Answer with a page; its query goes along when somebody signs out."""
    query = request.rel_url.raw_query_string
    page = _PAGE.format(
        application=escape(request.app[NAME]),
        user=escape(request.headers.get("Remote-User") or "nobody"),
        query=escape(f"?{query}" if query else ""),
    )
    return web.Response(text=page, content_type="text/html")


def create_app(name: str) -> web.Application:
    """Return one application, which says its *name* in every answer."""
    app = web.Application(middlewares=[record])
    app[NAME] = name
    app.router.add_get("/websocket", echo)
    app.router.add_get("/unauthorized", refuse)
    app.router.add_get("/forbidden", forbid)
    app.router.add_get("/cookies", set_cookies)
    app.router.add_get("/page", show_page)
    app.router.add_route("*", "/{path:.*}", tell)
    return app


async def serve(ports: dict[str, int]) -> None:
    """Listen on all *ports* of loopback until the process is ended."""
    for name, port in ports.items():
        runner = web.AppRunner(
            create_app(name),
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_LINE_BYTES,
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        pairs = (argument.split("=") for argument in sys.argv[1:])
        asyncio.run(serve({name: int(port) for name, port in pairs}))
