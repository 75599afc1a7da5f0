"""A throttle that lets every attempt in, for tests that are about something else."""


class OpenThrottle:
    """Counts nothing; a ``Throttle``."""

    async def check(self, username: str, address: str) -> None:
        """Let the attempt in."""

    async def record_failure(self, username: str, address: str) -> None:
        """Forget it."""

    async def record_success(self, username: str, address: str) -> None:
        """Forget it."""

    async def record_repeated_success(self, username: str, address: str) -> None:
        """Forget it."""

    async def release(self, username: str, address: str) -> None:
        """Forget it."""
