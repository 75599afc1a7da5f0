"""The target policy that the lists in ``tests/data`` are written for, and their reader.

Three cookie domains: one plain, one whose portal has a port and a base path, one on
plain http below ``localhost``. Beyond them, one entry of each kind that can be allowed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forwardauth.domains import CookieDomain, CookieDomains, Origin
from forwardauth.redirects import TargetPolicy, parse_allowed_target

DATA: Final = Path(__file__).parents[1] / "data"

DOMAINS: Final = CookieDomains(
    entries=(
        CookieDomain(
            name="example.com",
            portal=Origin(scheme="https", host="auth.example.com"),
        ),
        CookieDomain(
            name="example.org",
            portal=Origin(scheme="https", host="login.example.org", port=8443),
            base_path="/authenticate",
        ),
        CookieDomain(
            name="example.localhost",
            portal=Origin(scheme="http", host="auth.example.localhost", port=8080),
        ),
    )
)
POLICY: Final = TargetPolicy(
    domains=DOMAINS,
    allowed=tuple(
        parse_allowed_target(text)
        for text in (
            "https://partner.example.net",
            "https://*.apps.example.net",
            "https://*.staging.example.net:8443",
            "https://shop.example.net:8444/store",
            "https://docs.example.net/manual/",
            "https://tenants.example.net/north",
            "https://tenants.example.net/south",
            "https://münchen.example.net",
            "http://legacy.example.net",
            "http://printer.example.com:8631",
        )
    ),
    logout_paths=("/logout", "/app/sign-out"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One target of a list, with what its section expects of it."""

    text: str
    expected: str
    line: int

    def __str__(self) -> str:
        """Name the case by its place in the file and by its text, in plain ASCII."""
        return f"{self.line}:{self.text.encode('unicode_escape').decode()}"


def read_list(name: str) -> Iterator[Listed]:
    r"""Yield the targets of ``tests/data/NAME``.

    A line is one target. A backslash starts an escape as in Python: ``\\``, ``\t``,
    ``\r``, ``\n``, ``\xHH``, ``\uHHHH``, ``\UHHHHHHHH``. ``#`` starts a comment, and
    ``# expect: WORDS`` says what is expected of the lines that follow.
    """
    expected = ""
    lines = (DATA / name).read_text("ascii").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.startswith("# expect: "):
            expected = line.removeprefix("# expect: ")
        elif line and not line.startswith("#"):
            text = line.encode("ascii").decode("unicode_escape")
            yield Listed(text=text, expected=expected, line=number)
