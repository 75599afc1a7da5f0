"""A configuration that a serving process can change over to in one step."""

import asyncio
import warnings
from dataclasses import dataclass
from typing import Self

from aiohttp import web, web_app

from forwardauth.app import Applications
from forwardauth.cli import garbage
from forwardauth.cli.configuration import Configuration
from forwardauth.cli.requests_in_hand import RequestsInHand
from forwardauth.web.runner import ServiceRunner


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Applications that have been started; they are asked when it is their turn.

    Attributes:
        configuration: What they were built from.
        applications: They do not own what is live.
        main: Runs the one of them, without a connection of its own.
        management: Likewise.
        requests: Those that they answer.
    """

    configuration: Configuration
    applications: Applications
    main: ServiceRunner
    management: ServiceRunner
    requests: RequestsInHand

    @classmethod
    async def start(
        cls, configuration: Configuration, applications: Applications
    ) -> Self:
        """Start *applications*."""
        requests = RequestsInHand(applications.main, applications.management)
        started = cls(
            configuration=configuration,
            applications=applications,
            main=ServiceRunner(applications.main),
            management=ServiceRunner(applications.management),
            requests=requests,
        )
        await started.main.setup()
        await started.management.setup()
        return started

    async def close(self) -> None:
        """End them; nobody is asked by them any more."""
        await self.main.cleanup()
        await self.management.cleanup()
        for application in (self.applications.main, self.applications.management):
            _empty(application)
        _forget_middlewares()
        # When whoever closes them has let go of them, too.
        asyncio.get_running_loop().call_soon(garbage.let_go)


def _empty(application: web.Application) -> None:
    """Let go of what *application* holds, which nobody asks for any more.

    It is a part of cycles, and what is there soon after the start is looked through by
    no collection: users and rules would stay, and to look through everything would hold
    verify up for as long as a hundred requests take.
    """
    with warnings.catch_warnings():
        # aiohttp warns whoever changes what handlers may count on.
        warnings.simplefilter("ignore", DeprecationWarning)
        for key in tuple(application):
            del application[key]


def _forget_middlewares() -> None:
    """Let aiohttp let go of applications that it has built handlers for.

    It keeps the last thousand handlers of a process, each with its application, and a
    configuration has few of them: those of hundreds of reloads would stay. The private
    name is aiohttp's; without it there is nothing to let go of.
    """
    cached = getattr(web_app, "_cached_build_middleware", None)
    if cached is not None:
        cached.cache_clear()
