"""Python's own servers, each of which tells for which path it takes a target.

    python -m tests.support.path_applications NAME PORT

The path stands in the header ``X-Read``, in brackets, so that nothing can trim it. What
a route for ``/admin`` and below has matched is marked by ``X-Routed``.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import shift_path_info

import werkzeug.serving
from aiohttp import web
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response


def serve_aiohttp(port: int) -> None:
    """Tell what the router of aiohttp hands to a handler."""

    async def tell(request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        return web.Response(status=204, headers={"X-Read": f"[{path}]"})

    async def tell_admin(request: web.Request) -> web.Response:
        path = "/admin" + request.match_info.get("path", "")
        headers = {"X-Read": f"[{path}]", "X-Routed": "admin"}
        return web.Response(status=204, headers=headers)

    app = web.Application()
    app.router.add_get("/admin", tell_admin)
    app.router.add_get("/admin{path:/.*}", tell_admin)
    app.router.add_get("/{path:.*}", tell)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def serve_wsgiref(port: int) -> None:
    """Tell ``PATH_INFO`` (PEP 3333), and go by its first segment as WSGI does."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    def tell(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        headers = [("X-Read", f"[{environ['PATH_INFO']}]")]
        if shift_path_info(environ) == "admin":
            headers.append(("X-Routed", "admin"))
        start("204 No Content", headers)
        return ()

    with make_server("127.0.0.1", port, tell, handler_class=Quiet) as server:
        server.serve_forever()


def serve_werkzeug(port: int) -> None:
    """Tell what the router of Werkzeug, which is Flask's, hands to a view."""
    routes = Map(
        [
            Rule("/admin", endpoint="/admin", defaults={"path": ""}),
            Rule("/admin/", endpoint="/admin", defaults={"path": "/"}),
            Rule("/admin/<path:path>", endpoint="/admin/"),
            Rule("/", endpoint="/", defaults={"path": ""}),
            Rule("/<path:path>", endpoint="/"),
        ]
    )

    class Quiet(werkzeug.serving.WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    @Request.application
    def tell(request: Request) -> Response:
        endpoint, arguments = routes.bind_to_environ(request.environ).match()
        # A header holds a byte in each character, as ``PATH_INFO`` does.
        path = f"{endpoint}{arguments['path']}".encode().decode("latin-1")
        headers = {"X-Read": f"[{path}]"}
        if endpoint != "/":
            headers["X-Routed"] = "admin"
        return Response(status=204, headers=headers)

    server = werkzeug.serving.make_server(
        "127.0.0.1", port, tell, request_handler=Quiet
    )
    server.serve_forever()


APPLICATIONS: Final[Mapping[str, Callable[[int], None]]] = {
    "aiohttp": serve_aiohttp,
    "wsgiref": serve_wsgiref,
    "werkzeug": serve_werkzeug,
}
"""Each server by its name."""


if __name__ == "__main__":
    _, name, number = sys.argv
    APPLICATIONS[name](int(number))
