"""The errors of forwardauth, one tree.

    ForwardAuthError
    ├── ConfigError             every problem of a configuration at once; exit status 2
    ├── ProxyRequestError       400  the proxy did not send what its adapter needs
    ├── UntrustedProxyError     403  the peer may not speak for clients
    ├── UnfitIdentityError      403  header lines cannot say who asks
    ├── CredentialsError        401  never says which half was wrong
    ├── ThrottledError          429  too many attempts; carries the wait
    ├── CsrfError               403  the request did not prove where it came from
    ├── UnsafeTargetError            caught by the caller, who drops the target
    └── StoreUnavailableError   503  the store did not answer: fail closed
        └── UnreadableJournalError   nor did the journal

Law: absence is ``None``, never an error. An unknown, expired, revoked or malformed
session is "no session"; only a store that did not answer raises.
"""

from collections.abc import Sequence
from datetime import timedelta


class ForwardAuthError(Exception):
    """Base of every error that forwardauth raises on purpose."""


class ConfigError(ForwardAuthError):
    """A configuration cannot be used; *problems* holds all that was found.

    The command line prints each problem on a line of its own and exits with 2.
    """

    def __init__(self, problems: Sequence[object]) -> None:
        """Keep *problems*; each prints as ``place: reason; remedy``."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ProxyRequestError(ForwardAuthError):
    """A verify request lacks a header of its adapter, or the header is malformed.

    *header* names the header; *reason* is a stable, lower-case id for logs.
    """

    def __init__(self, header: str, reason: str, detail: str) -> None:
        """Name the *header*, a stable *reason* and the *detail* for people."""
        self.header = header
        self.reason = reason
        super().__init__(f"{header}: {detail}")


class UntrustedProxyError(ForwardAuthError):
    """The peer is not in ``server.trusted_proxies``."""


class UnfitIdentityError(ForwardAuthError):
    """No header lines can tell an application who asks, so the request cannot pass.

    *reason* is a stable, lower-case id for logs. The text names the header and a limit,
    never the value.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep a stable *reason* such as ``identity_too_long`` and its *detail*."""
        self.reason = reason
        super().__init__(detail)


class CredentialsError(ForwardAuthError):
    """User name and password did not match; never says which half was wrong."""


class ThrottledError(ForwardAuthError):
    """Too many attempts; the caller may try again after *retry_after*."""

    def __init__(self, retry_after: timedelta) -> None:
        """Keep the wait, which is at least one second."""
        self.retry_after = max(retry_after, timedelta(seconds=1))
        super().__init__(f"retry after {self.retry_after.total_seconds():.0f} s")


class CsrfError(ForwardAuthError):
    """A state change did not prove that it came from a page of ours."""


class UnsafeTargetError(ForwardAuthError):
    """A redirect target was refused; *reason* is stable and safe to log.

    The caller drops the target and takes the next destination in the order.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep a stable *reason* such as ``host_not_allowed`` and its *detail*."""
        self.reason = reason
        super().__init__(f"{reason}: {detail}")


class StoreUnavailableError(ForwardAuthError):
    """The session store did not answer, or answered with a fault of its own.

    Verify fails closed with 503; logout says that the server side is pending. The text
    is for the log and may name paths; *told* is what clients are told instead.
    """

    def __init__(
        self,
        detail: str = "the session store does not answer",
        *,
        told: str = "the session store does not answer",
        remedy: str | None = None,
    ) -> None:
        """Keep the *detail* for the log, and what clients are *told*.

        The *remedy* is for the log as well: what an operator can do about it.
        """
        self.told = told
        self.remedy = remedy
        super().__init__(detail)


class UnreadableJournalError(StoreUnavailableError, OSError):
    """Nobody can tell who was signed out, which is as good as no store: fail closed."""
