"""What a ``User-Agent`` says in words: which browser, on which system.

Only to help people recognise their own sessions. Law: nothing is decided by it.

The rules are those of the ua-parser project, whose releases follow the browsers. RE2
finds the rule in linear time, whatever a client has sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ua_parser.re2 import Resolver

_WORDS: Final = frozenset({"Mobile", "iOS", "WebView", "UI/WKWebView"})
"""What the rules add to a browser's name and its system says already."""

_BROWSERS: Final = {"HeadlessChrome": "Chrome"}
_SYSTEMS: Final = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_APPLE: Final = ("iPhone", "iPad")
"""Of iOS people know the device: each says its name, and that it is like Mac OS X."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Proper names, the same in every language; empty when not known."""

    browser: str
    system: str


def parse_user_agent(user_agent: str) -> Device:
    """Return what *user_agent* claims to be.

    The first call of a process reads the rules and compiles them, a quarter of a
    second: where requests wait for the thread, make it in another one.
    """
    if not user_agent:
        return Device(browser="", system="")
    # Imported with the rules: who never lists a session pays for neither.
    from ua_parser.core import Domain  # noqa: PLC0415

    # RE2 reads UTF-8, and a lenient decoder leaves what has no such form.
    text = user_agent.encode("utf-8", "replace").decode()
    found = _load_rules()(text, Domain.USER_AGENT | Domain.OS)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    apple = (device for device in _APPLE if system == "iOS" and device in user_agent)
    return Device(
        browser=_BROWSERS.get(browser) or _shorten(browser),
        system=next(apple, _SYSTEMS.get(system, system)),
    )


def parse_user_agents(user_agents: Iterable[str]) -> list[Device]:
    """Return what each of *user_agents* claims to be, in their order."""
    return [parse_user_agent(each) for each in user_agents]


def _shorten(browser: str) -> str:
    """Return *browser* without the words that say where it runs."""
    return " ".join(word for word in browser.split() if word not in _WORDS)


@cache
def _load_rules() -> "Resolver":
    """Return the compiled rules, six megabytes once for the process.

    Those that tell models of phones apart are left out: they are most of the cost.
    """
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415 - see above
    from ua_parser.re2 import Resolver  # noqa: PLC0415 - see above

    browsers, systems, _ = load_lazy_builtins()
    return Resolver((browsers, systems, []))
