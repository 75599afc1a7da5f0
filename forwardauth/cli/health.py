"""``forwardauth health``: asks the service of this configuration whether it is well.

For health checks of containers, which have no other program to ask with. It reads the
same configuration as the service, so that nobody has to repeat where that listens.

Laws: it connects to this machine alone, and no proxy of the environment is asked for
it. A file that somebody is editing makes no service ill that runs: what is read of it
is where that listens, and no more is imported for it.
"""

import http.client
import os
import socket
from pathlib import Path
from typing import Final, assert_never

import click

from forwardauth.cli.config_file import config_option, find_config
from forwardauth.cli.epilog import examples
from forwardauth.cli.records import dump, json_option
from forwardauth.cli.streams import words_of
from forwardauth.config.addresses import Address, TcpAddress, UnixAddress
from forwardauth.config.root import load_server
from forwardauth.config.schema import ServerSettings

_OK: Final = 200
_MAX_BYTES: Final = 4096
_LONGEST_SECONDS: Final = 600
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here
"""Where a service that listens on every address is found on its own machine."""


@click.command(
    epilog=examples(
        "forwardauth health --config /config/config.yaml",
        "forwardauth health --ready",
    )
)
@click.option(
    "--ready",
    "is_readiness",
    is_flag=True,
    help="Ask whether the store answers, too; needs server.management.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.IntRange(1, _LONGEST_SECONDS),
    default=4,
    show_default=True,
    help="Seconds to wait for the answer.",
)
@json_option
@config_option
@click.pass_context
def health(
    ctx: click.Context,
    config_path: Path | None,
    is_readiness: bool,
    timeout_seconds: int,
    is_json: bool,
) -> None:
    """Say whether the service that runs here is well.

    The status is 0 when it is and 1 when it is not.
    """
    settings = load_server(find_config(config_path), os.environ)
    problem = _find_problem(settings, is_readiness, timeout_seconds)
    if is_json:
        click.echo(dump({"well": problem is None, "problem": problem}))
    elif problem is None:
        click.echo("ready" if is_readiness else "healthy")
    else:
        click.echo(f"Error: {problem}", err=True)
    ctx.exit(0 if problem is None else 1)


def _find_problem(
    settings: ServerSettings, is_readiness: bool, timeout_seconds: int
) -> str | None:
    """Return what is wrong with the service, ``None`` for nothing."""
    address: Address | None = settings.management
    path = "/readyz" if is_readiness else "/healthz"
    if address is None and is_readiness:
        return "server.management is null, and nobody else says whether it is ready"
    if address is None:
        address = settings.listen[0]
        path = f"{settings.base_path}/api/health"
    try:
        status = _ask(address, path, timeout_seconds)
    except OSError as exc:
        return f"{address} does not answer: {words_of(exc)}"
    except http.client.HTTPException as exc:
        return f"{address} does not answer: {exc}"
    return None if status == _OK else f"{address} answers {path} with {status}"


def _ask(address: Address, path: str, timeout_seconds: int) -> int:
    """Return the status of the answer."""
    connection = http.client.HTTPConnection("localhost", timeout=timeout_seconds)
    try:
        connection.sock = _connect(address, timeout_seconds)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read(_MAX_BYTES)
        return response.status
    finally:
        connection.close()


def _connect(address: Address, timeout_seconds: int) -> socket.socket:
    match address:
        case TcpAddress(host=host, port=port):
            place = (_ANYWHERE.get(host, host), port)
            return socket.create_connection(place, timeout=timeout_seconds)
        case UnixAddress(path=path):
            client = socket.socket(socket.AF_UNIX)
            try:
                client.settimeout(timeout_seconds)
                client.connect(str(path))
            except OSError:
                client.close()
                raise
            return client
        case _:
            assert_never(address)
