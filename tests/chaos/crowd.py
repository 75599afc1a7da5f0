"""A bounded load of real clients: some stay signed in, others come and go.

Each client is a thread that asks, waits for its answer, and pauses. What it was told
goes into the account.
"""

import contextlib
import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, cycle
from typing import Final

from tests.chaos.account import Account, Answer, Kind, Lost, Status, Token, now
from tests.support.client import Headers
from tests.support.portal import COOKIE, PASSWORD, PORTAL

PATIENCE_SECONDS: Final = 30.0
"""After this time without an answer a request counts as lost."""

RESIDENTS: Final = 6
VERIFIERS: Final = 4
VERIFY_PAUSE: Final = 0.04
LOGIN_PAUSE: Final = 0.35
LOGOUT_PAUSE: Final = 0.2
AUDIT_PAUSE: Final = 0.03

STOCK: Final = 3
"""How many sessions wait to be ended when a fault begins: no login may do by then."""


class Caller:
    """One client of the service, which keeps its connection or makes one each time."""

    def __init__(self, port: int, *, keeps_connection: bool) -> None:
        self._port = port
        self._keeps = keeps_connection
        self._connection: http.client.HTTPConnection | None = None

    def send(
        self,
        method: str,
        path: str,
        headers: Headers,
        *,
        host: str = PORTAL,
        body: bytes | None = None,
    ) -> tuple[Status, http.client.HTTPResponse | None, bytes]:
        """Return status, answer and body; ``Lost`` where there was none.

        A connection that was closed while nothing was under way is made again, as every
        proxy does.
        """
        try:
            try:
                return self._ask(method, path, headers, host, body)
            except (http.client.RemoteDisconnected, ConnectionError):
                if self._connection is None or not self._keeps or method != "GET":
                    raise
                self.close()
                return self._ask(method, path, headers, host, body)
        except TimeoutError:
            self.close()
            return Lost.TIMEOUT, None, b""
        except (OSError, http.client.HTTPException):
            self.close()
            return Lost.CONNECTION, None, b""

    def _ask(
        self, method: str, path: str, headers: Headers, host: str, body: bytes | None
    ) -> tuple[Status, http.client.HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=PATIENCE_SECONDS
            )
        connection = self._connection
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        if not self._keeps:
            self.close()
        return response.status, response, content

    def close(self) -> None:
        """End the connection if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Crowd:
    """The clients and their sessions."""

    def __init__(self, port: int) -> None:
        """Ask the service on *port*."""
        self._port = port
        self._account = Account()
        self._stop = threading.Event()
        self._is_stocking = True
        self.residents: list[Token] = []
        self._leaving: deque[Token] = deque()
        self._ended: list[Token] = []
        self._names = cycle(("alice", "bob"))

    @property
    def ended(self) -> Sequence[Token]:
        """The sessions whose end was acknowledged."""
        return tuple(self._ended)

    def move_in(self) -> None:
        """Sign those in who stay, and some who will leave."""
        caller = self._caller()
        for tokens, wanted in ((self.residents, RESIDENTS), (self._leaving, STOCK)):
            while len(tokens) < wanted:
                token, answer = self.sign_in(caller)
                assert token is not None, f"sign-in was answered {answer.status}"
                tokens.append(token)

    def move_out(self) -> None:
        """Forget who stays: their sessions were in a file that is no more.

        Those who sign in next stay in their place.
        """
        self.residents = []

    def let_leave(self) -> None:
        """From now on sessions end as fast as they may, also those in stock."""
        self._is_stocking = False

    @contextmanager
    def about(self, account: Account) -> Iterator[None]:
        """Let everybody ask as long as the context lasts, and *account* tell of it."""
        self._stop.clear()
        self._account = account
        self._is_stocking = True
        work: list[Callable[[], None]] = [
            *(partial(self._verify, number) for number in range(VERIFIERS)),
            self._come,
            self._go,
            self._audit,
        ]
        threads = [threading.Thread(target=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def sign_in(self, caller: Caller) -> tuple[Token | None, Answer]:
        """Ask for a session; return it if there is one."""
        content = {"username": next(self._names), "password": PASSWORD}
        began = now()
        status, response, _ = caller.send(
            "POST",
            "/api/firstfactor",
            [("Content-Type", "application/json")],
            body=json.dumps(content).encode(),
        )
        answer = Answer(kind=Kind.LOGIN, began=began, ended=now(), status=status)
        if response is None or status != 200:
            return None, answer
        lines = response.msg.get_all("Set-Cookie") or []
        (line,) = (each for each in lines if each.startswith(f"{COOKIE}="))
        value = line.partition(";")[0].removeprefix(f"{COOKIE}=")
        return Token(value=value), answer

    def sign_out(self, caller: Caller, token: Token) -> Answer:
        """Ask for the end of *token*, and note whether that was acknowledged."""
        began = now()
        token.leaves = token.leaves or began
        status, _, body = caller.send("POST", "/api/logout", [_cookie(token)])
        ended = now()
        if status == 200 or (status == 503 and _is_promise(body)):
            token.ended = ended
        return Answer(kind=Kind.LOGOUT, began=began, ended=ended, status=status)

    def verify(self, caller: Caller, token: Token | None) -> Answer:
        """Ask about *token*, and write down what was said."""
        headers = [
            ("X-Original-URL", "https://app.example.com/"),
            ("X-Original-Method", "GET"),
            *([] if token is None else [_cookie(token)]),
        ]
        began = now()
        status, _, _ = caller.send("GET", "/verify/nginx", headers)
        answer = Answer(kind=Kind.VERIFY, began=began, ended=now(), status=status)
        self._account.note_verify(token, answer)
        return answer

    def look_at_all(self, times: int, *, since: float) -> None:
        """Ask about every session there is or was, again and again for all workers.

        Those that ended before *since* are asked about once.
        """
        caller = self._caller()
        for token in (*self.residents, *self._leaving, *self._ended):
            is_old = token.ended is not None and token.ended < since
            for _ in range(1 if is_old else times):
                self.verify(caller, token)

    def _caller(self, *, keeps_connection: bool = False) -> Caller:
        return Caller(self._port, keeps_connection=keeps_connection)

    def _verify(self, number: int) -> None:
        """Ask about those who stay, and now and then about nobody."""
        caller = self._caller(keeps_connection=number % 2 == 0)
        for turn in self._turns(VERIFY_PAUSE):
            some = self.residents
            token = some[(turn + number) % len(some)] if some and turn % 8 else None
            self.verify(caller, token)
        caller.close()

    def _come(self) -> None:
        caller = self._caller()
        for turn in self._turns(LOGIN_PAUSE):
            token, answer = self.sign_in(caller)
            self._account.note(answer)
            if token is None:
                continue
            if len(self.residents) < RESIDENTS and turn % 2:
                self.residents.append(token)
            else:
                self._leaving.append(token)

    def _go(self) -> None:
        """End one session after the other; who was not told of the end asks again."""
        caller = self._caller()
        for _ in self._turns(LOGOUT_PAUSE):
            if len(self._leaving) <= (STOCK if self._is_stocking else 0):
                continue
            token = self._leaving[0]
            self._account.note(self.sign_out(caller, token))
            if token.ended is not None:
                self._leaving.popleft()
                self._ended.append(token)

    def _audit(self) -> None:
        """Ask about the sessions that have ended, the last ones most of all."""
        caller = self._caller()
        for turn in self._turns(AUDIT_PAUSE):
            if self._ended:
                some = self._ended[-4:] if turn % 2 else self._ended
                self.verify(caller, some[turn % len(some)])

    def _turns(self, pause: float) -> Iterator[int]:
        for turn in count():
            if self._stop.wait(pause):
                return
            yield turn


def _cookie(token: Token) -> tuple[str, str]:
    return "Cookie", f"{COOKIE}={token.value}"


def _is_promise(body: bytes) -> bool:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return json.loads(body)["data"]["pending"] is True
    return False


def rest(seconds: float) -> None:
    """Let the crowd go on for *seconds*."""
    time.sleep(seconds)
