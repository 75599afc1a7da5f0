"""A handover as the store keeps it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from forwardauth.sessions.handover import (
    Handover,
    binding_of,
    dump_handover,
    parse_handover,
)
from forwardauth.sessions.ids import Digest, Handle
from forwardauth.sessions.model import LiveSession, Session, dump_entry, parse_entry
from tests.support.clock import START

MINUTE = timedelta(minutes=1)
HANDOVER = Handover(
    domain="example.org",
    binding=binding_of("nonce"),
    parent=Digest(b"p" * 32),
    expires=START + MINUTE,
)
SESSION = Session(
    handle=Handle("h" * 32),
    login="login-1",
    username="alice",
    domain="example.com",
    credential=(),
    methods=("pwd",),
    level=1,
    created=START,
    absolute=START + MINUTE,
    idle=None,
    seen=START,
    remembered=False,
    address="",
    user_agent="",
)
LIVE = LiveSession(session=SESSION, digest=HANDOVER.parent)
ENTRY = dump_handover(HANDOVER, LIVE, Digest(b"c" * 32))


def test_handover_comes_back_as_it_went() -> None:
    """What was dumped is read, and lies in the index of its user and login."""
    assert parse_handover(ENTRY) == HANDOVER
    assert (ENTRY.owner, ENTRY.login) == ("alice", "login-1")
    assert ENTRY.expires == START + MINUTE


def test_handover_is_no_session() -> None:
    """No look-up of sessions takes it for one, and a session is no handover (V-3)."""
    assert parse_entry(ENTRY) is None
    assert parse_handover(dump_entry(SESSION, Digest(b"s" * 32))) is None


def test_record_does_not_tell_the_nonce() -> None:
    """Who reads the store cannot use a code in another browser's place."""
    assert b"nonce" not in ENTRY.record


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff",
        b"[]",
        b'"handover"',
        b"null",
        b"{}",
        b'{"handover": null}',
        b'{"handover": {}}',
        json.dumps(
            {"handover": {"domain": "", "binding": "", "parent": "zz"}}
        ).encode(),
        json.dumps({"handover": {"domain": "", "binding": "", "parent": 1}}).encode(),
        json.dumps({"handover": {"domain": "", "binding": "", "parent": ""}}).encode(),
        json.dumps(
            {
                "handover": {
                    "domain": "",
                    "binding": "",
                    "parent": "",
                    "expires": 10**30,
                }
            }
        ).encode(),
    ],
)
def test_unreadable_record_is_none(record: bytes) -> None:
    """A record of something else, or of a damaged store, raises nothing."""
    assert parse_handover(replace(ENTRY, record=record)) is None
