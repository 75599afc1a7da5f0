"""How a line of the log is written: as text for people, or as JSON for programs.

    record ─► time, level, logger ─► event and fields, or a message ─► one line

Laws: a line of JSON is one object in ASCII, whatever a client sent: no line break, no
terminal sequence, no text that turns its direction, no half of a surrogate pair. It has
a bound. What a line leaves out (secrets, queries) is left out where the event is made,
so both formats tell the same.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Final

from forwardauth.web.log_lines import MAX_VALUE_CHARACTERS, Event, cut
from forwardauth.web.request_ids import lookup_current_id

TEXT_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""How every command writes its log lines, so that they can be gathered as one log."""

MAX_MESSAGE_CHARACTERS: Final = 4000
MAX_TRACE_CHARACTERS: Final = 16_000

_UNSAFE: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{
        code: f"\\u{code:04x}"
        for code in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F))
    },
    **{code: f"\\u{code:04x}" for code in (*range(0x2066, 0x206A), 0xFEFF)},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}
"""Control characters, line separators, and what turns the direction of text."""


class TextLines(logging.Formatter):
    """One line for people; a trace takes several, which nobody else can start."""

    def __init__(self) -> None:
        """Write lines as ``TEXT_FORMAT`` has them."""
        super().__init__(TEXT_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's
        """Return the line without trace, its message made harmless."""
        if not isinstance(record.msg, Event):
            record.message = record.message.translate(_UNSAFE)
            request_id = lookup_current_id()
            if request_id is not None:
                record.message += f" request_id={request_id}"
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """One JSON object: ``time``, ``level``, ``logger``, ``event`` or ``message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line."""
        line: dict[str, object] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        if isinstance(record.msg, Event):
            line["event"] = record.msg.name
            line |= {
                name: _value_of(value) for name, value in record.msg.fields.items()
            }
        else:
            line["message"] = _text_of(record.getMessage(), MAX_MESSAGE_CHARACTERS)
            request_id = lookup_current_id()
            if request_id is not None:
                line["request_id"] = request_id
        if record.exc_info:
            # What went wrong stands at the end.
            trace = self.formatException(record.exc_info)[-MAX_TRACE_CHARACTERS:]
            line["exception"] = _text_of(trace, MAX_TRACE_CHARACTERS)
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def _time_of(record: logging.LogRecord) -> str:
    """Return when, as RFC 3339 has it, in UTC and to the millisecond."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _value_of(value: object) -> object:
    if isinstance(value, bool | int):
        return value
    return _text_of(str(value), MAX_VALUE_CHARACTERS)


def _text_of(text: str, most: int) -> str:
    """Return *text* cut, with each half of a surrogate pair spelt out.

    JSON can escape such a half, but many programs refuse the line then.
    """
    return cut(text, most).encode("utf-8", "backslashreplace").decode()
