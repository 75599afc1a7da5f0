"""Lines of the log, as text and as JSON: whole, bounded, and nobody's to forge."""

import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.web.log_formats import (
    MAX_MESSAGE_CHARACTERS,
    MAX_TRACE_CHARACTERS,
    JsonLines,
    TextLines,
)
from forwardauth.web.log_lines import Event
from forwardauth.web.request_ids import RequestName, enter, leave

MOMENT = 1772366400.25  # 2026-03-01T12:00:00.250Z


def record(
    message: object, *args: object, error: BaseException | None = None
) -> logging.LogRecord:
    """Return what a call of a logger makes of *message*."""
    caught = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord(
        "forwardauth.x", logging.WARNING, __file__, 1, message, args, caught
    )
    made.created, made.process = MOMENT, 42
    return made


def raised(text: str) -> ValueError:
    """Return an error that has been raised."""

    def fail() -> None:
        raise ValueError(text)

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is the point
        fail()
    return caught.value


def test_event_is_an_object_with_its_fields() -> None:
    """Numbers and truth stay what they are; the time is RFC 3339 in UTC."""
    line = JsonLines().format(record(Event("logout", ended=2, done=True, user="alice")))

    assert json.loads(line) == {
        "time": "2026-03-01T12:00:00.250Z",
        "level": "warning",
        "logger": "forwardauth.x",
        "pid": 42,
        "event": "logout",
        "ended": 2,
        "done": True,
        "user": "alice",
    }


def test_message_is_an_object_with_its_text() -> None:
    """What is no event is told in a sentence, arguments and all."""
    line = JsonLines().format(record("users read from %s: %d", "users.yaml", 3))

    assert json.loads(line)["message"] == "users read from users.yaml: 3"


def test_trace_is_a_field_of_the_line() -> None:
    """A program need not know where a trace of several lines ends."""
    line = JsonLines().format(record("failed", error=raised("why\nnot")))

    assert "\n" not in line
    trace = json.loads(line)["exception"]
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: why\nnot")


def test_line_has_a_bound() -> None:
    """Whatever is told, a shipper of lines can take one (V-42)."""
    error = raised("x" * 100_000)
    fields = {f"f{number}": "x" * 1000 for number in range(10)}

    message = json.loads(JsonLines().format(record("y" * 100_000, error=error)))
    event = json.loads(JsonLines().format(record(Event("e", **fields))))

    assert message["message"] == "y" * MAX_MESSAGE_CHARACTERS + "…"
    assert len(message["exception"]) == MAX_TRACE_CHARACTERS
    assert {event[name] for name in fields} == {"x" * 200 + "…"}


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=80))
def test_nothing_breaks_a_line_of_json(text: str) -> None:
    """Printable ASCII on one line, without halves of surrogate pairs (V-48)."""
    for made in (record("%s", text), record(Event("e", value=text))):
        line = JsonLines().format(made)

        assert re.fullmatch(r"[ -~]+", line)
        told = json.loads(line)
        value = told["value"] if "value" in told else told["message"]
        # Raises where a half is left, which strict readers of JSON refuse.
        value.encode("utf-8")
        if text.isprintable():
            assert value == text


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "\x1b[2J", "\x7f", "\x9b2J", "a\u2028b", "\u202eb", "\u2066b"],
    ids=ascii,
)
def test_nothing_breaks_a_line_of_text(text: str) -> None:
    """No line break, terminal sequence or turned text stands raw (V-48)."""
    line = TextLines().format(record("told: %s", text))

    assert line.isprintable()
    assert line.partition("told: ")[2] == text.encode("unicode_escape").decode()


def test_text_keeps_the_letters_of_names() -> None:
    """Letters of any language are for people to read."""
    assert TextLines().format(record("Zoë 漢字")).endswith("Zoë 漢字")


def test_text_shows_event_and_trace() -> None:
    """The line as people know it; a trace follows below."""
    line = TextLines().format(record(Event("e", a=1), error=raised("why")))

    first, *_, last = line.splitlines()
    assert first.endswith(" WARNING forwardauth.x: event=e a=1")
    assert last == "ValueError: why"


def test_message_within_a_request_carries_its_name() -> None:
    """Whatever is told while a request is answered is found by its name."""
    token = enter(RequestName(lambda: "7f00"))
    try:
        as_json = json.loads(JsonLines().format(record("told")))
        as_text = TextLines().format(record("told"))
    finally:
        leave(token)

    assert as_json["request_id"] == "7f00"
    assert as_text.endswith(": told request_id=7f00")


def test_format_reads_a_record_that_others_have_read() -> None:
    """Two handlers may write one record, each in its own format."""
    told = record("a\nb")

    texts = [each().format(told) for each in (TextLines, JsonLines, TextLines)]

    assert texts[0] == texts[2]
    assert json.loads(texts[1])["message"] == "a\nb"
