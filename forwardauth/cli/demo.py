"""``forwardauth demo``: everything at once, on this machine, for trying it out."""

import asyncio
import sys
from typing import Final

import click

from forwardauth.demo.addresses import Addresses, DemoError
from forwardauth.demo.service import PASSWORD, USERNAME
from forwardauth.demo.stage import run_demo

_STORY: Final = """\

  The portal         {portal}
  An application     {app}
  Another one        {app2}

  User name          {username}
  Password           {password}   (fixed: all of this listens on loopback only)

  1. Open {app} in a browser. You are sent to the portal.
  2. Sign in. The application greets you: it has no sign-in of its own, and goes by
     the Remote-User header that the proxy adds.
  3. Open {app2}: you are signed in there as well.
  4. Sign out in either one. You are signed out in both, and a copy of the old cookie
     is worth nothing any more.
  5. The same from a shell (curl before 7.78 does not know *.localhost: add
     --resolve '*:{port}:127.0.0.1'):

     curl -i {app}/
     curl -c jar -H 'Content-Type: application/json' {portal}/api/firstfactor \\
          -d '{{"username": "{username}", "password": "{password}"}}'
     curl -b jar {app}/
     curl -b jar -i {portal}/logout
     curl -b jar -i {app}/

Ctrl-C ends everything and leaves nothing behind."""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    help="Where the proxy listens, on loopback only.",
)
@click.pass_context
def demo(ctx: click.Context, port: int) -> None:
    """Try everything on this machine: a real proxy, the portal, two applications.

    Traefik comes with pip install 'forwardauth[demo]'. Nothing has to be configured,
    and nothing is left when it ends.
    """
    addresses = Addresses(port=port)
    click.echo("Starting Traefik, forwardauth and two applications ...", err=True)
    try:
        asyncio.run(run_demo(addresses, when_ready=lambda: tell_story(addresses)))
    except DemoError as exc:
        click.echo(f"error: {exc}", err=True)
        ctx.exit(1)
    click.echo("Everything has ended.", err=True)


def tell_story(addresses: Addresses) -> None:
    """Write where everything is and what to try, at once even into a pipe."""
    story = _STORY.format(
        portal=addresses.url("auth"),
        app=addresses.url("app"),
        app2=addresses.url("app2"),
        username=USERNAME,
        password=PASSWORD,
        port=addresses.port,
    )
    click.echo(story)
    sys.stdout.flush()
