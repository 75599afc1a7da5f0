"""What a ``User-Agent`` says in words."""

import subprocess
import sys

import pytest

from forwardauth.sessions.model import MAX_USER_AGENT_CHARACTERS
from forwardauth.web.devices import Device, parse_user_agent, parse_user_agents

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
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0 Mobile "
            "Safari/537.36",
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
        pytest.param(
            f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} "
            "FxiOS/128.0 Mobile/15E148 Safari/604.1",
            "Firefox",
            "iPad",
            id="another browser on an apple",
        ),
        pytest.param(
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.5 "
            "Safari/605.1.15",
            "Safari",
            "macOS",
            id="mac",
        ),
        pytest.param(
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} SamsungBrowser/25.0 "
            "Chrome/121.0 Mobile Safari/537.36",
            "Samsung Internet",
            "Android",
            id="samsung",
        ),
        pytest.param(
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/126.0 "
            "Safari/537.36",
            "Chrome",
            "ChromeOS",
            id="chromebook",
        ),
        pytest.param(
            f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/126.0.0.0 "
            "Safari/537.36",
            "Chrome",
            "Linux",
            id="headless",
        ),
        pytest.param("curl/8.5.0", "curl", "", id="curl"),
        pytest.param("Windows Update Agent", "", "Windows", id="system alone"),
        pytest.param("python-requests/2.32", "Python Requests", "", id="program"),
        pytest.param("my program", "", "", id="neither"),
        pytest.param("\ud800\x00\x1b[31m", "", "", id="not text"),
        pytest.param("(" * MAX_USER_AGENT_CHARACTERS, "", "", id="long"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_user_agent_in_words(user_agent: str, browser: str, system: str) -> None:
    """The more telling mark wins over the ones that everybody sends."""
    assert parse_user_agent(user_agent) == Device(browser=browser, system=system)


def test_several_keep_their_order() -> None:
    """A list of sessions is named in one go, each by its own text."""
    devices = parse_user_agents(["curl/8.5.0", "", "curl/8.5.0"])

    assert [device.browser for device in devices] == ["curl", "", "curl"]


def test_rules_cost_nothing_until_they_are_needed() -> None:
    """A service that starts has read none of them: most workers never need them."""
    program = "import sys, forwardauth.app; print('ua_parser' in sys.modules)"

    loaded = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert loaded.stdout == "False\n"
