"""Texts for the property tests of redirect targets: nearly good, or in disguise."""

from typing import Final

from hypothesis import strategies as st

from forwardauth.redirects import LOOP_PATHS
from tests.support.target_oracles import LOGOUT_PATHS
from tests.support.targets import read_list

_GOOD: Final = [case.text for case in read_list("redirects-accepted.txt")]
_BAD: Final = [case.text for case in read_list("redirects-refused.txt")]
FRAGMENTS: Final = [case.text for case in read_list("redirects-fragments.txt")]

# Good parts stand several times: a text with one bad part teaches more than with five.
_SCHEMES: Final = [*["https://"] * 9, "HTTPS://", "http://", "https:/"]
_USERS: Final = [*[""] * 20, "@", "evil.test@", "example.com:443@", "\\"]
_LABELS: Final = [*["", "app.", "a.b.", "xn--mnchen-3ya."] * 4, "evil-", "-", "%2e"]
_HOSTS: Final = [
    *("example.com", "auth.example.com", "example.org", "login.example.org"),
    *("auth.example.localhost", "x.apps.example.net", "shop.example.net"),
]
_PORTS: Final = [*["", ":443"] * 5, ":80", ":8443", ":8444", ":0", "."]
_PIECES: Final = [
    *("/", "/", "/", "..", ".", "%2e", "%2f", "%25", "2e", "6c", "ogout", "L", "x"),
    *("logout", "login", "authenticate", "store", "api", ";", "?", "#", "@", ":"),
]

_LOOPS: Final = [
    *(("https://auth.example.com", path) for path in LOOP_PATHS + LOGOUT_PATHS),
    *(
        ("https://login.example.org:8443", f"/authenticate{path}")
        for path in LOOP_PATHS
    ),
    *(("http://auth.example.localhost:8080", path) for path in LOOP_PATHS),
    *(("https://a.b.example.com", path) for path in LOGOUT_PATHS),
]
_DETOURS: Final = [
    *("", ".", "%2e", "x/..", "x/%2E.", "x%2fy/..", ";p", "%09", ".;p"),
    *("x/..;p", "x/..%2f", "x/%252e%2e"),
]
_TAILS: Final = [
    "",
    "/",
    "//",
    "/.",
    "/x/..",
    ";",
    ";a=b",
    "?x",
    "#x",
    "%20",
    "%2f",
    "%00",
]


@st.composite
def nearly_good(draw: st.DrawFn) -> str:
    """Draw a listed target, mostly a good one, with up to three small changes."""
    text = draw(st.sampled_from(draw(st.sampled_from((*[_GOOD] * 5, _BAD)))))
    for _ in range(draw(st.sampled_from((1, 1, 2, 3)))):
        first = draw(st.sampled_from((0, len(text) * 2 // 3)))
        at = draw(st.sampled_from(range(first, len(text) + 1)))
        dropped = draw(st.sampled_from((0, 0, 1, 4)))
        text = text[:at] + draw(st.sampled_from(FRAGMENTS)) + text[at + dropped :]
    return text


def assembled() -> st.SearchStrategy[str]:
    """Draw a target that is put together from good and bad parts."""
    hosts = [
        *_HOSTS,
        "auth.example.localhost",
        "x.apps.example.net",
        "shop.example.net",
    ]
    parts = (_SCHEMES, _USERS, _LABELS, hosts, _PORTS)
    path = st.lists(st.sampled_from(_PIECES), max_size=9).map("".join)
    return st.tuples(*map(st.sampled_from, parts), path).map("".join)


@st.composite
def disguised_loop(draw: st.DrawFn) -> str:
    """Draw a path of ours in a spelling that browsers or servers understand."""
    text, path = draw(st.sampled_from(_LOOPS))
    for name in path.split("/")[1:]:
        for detour in draw(st.lists(st.sampled_from(_DETOURS), max_size=2)):
            text += "/" + detour
        text += "/"
        layers = draw(st.integers(0, 3))
        encoded = draw(st.sets(st.integers(0, len(name) - 1), max_size=2))
        for place, letter in enumerate(name.upper() if layers % 2 else name):
            code = f"%{'25' * (layers - 1)}{ord(letter):02x}"
            text += code if layers and place in encoded else letter
    return text + draw(st.sampled_from(_TAILS))
