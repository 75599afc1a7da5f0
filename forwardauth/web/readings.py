"""What proxies ask, read from the headers of plain requests, once for each question.

Applications are asked for the same few addresses again and again. What certain values
of certain headers ask, and which rules are about it, is the same as long as the service
runs, so it is read once and remembered: who asks, and what is decided, is not.

Laws: the headers that an adapter reads, the address of the browser and of the proxy are
all that a reading depends on, and all of them are its key. Only requests that mean
nothing beyond it are read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from aiohttp.http import HttpVersion11, RawRequestMessage
from multidict import istr

from forwardauth.access_control.rules import AccessControl, Selection
from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.family import have_plain_names
from forwardauth.adapters.headers import X_FORWARDED_FOR, lookup_client
from forwardauth.errors import ProxyRequestError
from forwardauth.request import METHODS
from forwardauth.web.question import Question, read_question
from forwardauth.web.settings import WebSettings
from forwardauth.web.sign_in import login_url

MAX_READINGS: Final = 4096
MAX_CHARACTERS: Final = 2048
"""The most readings that are remembered, and the longest questions: a worker keeps some
megabytes of them, whatever clients send."""

_METHODS: Final = METHODS - {"HEAD", "CONNECT"}
"""aiohttp leaves the length out of its answer to HEAD."""

# Where one of them stands there is more to think about than is here.
_AUTHORIZATION: Final = istr("Authorization")
_CONTENT_ENCODING: Final = istr("Content-Encoding")
_EXPECT: Final = istr("Expect")
_UPGRADE: Final = istr("Upgrade")

_Values = tuple[tuple[str, ...], ...]


class Reading(NamedTuple):
    """What is asked.

    Attributes:
        adapter: The dialect that it is asked in.
        question: May this pass?
        selection: The rules that decide about it, whoever asks.
        login_url: Where a browser that asks it would sign in.
    """

    adapter: Adapter
    question: Question
    selection: Selection
    login_url: str


class Readings:
    """Reads the questions that come to the paths of some adapters."""

    def __init__(
        self,
        adapters: Iterable[Adapter],
        settings: WebSettings,
        access_control: AccessControl,
    ) -> None:
        """Remember nothing yet."""
        self._settings = settings
        self._access_control = access_control
        self._exact: dict[str, _Endpoint] = {}
        self._below: list[_Endpoint] = []
        for adapter in adapters:
            for path in adapter.paths:
                endpoint = _Endpoint(
                    adapter=adapter,
                    path=settings.base_path + path,
                    names=(*map(istr, adapter.header_names), istr(X_FORWARDED_FOR)),
                )
                if adapter.appends_target:
                    self._below.append(endpoint)
                else:
                    self._exact[endpoint.path] = endpoint
        self._read = lru_cache(MAX_READINGS)(self._read_anew)

    def read(self, message: RawRequestMessage, peer: str) -> Reading | None:
        """Return what *message* asks, ``None`` where more is to be thought about.

        Args:
            message: A request whose body, if there was one, has ended.
            peer: The address of the proxy.
        """
        path = message.path
        endpoint = self._exact.get(path) or self._lookup_below(path)
        if endpoint is None or not _is_plain(message):
            return None
        getall = message.headers.getall
        values = tuple([tuple(getall(each, ())) for each in endpoint.names])
        target = path[len(endpoint.path) :]
        size = len(target) + sum([sum(map(len, each)) for each in values])
        read = self._read if size <= MAX_CHARACTERS else self._read_anew
        try:
            return read(endpoint, message.method, target, values, peer)
        except (ProxyRequestError, _NotPlainError):
            return None

    def _lookup_below(self, path: str) -> "_Endpoint | None":
        for endpoint in self._below:
            if path.startswith(endpoint.path + "/"):
                return endpoint
        return None

    def _read_anew(
        self,
        endpoint: "_Endpoint",
        method: str,
        target: str,
        values: _Values,
        peer: str,
    ) -> Reading:
        adapter, settings = endpoint.adapter, self._settings
        taken_over = settings.logout.paths_taken_over(adapter)
        request = ProxyRequest(
            method=method,
            target=target,
            headers=_Headers(dict(zip(endpoint.names, values, strict=True))),
            client=lookup_client(
                values[-1], peer=ip_address(peer), trusted=settings.trusted_proxies
            ),
            logout_paths=taken_over,
        )
        question = read_question(adapter, request, settings.domains)
        original = question.original
        if (
            original.is_plain_http
            or original.method == "OPTIONS"  # A preflight, perhaps.
            or original.path in taken_over
        ):
            raise _NotPlainError
        url = login_url(question.domain, original, settings.targets)
        selection = self._access_control.select(original)
        return Reading(adapter, question, selection, url)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Endpoint:
    """One path of one adapter, and the headers that its questions are read from.

    Compared by identity: it is a part of every key.
    """

    adapter: Adapter
    path: str
    names: tuple[istr, ...]


class _Headers:
    """A ``HeaderSource`` of the headers that one endpoint goes by."""

    def __init__(self, values: dict[str, tuple[str, ...]]) -> None:
        self._values = {name.lower(): each for name, each in values.items() if each}

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of *key*, else *default*."""
        return list(self._values.get(key.lower(), default))

    def __iter__(self) -> Iterator[str]:
        """Yield the names; that all others are plain has been looked at before."""
        return iter(self._values)


class _NotPlainError(Exception):
    """There is more to a question than is thought about here."""


def _is_plain(message: RawRequestMessage) -> bool:
    """Whether *message* is complete with its head, and means no more than it says."""
    headers = message.headers
    return (
        message.version == HttpVersion11
        and not message.should_close
        and not message.upgrade
        and not message.chunked
        and message.method in _METHODS
        and not (
            _AUTHORIZATION in headers
            or _EXPECT in headers
            or _CONTENT_ENCODING in headers
            or _UPGRADE in headers
        )
        and have_plain_names(headers)
    )
