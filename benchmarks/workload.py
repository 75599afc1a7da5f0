"""The one workload of verify: who is signed in where, and what a proxy asks.

Law: every server under comparison is sent the same bytes, in the same order. Each
session asks in its turn, so that no answer can come from a memory of the last one.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.seeding import create_session
from forwardauth.sessions.ids import SessionId, create_session_id, digest_of
from forwardauth.sessions.model import dump_entry
from forwardauth.sessions.store import Entry
from forwardauth.users.hashes import Hasher
from forwardauth.users.stamps import stamp_of

DOMAIN: Final = "example.com"
HOSTS: Final = tuple(f"app{number}.{DOMAIN}" for number in range(10))
SESSIONS: Final = 10_000
USERS: Final = 1_000
REQUEST_HEADERS: Final = 20

_BROWSER: Final = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.8,de;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-User", "?1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-GPC", "1"),
    ("DNT", "1"),
    ("Priority", "u=0, i"),
    ("Cache-Control", "max-age=0"),
)
_HOST_RULES: Final = (
    ("path: /admin, groups: [admins]", "one_factor"),
    ("path: /admin", "deny"),
    ("path_regex: '/static/.*[.]css', methods: [GET, HEAD]", "bypass"),
    ("networks: [10.0.0.0/8], users: [nobody]", "deny"),
    ("groups: [staff]", "one_factor"),
)
NUMBER: Final = "\1"
"""Stands in a request for a number that the client has not sent before."""

_PATH: Final = "/inbox/42?folder=7"
_NEW_PATH: Final = f"/inbox/{NUMBER}?folder=7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Sessions, and the password hash that all users share.

    Attributes:
        password: What the hash is of.
        password_hash: At the cost that the service writes.
        tokens: One session id for each session, as the cookies hold them.
    """

    password: str
    password_hash: str
    tokens: Sequence[SessionId]

    def entries(self) -> Iterator[Entry]:
        """Yield what a store keeps of the sessions, each used just now."""
        now = datetime.now(UTC)
        stamp = stamp_of(self.password_hash)
        for number, token in enumerate(self.tokens):
            session = create_session(username(number), stamp, now)
            yield dump_entry(session, digest_of(token))


def create_workload(sessions: int = SESSIONS) -> Workload:
    """Return a workload of *sessions* new sessions."""
    password = secrets.token_urlsafe(16)
    return Workload(
        password=password,
        password_hash=Hasher().hash(password.encode()),
        tokens=[create_session_id() for _ in range(sessions)],
    )


def username(number: int) -> str:
    """Return whose session the one with *number* is."""
    return f"user-{number % USERS}"


def write_users(path: Path, workload: Workload) -> None:
    """Write the users file: each user is in three groups."""
    lines = ["users:"]
    for number in range(USERS):
        lines += [
            f"  {username(number)}:",
            f"    displayname: User {number}",
            f"    email: user-{number}@{DOMAIN}",
            f'    password: "{workload.password_hash}"',
            f"    groups: [staff, team-{number % 20}, site-{number % 5}]",
        ]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rules() -> str:
    """Return the section with five rules for each host; the last one matches."""
    lines = ["access_control:", "  default_policy: deny", "  rules:"]
    for host in HOSTS:
        for criteria, policy in _HOST_RULES:
            lines.append(f"    - {{domain: {host}, {criteria}, policy: {policy}}}")
    return "\n".join(lines) + "\n"


def requests(
    dialect: str, path: str, tokens: Sequence[str | None], *, is_new: bool = False
) -> list[bytes]:
    """Return one request for each of *tokens*, to *path* in the *dialect* of a proxy.

    Args:
        dialect: ``nginx`` or ``traefik``; ``browser`` for what those get themselves.
        path: Of the request line.
        tokens: ``None`` for somebody who is not signed in.
        is_new: Whether each has a URL that has not been asked about before, instead of
            one of the ten that everybody has.
    """
    asked = _NEW_PATH if is_new else _PATH
    return [
        _request(dialect, path, HOSTS[number % len(HOSTS)], asked, token)
        for number, token in enumerate(tokens)
    ]


def _request(
    dialect: str, path: str, host: str, asked: str, token: str | None
) -> bytes:
    session = "" if token is None else f"; forwardauth_session={token}"
    headers = [*_BROWSER, ("Cookie", f"theme=dark; lang=en{session}")]
    if dialect == "nginx":
        headers += [
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Original-URL", f"https://{host}{asked}"),
            ("X-Original-Method", "GET"),
        ]
    elif dialect == "traefik":
        headers += [
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Uri", asked),
            ("X-Forwarded-Method", "GET"),
        ]
    # A proxy passes on what it was sent: the rest are the browser's, to the number.
    spare = REQUEST_HEADERS - 1 - len(headers)
    headers += [(f"X-Trace-{number}", "0af7651916cd43dd") for number in range(spare)]
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
