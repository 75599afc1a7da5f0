"""How other programs read a path, each said in its own way.

Decoded, and without the final slash: what a rule and an application have to agree on.
"""

import posixpath
from urllib.parse import unquote

import ada_url
import yarl


def readings(raw: str) -> dict[str, str]:
    """Return what each of several programs takes the path *raw* for."""
    url = f"https://app.example.com{raw}"
    return {
        "standard library": _trim(posixpath.normpath(unquote(raw))),
        "undecoded dots": _trim(unquote(posixpath.normpath(raw))),
        "decoded twice": _trim(posixpath.normpath(unquote(unquote(raw)))),
        "yarl, of aiohttp": _trim(yarl.URL(url, encoded=True).path),
        "yarl, normalising": _trim(yarl.URL(url).path),
        "browser": _trim(unquote(ada_url.URL(url).pathname)),
        "nginx": _trim(_read_as_nginx(raw)),
        "without parameters": _trim(unquote(_without_parameters(raw))),
        "parameters when decoded": _trim(_without_parameters(unquote(raw))),
        "backslashes as slashes": _trim(unquote(raw).replace("\\", "/")),
        "one byte a character": _trim(
            unquote(raw, encoding="latin-1").encode("latin-1").decode(errors="replace")
        ),
    }


def _trim(path: str) -> str:
    return path.rstrip("/") or "/"


def _without_parameters(path: str) -> str:
    return "/".join(segment.partition(";")[0] for segment in path.split("/"))


def _read_as_nginx(raw: str) -> str:
    """Decode once, end at ``?``, ``#`` and NUL, merge slashes, resolve dots.

    Source: ngx_http_parse_complex_uri, with ``merge_slashes on``.
    """
    decoded = unquote(raw.partition("?")[0].partition("#")[0]).partition("\0")[0]
    names: list[str] = []
    for name in decoded.split("/"):
        if name == "..":
            del names[-1:]
        elif name not in ("", "."):
            names.append(name)
    return "/" + "/".join(names)


def is_below(path: str, prefix: str) -> bool:
    """Whether the decoded *path* is *prefix* or lies below it, segment by segment."""
    return path == prefix or path.startswith(f"{prefix}/")


def readings_below(raw: str, prefix: str) -> set[bool]:
    """Return whether *raw* lies below *prefix*, as each of several programs answers."""
    return {is_below(reading, prefix) for reading in readings(raw).values()}
