"""Logout tokens: what they say, who can check them, and what they do not tell."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from forwardauth.web.logout_tokens import EndedLogin, LogoutTokens, login_id_of
from tests.support.clock import START, FakeClock

SECRET = b"a secret of thirty-two characters"
ISSUER = "https://auth.example.com/base"
AUDIENCE = "https://app.example.com"
LOGIN = EndedLogin(login_id="1" * 32, username="alice", ended=START)


def create(secret: bytes = SECRET, clock: FakeClock | None = None) -> LogoutTokens:
    """Return what signs with a key made from *secret*."""
    return LogoutTokens(secret, issuer=ISSUER, clock=clock or FakeClock())


def published(tokens: LogoutTokens) -> dict[str, Any]:
    """Return the one key that *tokens* publishes."""
    content: dict[str, list[dict[str, Any]]] = json.loads(tokens.key_set)
    assert content.keys() == {"keys"}
    (key,) = content["keys"]
    return key


def decode(token: str, tokens: LogoutTokens) -> jwt.Token:
    """Check *token* with what *tokens* publishes, as a stranger would."""
    keys = KeySet.import_key_set(json.loads(tokens.key_set))
    return jwt.decode(token, keys, algorithms=["ES256"])


def test_a_token_says_what_the_standard_asks_for() -> None:
    """Every claim, no nonce, and the type that tells it from other tokens."""
    clock = FakeClock()
    tokens = create(clock=clock)
    clock.advance(timedelta(seconds=90))

    token = decode(tokens.sign(LOGIN, audience=AUDIENCE), tokens)

    jti = token.claims.pop("jti")
    assert token.header == {
        "alg": "ES256",
        "typ": "logout+jwt",
        "kid": published(tokens)["kid"],
    }
    assert token.claims == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "sid": "1" * 32,
        "iat": int(START.timestamp()) + 90,
        "exp": int(START.timestamp()) + 210,
        "toe": int(START.timestamp()),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    assert len(jti) == 32


def test_no_two_tokens_have_the_same_id() -> None:
    """Whoever refuses what was there before must not refuse a second attempt."""
    tokens = create()

    ids = {
        decode(tokens.sign(LOGIN, audience=AUDIENCE), tokens).claims["jti"]
        for _ in range(10)
    }

    assert len(ids) == 10


def test_the_names_of_users_arrive_as_they_are() -> None:
    """Quotes, line breaks and other scripts are JSON, not structure."""
    login = EndedLogin(login_id="1", username='a"b\n\u00e9\u4e2d', ended=START)
    tokens = create()

    token = decode(tokens.sign(login, audience=AUDIENCE), tokens)

    assert token.claims["sub"] == login.username


def test_only_the_public_part_is_published() -> None:
    """With ``d`` in it everybody could sign."""
    key = published(create())

    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == (
        "EC",
        "P-256",
        "sig",
        "ES256",
    )


def test_the_key_is_named_by_its_thumbprint() -> None:
    """RFC 7638, 3: the hash of the required members in order."""
    key = published(create())
    members = {name: key[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))

    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())

    assert key["kid"] == thumbprint.rstrip(b"=").decode()


def test_one_secret_makes_one_key_on_every_machine() -> None:
    """Of another version too: this name was made when the key was first derived."""
    kid = published(create())["kid"]

    assert kid == "vdiorSk6BSLOSFgYHz51QiaLmi-SG50hYgT2WcKE3GA"
    assert create().key_set == create().key_set


def test_another_secret_makes_another_key() -> None:
    """What one signs does not count with the other."""
    ours, theirs = create(), create(b"another secret of the same length")
    token = theirs.sign(LOGIN, audience=AUDIENCE)

    keys = published(ours) | {"kid": published(theirs)["kid"]}
    with pytest.raises(BadSignatureError):
        jwt.decode(token, KeySet.import_key_set({"keys": [keys]}), algorithms=["ES256"])


def test_a_changed_token_does_not_count() -> None:
    """Nobody can turn the notice about one user into one about another."""
    tokens = create()
    head, claims, signature = tokens.sign(LOGIN, audience=AUDIENCE).split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = json.dumps(content | {"sub": "bob"}).encode()
    forged = base64.urlsafe_b64encode(other).rstrip(b"=").decode()

    with pytest.raises(BadSignatureError):
        decode(f"{head}.{forged}.{signature}", tokens)


def test_the_id_of_a_login_does_not_lead_back() -> None:
    """Applications cannot ask the store for a login, or link it with our logs."""
    login = "0123456789abcdef" * 2

    login_id = login_id_of(login)

    assert len(login_id) == 32
    assert login_id != login
    assert login_id != hashlib.sha256(login.encode()).hexdigest()[:32]
    assert login_id == login_id_of(login)
    assert login_id != login_id_of(login[::-1])
