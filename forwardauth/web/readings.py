"""What proxies ask, read from the headers of plain requests, once for each question.

Applications are asked for the same few addresses again and again. What certain values
of certain headers ask, and which rules are about it, is the same as long as the service
runs, so it is read once and remembered: who asks, and what is decided, is not.

Laws: the lines that mean something, the address of the browser and of the proxy are all
that a reading depends on, and all of them are its key. Only requests that mean nothing
beyond it are read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from itertools import count
from typing import Final

from forwardauth.access_control.rules import AccessControl, Selection
from forwardauth.adapters.base import (
    Adapter,
    ProxyRequest,
    RequestKind,
)
from forwardauth.adapters.headers import X_FORWARDED_FOR, IPAddress, lookup_client
from forwardauth.adapters.kinds import KIND_HEADERS, classify
from forwardauth.errors import ProxyRequestError
from forwardauth.web.heads import Heads, PlainHeaders, cut_cookie
from forwardauth.web.question import read_question
from forwardauth.web.reading import Reading
from forwardauth.web.settings import WebSettings

MAX_READINGS: Final = 2048
MAX_CHARACTERS: Final = 1024
"""The most readings that are remembered, and the longest questions, in whichever line
they stand: a worker keeps 25 MB of them at most, whatever clients send."""

MAX_WHOLE: Final = 1024
"""How many whole heads are known, without their cookies; long ones are not."""

MAX_CLIENTS: Final = 1024
"""How many addresses of browsers are known as such."""

MAX_KINDS: Final = 256
"""Of how many ways to say it is known what kind of a request they tell."""

MAX_CASES: Final = 4096
"""How many of those that differ for the rules are known as such."""

OTHERS: Final = (*KIND_HEADERS, X_FORWARDED_FOR)
"""What is read beside the headers of an adapter: by everybody, from the browser."""

_Values = tuple[str | None, ...]


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
        names = {*OTHERS}
        for adapter in adapters:
            names.update(adapter.header_names)
            for path in adapter.paths:
                endpoint = _Endpoint(
                    adapter=adapter,
                    path=settings.base_path + path,
                    names=tuple(
                        [each.lower() for each in (*adapter.header_names, *OTHERS)]
                    ),
                )
                if adapter.appends_target:
                    self._below.append(endpoint)
                else:
                    self._exact[endpoint.path] = endpoint
        self._heads = Heads(names)
        self._whole: dict[tuple[str, bytes], Reading] = {}
        self._read = lru_cache(MAX_READINGS)(self._read_anew)
        # People ask many questions each.
        self._lookup_client = lru_cache(MAX_CLIENTS)(self._find_client)
        # And each browser says what kind of a request it is in few words.
        self._lookup_kind = lru_cache(MAX_KINDS)(_classify)
        self._cases: dict[tuple[object, ...], int] = {}
        self._next_case = count()

    def read(self, data: bytes, peer: str) -> tuple[Reading, bytes] | None:
        """Return what *data* asks, and the value of the cookie with which it does.

        Args:
            data: What has come where a request begins.
            peer: The address of the proxy.

        Returns:
            ``None`` where more is to be thought about.
        """
        cut = cut_cookie(data)
        if cut is None:
            return None
        rest, cookie = cut
        reading = self._whole.get((peer, rest))
        if reading is None:
            reading = self._read_head(rest, peer)
            if reading is None:
                return None
            if len(rest) <= MAX_CHARACTERS:
                if len(self._whole) >= MAX_WHOLE:
                    self._whole.clear()
                self._whole[peer, rest] = reading
        return reading, cookie

    def _read_head(self, rest: bytes, peer: str) -> Reading | None:
        fields = self._heads.read(rest)
        if fields is None:
            return None
        path = fields.target
        endpoint = self._exact.get(path) or self._lookup_below(path)
        if endpoint is None:
            return None
        values = tuple([fields.values.get(each) for each in endpoint.names])
        target = path[len(endpoint.path) :]
        size = len(target) + sum([len(each) for each in values if each])
        asked = endpoint, fields.method, target, values, peer
        try:
            if size <= MAX_CHARACTERS:
                return self._read(*asked)
            return self._read_anew(*asked, is_long=True)
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
        *,
        is_long: bool = False,
    ) -> Reading:
        # Nothing of what is long is remembered, whatever line makes it so.
        find_client = self._find_client if is_long else self._lookup_client
        find_kind = _classify if is_long else self._lookup_kind
        adapter, settings = endpoint.adapter, self._settings
        taken_over = settings.logout.paths_taken_over(adapter)
        named = zip(endpoint.names, values, strict=True)
        headers = PlainHeaders({name: each for name, each in named if each is not None})
        request = ProxyRequest(
            method=method,
            target=target,
            headers=headers,
            client=find_client(values[-1], peer),
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
        selection = self._access_control.select(original)
        return Reading(
            adapter=adapter,
            question=question,
            selection=selection,
            case=self._case_of(selection),
            targets=settings.targets,
            kind=find_kind(original.method, values[-len(OTHERS) : -1]),
            domain=question.domain.name,
        )

    def _find_client(self, forwarded_for: str | None, peer: str) -> IPAddress | None:
        return lookup_client(
            () if forwarded_for is None else (forwarded_for,),
            peer=ip_address(peer),
            trusted=self._settings.trusted_proxies,
        )

    def _case_of(self, selection: Selection) -> int:
        """Return the number for all that *selection* decides by.

        Preflights and plain http, of which it goes by the request itself, do not come
        here. A number is given once, so that forgetting them all is harmless.
        """
        numbers = tuple([rule.number for rule in selection.rules])
        key = (selection.is_ambiguous, numbers, selection.unclear)
        case = self._cases.get(key)
        if case is None:
            if len(self._cases) >= MAX_CASES:
                self._cases.clear()
            case = self._cases[key] = next(self._next_case)
        return case


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Endpoint:
    """One path of one adapter, and the headers that its questions are read from.

    Compared by identity: it is a part of every key.
    """

    adapter: Adapter
    path: str
    names: tuple[str, ...]


def _classify(method: str, values: _Values) -> RequestKind:
    """Return the kind of a request whose ``KIND_HEADERS`` have *values*."""
    named = zip(KIND_HEADERS, values, strict=True)
    said = {name.lower(): each for name, each in named if each is not None}
    return classify(method, PlainHeaders(said))


class _NotPlainError(Exception):
    """There is more to a question than is thought about here."""
