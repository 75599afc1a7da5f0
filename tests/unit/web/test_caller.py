"""From the cookies of a request to who makes it."""

import pytest

from tests.support.portal import COOKIE, PORTAL, Portal


@pytest.mark.parametrize(
    ("cookies", "username"),
    [
        ("{name}={token}", "alice"),
        ("other=1; {name}={token}; {name}=garbage", "alice"),
        ("{name}x={token}", ""),
        ("{name}=garbage", ""),
        ("", ""),
    ],
    ids=["session", "among-others", "other-name", "garbage", "none"],
)
async def test_caller_is_who_the_one_live_cookie_names(
    portal: Portal, cookies: str, username: str
) -> None:
    """Every cookie of our name counts, wherever it stands, and no other (V-5)."""
    token, _ = await portal.create_session()
    header = cookies.format(name=COOKIE, token=token)

    reply = await portal.send(
        "GET", "/api/state", host=PORTAL, headers=[("Cookie", header)] if header else []
    )

    assert reply.json()["data"]["username"] == username
