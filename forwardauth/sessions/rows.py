"""What a glance needs of a session, read from the row of a store.

Law: only what stands there as we write it is read here, and then it says what
``model.parse_entry`` would read. Anything else is for that to judge.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from forwardauth.sessions.model import is_time

_RECORD: Final = re.compile(
    rb'\{"v":1,"handle":"[^"]{32}","domain":"([^"]+)",'
    rb'"credential":\[("[^"]{32}"(?:,"[^"]{32}"){0,7})\],'
    rb'"methods":\["[^"]+"\],"level":([12]),"created":(0|[1-9][0-9]{0,14}),'
    rb'"absolute":(0|[1-9][0-9]{0,14}),"idle":(null|0|[1-9][0-9]{0,14}),'
    rb'"remembered":(?:true|false),'
    rb'"address":"[^"]*","user_agent":"[^"]*","upstream":\{\}\}'
)
"""All of a record as ``dump_entry`` writes it. One with anything else is for
``parse_entry`` to read, or to refuse."""

_PLAIN: Final = bytes(range(0x20, 0x7F)).replace(b"\\", b"")
"""What a text of JSON may hold as it is, or rather less. To look for anything else
first is half as much work as to look for each kind of character where it belongs."""


class Glance(NamedTuple):
    """A session that counts.

    Attributes:
        username: Whose it is.
        credential: Stamps of the password hash it was proven with, as JSON; equal
            bytes mean equal stamps.
        level: How many factors were proven.
        domain: The cookie domain on which it counts.
    """

    username: str
    credential: bytes
    level: int
    domain: str

    @property
    def stamps(self) -> tuple[str, ...]:
        """The stamps in *credential*."""
        return tuple(self.credential.decode("ascii").replace('"', "").split(","))


class Content(NamedTuple):
    """What a record says. Times in ms.

    Attributes:
        absolute_ms: When the session ends at the latest, since 1970.
        idle_ms: How long it lasts unused, ``None`` where that has no bound.
    """

    glance: Glance
    absolute_ms: int
    idle_ms: int | None


@dataclass(slots=True)
class Row:
    """What a glance needs of an ``Entry``. Times in ms since 1970.

    Attributes:
        glance: What the record says, once it has been read; a store that keeps its
            rows has each of them read once.
        ends_ms: When the session ends if nobody uses it again.
    """

    owner: str
    record: bytes
    seen_ms: int
    glance: Glance | None = field(default=None, init=False, compare=False)
    ends_ms: int = field(default=0, init=False, compare=False)

    def ends_after(self, seen_ms: int) -> int:
        """Return when the session ends if its last use was at *seen_ms*; all in ms."""
        content = parse_record(self.owner, self.record)
        return end_of(content.absolute_ms, content.idle_ms, seen_ms=seen_ms)


class NoGlanceError(Exception):
    """More is to be done than a glance: ask the manager."""


def read_record(row: Row) -> Glance:
    """Return what the record of *row* says, and keep it there.

    Raises:
        NoGlanceError: It is not plainly as we write one.
    """
    content = parse_record(row.owner, row.record)
    row.ends_ms = end_of(content.absolute_ms, content.idle_ms, seen_ms=row.seen_ms)
    row.glance = content.glance
    return content.glance


def end_of(absolute_ms: int, idle_ms: int | None, *, seen_ms: int) -> int:
    """Return when a session ends that was last used at *seen_ms*; all in ms."""
    return absolute_ms if idle_ms is None else min(absolute_ms, seen_ms + idle_ms)


def parse_record(owner: str, record: bytes) -> Content:
    """Return what the *record* of a session of *owner* says.

    Raises:
        NoGlanceError: It is not plainly as we write one.
    """
    match = None if record.translate(None, _PLAIN) else _RECORD.fullmatch(record)
    if match is None:
        raise NoGlanceError
    name, credential, level, created, absolute, idle = match.groups()
    if not (is_time(int(created)) and is_time(int(absolute))):
        raise NoGlanceError
    glance = Glance(owner, credential, int(level), name.decode("ascii"))
    return Content(glance, int(absolute), None if idle == b"null" else int(idle))
