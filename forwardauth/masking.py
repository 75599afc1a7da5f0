"""What may be shown of a text that somebody wrote and that nobody could read.

Law: whoever quotes such a text masks it here first, and cuts it afterwards. What might
be a secret is masked, since it cannot be told any more what was meant; the place of the
text is in the message anyway, and leads to it.
"""

import re
from typing import Final

MASK: Final = "********"
"""Stands for a secret, however long it is."""

_SUSPICIOUS: Final = re.compile(r"[@?#&;]")
"""Without one of these nothing is masked. Most texts have none."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]+|\A\s*[/\\]{2,}", re.ASCII)
"""Where the place of a URL begins, as browsers read one: slashes or backslashes, even
a single one, which is what a path makes of two."""

_BEYOND: Final = re.compile(r"[?#]")
_USERINFO: Final = re.compile(r":(?=.).*@", re.DOTALL)
_PAIR: Final = re.compile(r"([?&;#][^=&#()<>]+=)[^&#]+")
"""With a name before ``=``: ``(?=`` and ``(?<=`` are of regular expressions."""

_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD: Final = re.compile(r"[A-Za-z0-9]{2}", re.ASCII)


def mask_text(text: str) -> str:
    """Return *text* without what only whoever wrote it should know.

    That is in a URL the user, the password, the query and the fragment, and in anything
    else what stands where these would.

    >>> mask_text("htps://alice:hunter2@app.example.com/?token=s3cr3t")
    'htps://********@app.example.com/?********'
    >>> mask_text("alice:hunter2@redis?password=s3cr3t&db=0")
    'alice:********@redis?password=********&db=********'
    """
    if _SUSPICIOUS.search(text) is None:
        return text
    found = _URL.search(text)
    if found is None:
        return _PAIR.sub(rf"\1{MASK}", _USERINFO.sub(f":{MASK}@", text))
    before, rest = text[: found.end()], text[found.end() :]
    # A password may hold every delimiter there is, so it is the last @ that counts.
    user, at, place = rest.rpartition("@")
    shown = _PAIR.sub(rf"\1{MASK}", before)
    if at and _BEYOND.search(user):
        return f"{shown}{MASK}"
    mark = _BEYOND.search(place)
    if mark is not None:
        place = f"{place[: mark.end()]}{MASK}"
    return f"{shown}{MASK if at else ''}{at}{place}"


def mask_quoted(message: str) -> str:
    """Return *message*, a parser's, without what it quotes of the text.

    A parser of YAML tells the name of an alias or a tag, which is what a password that
    begins with ``*`` or ``!`` is to it. Single characters, and what the grammar has
    names for (``<block end>``), say what is wrong and give nothing away.

    >>> mask_quoted("found undefined alias 'hunter2'")
    "found undefined alias '********'"
    """
    return _QUOTED.sub(_masked, message)


def _masked(found: re.Match[str]) -> str:
    quoted = found[0]
    inner = quoted[1:-1]
    if inner.startswith("<") or _WORD.search(inner) is None:
        return quoted
    return f"{quoted[0]}{MASK}{quoted[-1]}"
