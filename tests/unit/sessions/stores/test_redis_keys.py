"""What lies together in a cluster is named so, and reads as it was written."""

import pytest

from forwardauth.errors import StoreUnavailableError
from forwardauth.sessions.model import to_ms
from forwardauth.sessions.rows import NoGlanceError, Row
from forwardauth.sessions.stores.redis_keys import (
    FIELDS,
    ROW_FIELDS,
    TAGS,
    Kept,
    RedisKeys,
    create_ticket,
    dump_fields,
    parse_fields,
    parse_row,
    split_row,
)
from tests.unit.sessions.contract import create_entry

KEYS = RedisKeys("sso")


def test_all_of_one_digest_lies_in_one_slot() -> None:
    """Session, preparation, claim and expiries share the tag, 256 in all."""
    digest = create_entry().digest
    tag = f"{digest[0]:02x}"

    keys = [
        KEYS.session(digest),
        KEYS.prepared(digest, b"t"),
        KEYS.claimed(digest, b"c"),
        KEYS.expiries(digest),
        KEYS.ping_of_tag(tag),
    ]

    assert len(set(keys)) == len(keys)
    assert all(key.startswith(f"sso:{{{tag}}}:") for key in keys)
    assert len(set(TAGS)) == 256


def test_rows_lead_back_to_the_attempt() -> None:
    """A row of an owner names the login behind digest and ticket."""
    kept = Kept(entry=create_entry(owner="o", login="ü"), ticket=create_ticket())

    by_owner, by_login = KEYS.rows(kept)

    assert (by_owner.key, by_login.key) == ("sso:o:o", "sso:l:ü")
    assert by_owner.member == by_login.member + "ü".encode()
    assert split_row(by_owner.member) == (kept.entry.digest, kept.ticket)
    assert split_row(by_login.member) == (kept.entry.digest, kept.ticket)


def test_every_attempt_has_its_own_ticket() -> None:
    """Two attempts of one digest cannot be confused."""
    assert len({create_ticket() for _ in range(100)}) == 100


def written(kept: Kept) -> list[bytes]:
    """Return the values of *kept* as the server gives them back."""
    flat = dump_fields(kept)
    assert tuple(flat[::2]) == FIELDS
    return [v if isinstance(v, bytes) else str(v).encode() for v in flat[1::2]]


def test_fields_read_as_they_were_written() -> None:
    """The server gives back bytes for everything."""
    kept = Kept(entry=create_entry(owner="ü", record=b"\0\xff"), ticket=b"\xff" * 8)

    assert parse_fields(kept.entry.digest, written(kept)) == kept


def test_no_fields_are_no_session() -> None:
    """An absent hash answers nothing for each field."""
    assert parse_fields(create_entry().digest, [None] * len(FIELDS)) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(0, b"\xff", id="owner-is-no-text"),
        pytest.param(3, b"soon", id="seen-is-no-number"),
        pytest.param(4, b"9" * 30, id="expires-is-out-of-range"),
        pytest.param(4, None, id="expires-is-missing"),
    ],
)
def test_fields_that_we_never_wrote_are_an_outage(
    place: int, value: bytes | None
) -> None:
    """A session that is there and cannot be read is not taken for absent."""
    kept = Kept(entry=create_entry(), ticket=create_ticket())
    values: list[bytes | None] = [*written(kept)]
    values[place] = value

    with pytest.raises(StoreUnavailableError, match="cannot be read"):
        parse_fields(kept.entry.digest, values)


def test_row_is_read_as_it_was_written() -> None:
    """A glance gets what ``parse_fields`` reads, but for the ticket."""
    entry = create_entry(owner="\u00fc", record=b"\0\xff")

    row = parse_row(written(Kept(entry=entry, ticket=create_ticket()))[:-1])

    assert row == Row(entry.owner, entry.record, to_ms(entry.seen))


def test_no_row_is_no_session() -> None:
    """An absent hash answers nothing for each field."""
    assert parse_row([None] * len(ROW_FIELDS)) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(0, b"\xff", id="owner-is-no-text"),
        pytest.param(1, None, id="login-is-missing"),
        pytest.param(3, b"soon", id="seen-is-no-number"),
        pytest.param(4, b"9" * 30, id="expires-is-out-of-range"),
        pytest.param(3, b"9" * 15, id="seen-is-in-no-calendar"),
        pytest.param(4, b"9" * 15, id="expires-is-in-no-calendar"),
        pytest.param(4, b"-" + b"9" * 14, id="expires-was-in-no-calendar"),
        pytest.param(4, b"soon", id="expires-is-no-number"),
        pytest.param(4, None, id="expires-is-missing"),
    ],
)
def test_row_that_we_never_wrote_is_no_glance(place: int, value: bytes | None) -> None:
    """What is there and cannot be read is not taken for absent."""
    kept = Kept(entry=create_entry(), ticket=create_ticket())
    values: list[bytes | None] = [*written(kept)[:-1]]
    values[place] = value

    assert isinstance(parse_row(values), NoGlanceError)


@pytest.mark.parametrize("answer", [None, 1, b"OK", [], [b""] * 6, RuntimeError("-X")])
def test_answer_of_another_kind_is_no_glance(answer: object) -> None:
    """An error, or what another command would answer, tells nothing."""
    assert isinstance(parse_row(answer), NoGlanceError)
