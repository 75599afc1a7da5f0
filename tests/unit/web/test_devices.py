"""What a ``User-Agent`` says in words."""

import pytest

from forwardauth.web.devices import Device, parse_user_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        pytest.param(
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox",
            "Linux",
            id="firefox",
        ),
        pytest.param(
            f"Mozilla/5.0 (Windows NT 10.0; Win64) {WEBKIT} Chrome/126.0 Safari/537.36",
            "Chrome",
            "Windows",
            id="chrome",
        ),
        pytest.param(
            f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/126.0 Safari/537 Edg/126.0",
            "Edge",
            "Windows",
            id="edge",
        ),
        pytest.param(
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126 Safari/537",
            "Chrome",
            "Android",
            id="android",
        ),
        pytest.param(
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari",
            "iPhone",
            id="safari",
        ),
        pytest.param("curl/8.5.0", "curl", "", id="curl"),
        pytest.param("Windows Update Agent", "", "Windows", id="system alone"),
        pytest.param("python-requests/2.32", "", "", id="neither"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_user_agent_in_words(user_agent: str, browser: str, system: str) -> None:
    """The more telling mark wins over the ones that everybody sends."""
    assert parse_user_agent(user_agent) == Device(browser=browser, system=system)
