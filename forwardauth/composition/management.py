"""The management application, and what it has in common with the main one."""

from aiohttp import web

from forwardauth.web import keys
from forwardauth.web.answers import SERVER_NAME
from forwardauth.web.middlewares.errors import answer_errors
from forwardauth.web.routes import create_management_routes


def create_management(main: web.Application) -> web.Application:
    """Return the management application, which shares what *main* holds."""
    management = web.Application(middlewares=[answer_errors])
    management[keys.LANGUAGE_CHOICE] = main[keys.LANGUAGE_CHOICE]
    management[keys.METRICS] = main[keys.METRICS]
    management[keys.PAGES] = main[keys.PAGES]
    management[keys.READINESS] = main[keys.READINESS]
    management.add_routes(create_management_routes())
    management.on_response_prepare.append(hide_server)
    return management


async def hide_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Name no version in any answer."""
    response.headers["Server"] = SERVER_NAME
