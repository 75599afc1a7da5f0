"""Which values may hold a secret, and what of them may be shown.

Law: every key whose setting is left out of ``repr`` stands here, and no other;
``tests/unit/config/test_secrets.py`` compares the two. What cannot be read is masked as
a whole.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from forwardauth.masking import MASK, mask_text

_STORE: Final = re.compile(
    r"(?P<scheme>[a-z+]+://)(?:(?P<user>[^:@/?#]*)(?P<password>:[^@/?#]*)?@)?"
    r"(?P<place>[^@?#]*)(?:\?(?P<query>[^@#]*))?",
    re.ASCII,
)
_LOGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^@]*@", re.ASCII)
_PASSWORD: Final = re.compile(r"(?<=password=)[^&]*")
_OPEN: Final = ("memory", "sqlite:")
"""The kinds of store whose address holds no password."""


def mask_whole(_text: str) -> str:
    """Return nothing of a value that is a secret."""
    return MASK


def mask_store(text: str) -> str:
    """Return the address of a store without the passwords in it.

    >>> mask_store("redis://forwardauth:hunter2@redis:6379/0")
    'redis://forwardauth:********@redis:6379/0'
    """
    if text.startswith(_OPEN):
        return mask_text(text) if _LOGIN.search(text) else text
    found = _STORE.fullmatch(text)
    if found is None:
        return MASK
    user = "" if found["user"] is None else found["user"]
    password = "" if found["password"] is None else f":{MASK}"
    at = "" if found["user"] is None else "@"
    query = "" if found["query"] is None else f"?{_mask_query(found['query'])}"
    return f"{found['scheme']}{user}{password}{at}{found['place']}{query}"


def mask_query(text: str) -> str:
    """Return a URL without its query, where a token may stand."""
    url, mark, _ = text.partition("?")
    return f"{url}{mark}{MASK if mark else ''}"


def _mask_query(query: str) -> str:
    return _PASSWORD.sub(MASK, query)


SECRETS: Final[Mapping[str, Callable[[str], str]]] = {
    "session.store": mask_store,
    "session.secret": mask_whole,
    "logout.notify": mask_query,
}
"""By key: from what was written to what may be shown."""


def shown(key: str, text: str) -> str:
    """Return *text*, the value of *key* (with ``*`` for an index), without secrets.

    No other key has a use for a password in a URL, so one that stands there is a
    mistake, such as a path that is none.
    """
    mask = SECRETS.get(key)
    if mask is None:
        return mask_text(text) if _LOGIN.search(text) else text
    return mask(text)
