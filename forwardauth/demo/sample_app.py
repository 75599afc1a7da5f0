"""The applications behind the proxy: they know nothing of signing in.

All they do is believe ``Remote-User`` and link to ``/logout`` on their own host, which
is all that an application needs to do. One server shows both, by host.

Law: only the proxy may reach an application that believes a header. This one listens
on loopback.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Final
from urllib.parse import quote

from aiohttp import web

from forwardauth.demo.addresses import LOOPBACK, Addresses

ADDRESSES: Final = web.AppKey("ADDRESSES", Addresses)

_IDENTITY: Final = ("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email")

_STYLE: Final = """\
:root { color-scheme: light dark; --canvas: #f3f4f8; --surface: #fff; --text: #1c2030;
  --muted: #596076; --line: #dfe2ec; --accent: #4059d6; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --canvas: #12141c; --surface: #1b1e29;
  --text: #eceef5; --muted: #a5abbf; --line: #313647; --accent: #a9b7ff;
  --on-accent: #141830; } }
body { margin: 0; padding: 8vh 1rem 2rem; background: var(--canvas); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-inline-size: 40rem; margin-inline: auto; padding: 2rem; display: grid;
  gap: 1.25rem; background: var(--surface); border: 1px solid var(--line);
  border-radius: 1rem; }
h1, p { margin: 0; }
p { color: var(--muted); }
table { inline-size: 100%; border-collapse: collapse; }
th, td { padding: 0.5rem 0; text-align: start;
  border-block-end: 1px solid var(--line); }
th { inline-size: 40%; font: 0.9rem ui-monospace, monospace; color: var(--muted); }
nav { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; }
a { color: var(--accent); }
a.button { padding: 0.6rem 1.2rem; border-radius: 0.6rem; background: var(--accent);
  color: var(--on-accent); text-decoration: none; }
"""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main>
    <p>{title}</p>
    <h1>Hello, {name}!</h1>
    <p>This application has no sign-in of its own. The proxy asked forwardauth about
      your request, and passed it on with these headers:</p>
    <table>
{rows}
    </table>
    <nav>
      <a class="button" id="sign-out" href="{sign_out}">Sign out</a>
      <a href="{other}">The other application</a>
      <a href="{portal}">Your sessions</a>
    </nav>
  </main>
</body>
</html>
"""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def create_app(addresses: Addresses) -> web.Application:
    """Return the application of both hosts."""
    app = web.Application()
    app[ADDRESSES] = addresses
    app.router.add_get("/style.css", show_style)
    app.router.add_get("/{path:.*}", show_identity)
    return app


async def show_style(_: web.Request) -> web.Response:
    """Answer with the page's style sheet."""
    return web.Response(text=_STYLE, content_type="text/css")


async def show_identity(request: web.Request) -> web.Response:
    """Answer with who the proxy says is asking, whatever the path."""
    addresses = request.app[ADDRESSES]
    site, other = ("app", "app2")
    if request.host == addresses.authority("app2"):
        site, other = other, site
    identity = {name: request.headers.get(name, "") for name in _IDENTITY}
    here = addresses.url(site) + "/"
    page = _PAGE.format(
        title=escape(addresses.authority(site)),
        name=escape(identity["Remote-Name"] or identity["Remote-User"] or "nobody"),
        rows="\n".join(_row(name, value) for name, value in identity.items()),
        sign_out=escape(f"/logout?rd={quote(here, safe='')}"),
        other=escape(addresses.url(other) + "/"),
        portal=escape(addresses.url("auth") + "/"),
    )
    return web.Response(text=page, content_type="text/html", headers=_HEADERS)


def _row(name: str, value: str) -> str:
    return f"      <tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"


@asynccontextmanager
async def sample_app(addresses: Addresses, *, port: int) -> AsyncIterator[None]:
    """Serve the applications on *port* of loopback as long as the context lasts."""
    runner = web.AppRunner(create_app(addresses), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield
    finally:
        await runner.cleanup()
