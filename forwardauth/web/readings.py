"""What proxies ask, read from the headers of plain requests, once for each question.

    head ─► what it says beside its target (``Said``), target ─► reading

Applications are asked for the same few addresses again and again, and for others in the
same words. What certain values of certain headers ask, and which rules are about it, is
the same as long as the service runs, so it is read once and remembered: who asks, and
what is decided, is not. Of a target that is new the rest of the head is known.

Laws: the lines that mean something, the address of the browser and of the proxy are all
that a reading depends on, and all of them are its key. Only requests that mean nothing
beyond it are read.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import count
from typing import Final

from forwardauth.access_control.rules import AccessControl, Selection
from forwardauth.adapters.base import Adapter, ProxyRequest
from forwardauth.adapters.headers import TARGET_HEADERS, PlainHeaders
from forwardauth.errors import ProxyRequestError
from forwardauth.web.heads import Heads, cut_cookie
from forwardauth.web.question import read_question
from forwardauth.web.reading import Reading
from forwardauth.web.said import MAX_CHARACTERS, OTHERS, Endpoint, Said, Sayings
from forwardauth.web.settings import WebSettings

MAX_READINGS: Final = 2048
"""How many readings are remembered, of questions up to ``MAX_CHARACTERS``. A worker
keeps 35 MB at most of all that is remembered here, whatever clients send."""

MAX_MARKS: Final = 8192
"""How many questions are known to have been asked once."""

MAX_WHOLE: Final = 1024
"""How many whole heads are known, without their cookies; long ones are not."""

MAX_CASES: Final = 4096
"""How many of those that differ for the rules are known as such."""


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
        self._exact: dict[str, Endpoint] = {}
        self._below: list[Endpoint] = []
        names = {*OTHERS}
        for adapter in adapters:
            names.update(adapter.header_names)
            for path in adapter.paths:
                endpoint = Endpoint(adapter, settings.base_path + path)
                if adapter.appends_target:
                    self._below.append(endpoint)
                else:
                    self._exact[endpoint.path] = endpoint
        self._heads = Heads(names, asking=TARGET_HEADERS)
        self._sayings = Sayings(self._heads, settings.trusted_proxies)
        self._whole: dict[tuple[str, bytes], Reading] = {}
        self._marks: set[int] = set()
        self._read = lru_cache(MAX_READINGS)(self._read_anew)
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
            if reading.is_repeated and len(rest) <= MAX_CHARACTERS:
                if len(self._whole) >= MAX_WHOLE:
                    self._whole.clear()
                self._whole[peer, rest] = reading
        return reading, cookie

    def _read_head(self, rest: bytes, peer: str) -> Reading | None:
        head = self._heads.read(rest)
        if head is None:
            return None
        endpoint = self._exact.get(head.target) or self._lookup_below(head.target)
        if endpoint is None:
            return None
        said = self._sayings.lookup(endpoint, head, peer)
        if said is None:
            return None
        target = head.target[len(endpoint.path) :]
        uri = head.asked.get(endpoint.uri_name)
        asked = said, target, uri
        is_long = said.size + len(target) + len(uri or "") > MAX_CHARACTERS
        try:
            if is_long or self._is_first(hash(asked)):
                return self._read_anew(*asked)
            reading = self._read(*asked)
        except (ProxyRequestError, _NotPlainError):
            return None
        reading.is_repeated = True
        return reading

    def _is_first(self, mark: int) -> bool:
        """Whether no question of the same *mark* has come lately.

        Most questions that nobody has asked before are never asked again, and what
        is kept of them would only take the place of others in the processor's caches.
        """
        if mark in self._marks:
            return False
        if len(self._marks) >= MAX_MARKS:
            self._marks.clear()
        self._marks.add(mark)
        return True

    def _lookup_below(self, path: str) -> Endpoint | None:
        for endpoint in self._below:
            if path.startswith(endpoint.path + "/"):
                return endpoint
        return None

    def _read_anew(self, said: Said, target: str, uri: str | None) -> Reading:
        """Return what is asked for by *target*, or by *uri* in the header for it."""
        endpoint, settings = said.endpoint, self._settings
        adapter = endpoint.adapter
        taken_over = settings.logout.paths_taken_over(adapter)
        values = said.values if uri is None else {**said.values, endpoint.uri_name: uri}
        request = ProxyRequest(
            method=said.method,
            target=target,
            headers=PlainHeaders(values),
            client=said.client,
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
            kind=self._sayings.kind(said, original.method),
            domain=question.domain.name,
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


class _NotPlainError(Exception):
    """There is more to a question than is thought about here."""
